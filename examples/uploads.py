"""Uploads: a form with files, files too large for that, and bodies that are a file themselves.

photon run examples.uploads:app

Open http://127.0.0.1:8000/ and choose some files, or:

curl -i http://127.0.0.1:8000/photos -F album=Rome -F photos=@forum.jpg -F photos=@pantheon.jpg
curl -i http://127.0.0.1:8000/films -F film=@holiday.mp4
curl -i http://127.0.0.1:8000/backups -T disk.img
curl -i http://127.0.0.1:8000/files/0123456789abcdef -r 0-99
"""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from typing import Annotated

from msgspec import Struct

from photon import (
    File,
    Form,
    FormLimits,
    HTTPError,
    Photon,
    Request,
    Response,
    UploadFile,
    offload,
)

MB, GB = 1 << 20, 1 << 30

app = Photon(title="Uploads")
folder = Path(mkdtemp(prefix="photon-uploads-"))


class Stored(Struct):
    id: str
    name: str
    size: int


stored: dict[str, Stored] = {}


def keep(name: str, save: Callable[[Path], object]) -> Stored:
    """Save a file under a name of our own: what clients call theirs is never a path here."""
    id = token_hex(8)
    path = folder / id
    try:
        save(path)
    except BaseException:  # such as Cancelled, when the client left half-way
        path.unlink(missing_ok=True)
        raise
    stored[id] = Stored(id, name, path.stat().st_size)
    return stored[id]


# A form is read as a whole before the handler is called. Its small files are in memory, others in
# files without a name; all of them are gone when the request is over, unless they were saved...


@app.post(
    "/photos",
    status=201,
    form_limits=FormLimits(files=20, file_bytes=10 * MB),
    body_limit=100 * MB,
)
def add_photos(
    album: Annotated[str, Form(min_length=1)], photos: Annotated[list[UploadFile], File()]
) -> list[Stored]:
    for photo in photos:
        if not photo.content_type.startswith("image/"):
            raise HTTPError(415, f"{photo.filename!r} is {photo.content_type}, not a picture")
    return [keep(f"{album}: {photo.safe_name}", photo.save_to) for photo in photos]


# Part by part, a form is never kept: a film of 10 GB needs no memory and is written once...


@app.post("/films", status=201, body_limit=20 * GB)
def add_films(request: Request) -> list[Stored]:
    limits = FormLimits(file_bytes=10 * GB)
    return [
        keep(part.safe_name, part.save_to)
        for part in request.parts(limits)
        if part.filename  # others are fields; what is not read is skipped
    ]


# A body can be the file itself, with nothing around it...


@app.put("/backups", status=201, body_limit=20 * GB)
def add_backup(request: Request) -> Stored:
    def receive(path: Path) -> None:
        with path.open("wb") as file:
            for chunk in request.chunks():  # waits for the client, and holds it back
                offload(file.write, chunk)  # waits for the disk, and nobody else does

    return keep("backup", receive)


@app.get("/files/{id}")
def get_file(id: str) -> Response:
    if id not in stored:
        raise HTTPError(404, f"there is no file {id}")
    # Range, ETag, 304. To be saved and not shown: it may be a page with a script in it.
    return Response.file(folder / id, download_as=stored[id].name)


@app.get("/")
def index() -> Response:
    return Response.html(
        """<!DOCTYPE html>
        <title>Uploads</title>
        <form method="post" action="/photos" enctype="multipart/form-data">
            <input name="album" placeholder="Album" required>
            <input name="photos" type="file" accept="image/*" multiple required>
            <button>Upload</button>
        </form>"""
    )
