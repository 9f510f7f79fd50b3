"""What takes uploads, on Photon: a file goes through the process and not through its memory.

GET  /json           the message, for a client that goes on asking meanwhile
POST /upload         a file in a form of up to 2 GiB: spooled, then dropped -> {"size"}
POST /upload/parts   the same, read as it comes and kept nowhere
"""

from photon import Photon, Request, UploadFile

MAX_BYTES = 2 << 30
MAX_S = 600

app = Photon()


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.post("/upload", body_limit=MAX_BYTES, timeout=MAX_S)
def upload(file: UploadFile) -> dict[str, int]:
    return {"size": file.size}


@app.post("/upload/parts", body_limit=MAX_BYTES, timeout=MAX_S)
def upload_parts(request: Request) -> dict[str, int]:
    return {"size": sum(len(chunk) for part in request.parts() for chunk in part.chunks())}
