"""A request whose values do not fit: every failing place of it, told at once.

The compiled binder stops at the first value that does not fit. Then all of them are read once
more, each on its own, which costs some 10 us for each and is paid by those requests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NoReturn, TypeGuard

import msgspec

from photon.binding import shapes
from photon.binding.decode import format_in
from photon.binding.fields import field_getter, fields_of
from photon.binding.getters import Get, Missing, getter_of
from photon.binding.plan import BodyPlan, Parameter
from photon.binding.raw import raw_reader
from photon.binding.whole_numbers import with_whole_numbers
from photon.http.errors import InvalidRequest
from photon.http.flat_errors import flat_errors
from photon.http.formats import JSON, Format
from photon.http.forms import Form
from photon.http.request import Request
from photon.http.validation import MAX_ERRORS, Failure, Loc, errors_of_body, failure, failure_of

Refuse = Callable[[Request, Exception], NoReturn]
"""Raises: InvalidRequest, or the error it is given, when it finds nothing wrong."""

ReadForm = Callable[[Request], Form]


def refuser_of(
    parameters: Iterable[Parameter],
    body: BodyPlan | None,
    formats: Sequence[Format],
    strict: bool,
    read_form: ReadForm,
) -> Refuse:
    """What tells a client of everything that is wrong with these values of a request."""
    getters = [(parameter, getter_of(parameter)) for parameter in parameters]
    read_raw = raw_reader(body.parts[0], body.kind, body.media_types) if _is_kept(body) else None

    def refuse(request: Request, error: Exception) -> NoReturn:
        found: list[Failure] = []
        for parameter, get in getters:
            found += _failures(request, parameter, get)
        if body is not None and body.kind == "data":
            found += _in_data(request, body, formats, strict)
        elif body is not None and body.kind == "form":
            found += _in_form(read_form(request), body)
        elif read_raw is not None:
            found += _try(lambda: read_raw(request), ("body",))
        if not found and isinstance(error, msgspec.ValidationError):
            found.append(failure_of(error))  # of a class that does not always say the same
        if not found:
            raise error
        raise InvalidRequest(found[:MAX_ERRORS]) from None

    return refuse


def _is_kept(body: BodyPlan | None) -> TypeGuard[BodyPlan]:
    # Of a stream nothing can be missing, and a guard may have begun it: it is given once.
    return body is not None and body.kind == "bytes"


def _failures(request: Request, parameter: Parameter, get: Get) -> list[Failure]:
    found: list[Failure] = []
    for field in parameter.fields:
        found += _failures(request, field, getter_of(field))
    if not found:
        found += _try(lambda: get(request), (parameter.source, parameter.alias), parameter.type)
    # What its fields lack is no matter when the whole may be left out.
    if parameter.fields and not parameter.required and not _try(lambda: get(request), ()):
        return []
    return found


def _try(call: Callable[[], Any], loc: Loc, type: Any = None) -> list[Failure]:
    try:
        call()
    except Missing as error:
        return [failure(loc, str(error), "missing")]
    except msgspec.ValidationError as error:
        return [failure_of(error, loc, type, shows_value=loc[:1] not in _SECRET)]
    return []


# Where tokens travel: answers are logged and shown.
_SECRET = (("header",), ("cookie",))


def _in_data(
    request: Request, body: BodyPlan, formats: Sequence[Format], strict: bool
) -> list[Failure]:
    data = request.body()
    if not data:
        return [failure(("body",), "this is missing", "missing")] if body.required else []
    format_ = format_in(request, formats)
    if format_ is JSON:
        data = with_whole_numbers(data)
        flat = flat_errors(data, body.type, strict)
        if flat:
            return flat
    found = errors_of_body(data, body.type, format_.decode, strict=strict)
    if found:
        return found
    try:
        format_.decode(data, body.type, strict)
    except msgspec.ValidationError as first:
        return [failure_of(first, ("body",), body.type)]
    return []


def _in_form(form: Form, body: BodyPlan) -> list[Failure]:
    found: list[Failure] = []
    for part in body.parts:
        before = len(found)
        if part.kind == "object":
            types = {field.name: field.type for field in shapes.fields_of(part.type) or ()}
            for name, get_field in fields_of(part):
                call = partial(get_field, form)
                found += _try(call, ("body", name), types[name])
        if len(found) == before:
            get = field_getter(part)
            loc = ("body",) if part.kind == "object" else ("body", part.alias)
            found += _try(partial(get, form), loc, part.type)
    return found
