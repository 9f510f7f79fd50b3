"""Pages: templates that share a layout, a form, and a style sheet.

photon run examples.pages:app

Open http://127.0.0.1:8000/ and sign the guest book; <b>any</b> name will do.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from photon import Form, HTTPError, Photon, Request, Response, StaticFiles, TemplateResponse

HERE = Path(__file__).parent

app = Photon(title="Pages", templates=HERE / "templates")
app.mount("/static", StaticFiles(HERE / "static"))


class Entry(Struct):
    name: str
    text: str
    written: datetime


entries: list[Entry] = []


@app.templates.filter
def day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}"


@app.get("/")
def guest_book() -> TemplateResponse:
    return TemplateResponse("guest_book.html", {"entries": entries[::-1]})


@app.post("/")
def sign(
    name: Annotated[str, Form(max_length=50)] = "",
    text: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    if not name.strip() or not text.strip():
        said = {"name": name, "text": text, "problem": "Both fields, please."}
        return TemplateResponse("guest_book.html", {"entries": entries[::-1], **said}, status=422)
    entries.append(Entry(name, text, datetime.now(UTC)))
    # 303: to be looked at with GET, so that reloading the page does not sign again.
    return Response.redirect(app.path_for("entry", number=len(entries)), 303)


@app.get("/entries/{number:int}")
def entry(number: int) -> TemplateResponse:
    if not 1 <= number <= len(entries):
        raise HTTPError(404, f"there is no entry {number}")
    return TemplateResponse("entry.html", {"entry": entries[number - 1], "number": number})


@app.exception_handler(404)
def not_found(request: Request, error: HTTPError) -> TemplateResponse:
    return TemplateResponse("not_found.html", {"detail": error.detail}, status=404)
