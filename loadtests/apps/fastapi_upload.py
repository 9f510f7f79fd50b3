"""What takes uploads, on FastAPI, which spools a file in a thread; see `photon_upload`."""

from fastapi import FastAPI, UploadFile
from pydantic import BaseModel

app = FastAPI()


class Message(BaseModel):
    message: str


@app.get("/json")
async def message() -> Message:
    return Message(message="Hello, World!")


@app.post("/upload")
async def upload(file: UploadFile) -> dict[str, int]:
    return {"size": file.size or 0}


# The same in the handlers most people write...


@app.get("/sync/json")
def sync_message() -> Message:
    return Message(message="Hello, World!")


@app.post("/sync/upload")
def sync_upload(file: UploadFile) -> dict[str, int]:
    return {"size": file.size or 0}
