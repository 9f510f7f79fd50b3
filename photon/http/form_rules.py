"""What is taken of a form, and how is said what is not."""

from __future__ import annotations

import msgspec

from photon.http.errors import BadBody, HTTPError

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

# Names of the one encoding that forms are read in, and of ASCII, which is a part of it.
_UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")


class FormLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a form is taken. The limit of the whole body stands beside these.

    What is too large is answered with 413 (RFC 9110 §15.5.14: the content is larger than the
    server is willing to process), what is too many with 400: its size is not what is wrong.

    Attributes:
        parts: fields and files together; Django's and Werkzeug's figure.
        files: files among them.
        header_bytes: all headers of one part, in bytes.
        field_bytes: one field that is no file, in bytes.
        file_bytes: one file, in bytes; None for as large as the body may be.
        spool_bytes: what is kept in memory of one file, in bytes; a larger one is put on disk.
        memory_bytes: all fields of a form together, in bytes, of an urlencoded one as sent; and
            beside them, all its files that are kept in memory: further ones are put on disk.
    """

    parts: int = 1000
    files: int = 100
    header_bytes: int = 8 * 1024
    field_bytes: int = 1 << 20
    file_bytes: int | None = None
    spool_bytes: int = 1 << 20
    memory_bytes: int = 8 << 20


DEFAULT_LIMITS = FormLimits()


def not_a_form(content_type: str, *accepted: str) -> HTTPError:
    """The answer to a body of another type; RFC 9110 §15.5.16 has it say what is accepted."""
    what = f"is {shown(content_type)}" if content_type else "has no Content-Type"
    detail = f"the body {what}; a form is expected here: {' or '.join(accepted)}"
    return HTTPError(415, detail, headers={"accept": ", ".join(accepted)})


def require_utf_8(charset: str | None, what: str) -> None:
    """Raise BadBody if `what` is said to be in another encoding than UTF-8."""
    if charset and charset.strip().lower() not in _UTF_8:
        raise BadBody(f"{what} is said to be in {shown(charset)}; forms are read as UTF-8 only")


def shown(text: str) -> str:
    """A text of the client's, quoted for a message and not at length."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def as_text(value: bytes, what: object) -> str:
    """`value` as UTF-8.   Raises: BadBody, which names `what` by its `str`."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from error
