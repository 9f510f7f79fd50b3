"""Bodies and files: an upload of any size goes to disk as it arrives, and comes back by sendfile.

curl -i -T film.mp4 http://127.0.0.1:8000/files/film.mp4
curl -i -r 0-99 http://127.0.0.1:8000/files/film.mp4
"""

from pathlib import Path
from tempfile import mkdtemp

from photon import HTTPError, Photon, Request, Response

app = Photon(title="Uploads")
folder = Path(mkdtemp(prefix="photon-uploads-"))


@app.put("/files/{name}")
def upload(name: str, request: Request) -> tuple[dict[str, int], int]:
    size = 0
    with open(place_of(name), "wb") as file:
        for (
            chunk
        ) in request.chunks():  # waits for the client, and holds it back if the disk is slow
            size += file.write(chunk)
    return {"bytes": size}, 201


@app.get("/files/{name}")
def download(name: str) -> Response:
    return Response.file(place_of(name))  # Range, ETag, 304; 404 if there is none


def place_of(name: str) -> Path:
    if "/" in name or name.startswith("."):  # %2F in the URL is a slash here
        raise HTTPError(400, "a name has no slash, and begins with another character than a dot")
    return folder / name
