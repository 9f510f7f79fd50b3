"""What a browser's form sends: fields and files, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from photon.http.errors import BodyTooLarge, PartTooLarge
from photon.http.form_rules import (
    DEFAULT_LIMITS,
    MULTIPART,
    URLENCODED,
    FormLimits,
    not_a_form,
    require_utf_8,
)
from photon.http.spool import Spool
from photon.http.uploads import UploadFile

if TYPE_CHECKING:
    from photon.http.multipart import Part
    from photon.http.request import Request

__all__ = ["DEFAULT_LIMITS", "Form", "FormLimits", "FormValue", "read_form"]

FormValue: TypeAlias = str | UploadFile


class Form(Mapping[str, FormValue]):
    """The fields of a form: the last value of each name; `get_all` gives every one.

    Args: pairs: of (name, value), in the order in which they came.
    Attributes: files: all its files, in the order in which they came.
    """

    __slots__ = ("_fields", "files")

    def __init__(self, pairs: Iterable[tuple[str, FormValue]] = ()) -> None:
        self._fields: dict[str, list[FormValue]] = {}
        self.files: list[UploadFile] = []
        for name, value in pairs:
            self._fields.setdefault(name, []).append(value)
            if isinstance(value, UploadFile):
                self.files.append(value)

    def __getitem__(self, name: str) -> FormValue:
        return self._fields[name][-1]

    def get_all(self, name: str) -> list[FormValue]:
        """All values of this name, in order; [] when there is none."""
        return list(self._fields.get(name, ()))

    def pairs(self) -> list[tuple[str, FormValue]]:
        """Pairs of (name, value); those of one name stand together."""
        return [(name, value) for name, values in self._fields.items() for value in values]

    def close(self) -> None:
        """Close all its files. `Request.form` has it done when the request is over."""
        for file in self.files:
            file.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __enter__(self) -> Form:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Form({self.pairs()!r})"


def read_form(request: Request, limits: FormLimits = DEFAULT_LIMITS) -> Form:
    """The form in the body of `request`, waiting for all of it. Whoever asks closes it.

    Raises: HTTPError: 400 for a form that is broken (BadBody) or has too many parts, 413 for what
    is too large (PartTooLarge, BodyTooLarge), 415 when the body is no form; BodyTimeout;
    ClientDisconnected; OSError, when the disk takes no more: that is no fault of the client's,
    and the operator learns of it by the traceback in the log, so it is a 500 and no 507.
    """
    content_type = request.content_type
    if content_type == URLENCODED:
        return _read_urlencoded(request, limits)
    if content_type == MULTIPART:
        return _read_multipart(request, limits)
    raise not_a_form(content_type, URLENCODED, MULTIPART)


def _read_urlencoded(request: Request, limits: FormLimits) -> Form:
    from photon.http.urlencoded import urlencoded_pairs

    content_type = request.headers["content-type"]
    if ";" in content_type:
        from multipart import parse_options_header  # type: ignore[import-untyped]

        require_utf_8(parse_options_header(content_type)[1].get("charset"), "the form")
    body = bytearray()
    for chunk in request.chunks():
        if len(body) + len(chunk) > limits.memory_bytes:
            raise BodyTooLarge(limits.memory_bytes)
        body += chunk
    return Form(urlencoded_pairs(body, limits))


def _read_multipart(request: Request, limits: FormLimits) -> Form:
    from photon.http.multipart import parts

    pairs: list[tuple[str, FormValue]] = []
    fields_bytes = files_bytes = 0
    try:
        for part in parts(request, limits):
            value: FormValue
            if part.filename is None:
                value = part.text()
                fields_bytes += part.size
                if fields_bytes > limits.memory_bytes:
                    what = f"what came up to {part.place}, without the files,"
                    raise PartTooLarge(what, limits.memory_bytes, part.number)
            else:
                kept_bytes = min(limits.spool_bytes, limits.memory_bytes - files_bytes)
                value = _spooled(part, kept_bytes)
                if value.is_in_memory:
                    files_bytes += value.size
            pairs.append((part.name, value))
    except BaseException:
        Form(pairs).close()
        raise
    return Form(pairs)


def _spooled(part: Part, keep_bytes: int) -> UploadFile:
    """The part as a file, which is kept in memory up to `keep_bytes`."""
    spool = Spool(keep_bytes)
    try:
        for chunk in part.chunks():
            spool.write(chunk)
        file = spool.finish()
    except BaseException:
        spool.close()
        raise
    return UploadFile(
        part.name,
        part.filename or "",
        file,
        spool.size,
        content_type=part.content_type,
        headers=part.headers,
    )
