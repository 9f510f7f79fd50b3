"""What users write into `Annotated[...]` to say where a value comes from, and what holds of it.

    def search(tag: Annotated[list[str], Query(max_length=5)] = [], agent: Annotated[str, Header()])

A marker stands in the annotation and the default where Python has it, behind the equals sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from photon.binding.misused import Explained

Source = Literal["path", "query", "header", "cookie", "body", "form"]
Style = Literal["form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"]

CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")


class Marker(Struct, metaclass=Explained, frozen=True, kw_only=True, eq=False):
    """What every marker can say.

    Args:
        alias: the name on the wire; the parameter's own when left out.
        gt, ge, lt, le, multiple_of: of a number.
        min_length, max_length: of a text in characters, of a list in elements.
        pattern: a regular expression that a text has to match somewhere.
        title, description, examples, deprecated: for documents; examples are values.
        include_in_schema: whether documents mention it at all.
    """

    source: ClassVar[Source]

    alias: str | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    title: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()
    deprecated: bool = False
    include_in_schema: bool = True

    def constraints(self) -> msgspec.Meta | None:
        """The constraints as msgspec takes them; None when there are none."""
        given = {name: getattr(self, name) for name in CONSTRAINTS}
        given = {name: value for name, value in given.items() if value is not None}
        return msgspec.Meta(**given) if given else None


class Path(Marker, frozen=True, kw_only=True, eq=False):
    """A value of the path: a name in the route's template."""

    source: ClassVar[Source] = "path"


class Query(Marker, frozen=True, kw_only=True, eq=False):
    """A value of the query string; of a Struct, all its fields.

    Args:
        style: how a list or an object is written: "form" (`a=1&a=2`, or `a=1,2` when not
            exploded), "spaceDelimited", "pipeDelimited", "deepObject" (`a[x]=1&a[y]=2`).
        explode: whether each element has a field of its own.
    Source: OpenAPI 3.1, Parameter Object, Style Values.
    """

    source: ClassVar[Source] = "query"
    style: Style = "form"
    explode: bool | None = None


class Header(Marker, frozen=True, kw_only=True, eq=False):
    """A header field; its name is the parameter's with `-` for `_`, unless an alias is given.

    A list is taken apart at its commas (RFC 9110 §5.6.1).
    """

    source: ClassVar[Source] = "header"


class Cookie(Marker, frozen=True, kw_only=True, eq=False):
    """A cookie."""

    source: ClassVar[Source] = "cookie"


class Body(Marker, frozen=True, kw_only=True, eq=False):
    """The body: of a `bytes` parameter as it is, of an `Iterator[bytes]` as it comes, else decoded.

    Args:
        embed: whether the body is an object and this value the member of that name; so it is
            anyway when several parameters are of the body.
        media_type: what it is sent as; JSON, and what else the route takes, when left out.
        unique_keys: whether JSON that names a key of an object twice is refused.
    """

    source: ClassVar[Source] = "body"
    embed: bool = False
    media_type: str | None = None
    unique_keys: bool = True


class Form(Marker, frozen=True, kw_only=True, eq=False):
    """A field of a form, urlencoded or multipart; of a Struct, all its fields."""

    source: ClassVar[Source] = "form"


class File(Marker, frozen=True, kw_only=True, eq=False):
    """A file of a multipart form, as an `UploadFile` or as `bytes`.

    Args: max_bytes: what is larger is refused (413); None for the limit of the body.
    """

    source: ClassVar[Source] = "form"
    max_bytes: int | None = None


Scope = Literal["request", "handler", "app"]


class Depends(Struct, metaclass=Explained, frozen=True, eq=False):
    """A value that a provider makes: a function whose parameters are filled as a handler's are.

    A generator function yields the value once, and what follows is run when the scope is over.

    Args:
        provider: the annotated class itself when left out.
        scope: "request": once per request, over when the response was written. "handler": the
            same, but over before the response is sent, so that what fails then is a 500.
            "app": once, made when the application starts and over when it stops.
        cached: whether all who ask for it in one request get the same one.
        concurrent: whether it may run beside the other concurrent ones it does not depend on.
    """

    provider: Callable[..., Any] | None = None
    scope: Scope = msgspec.field(default="request", name="scope")
    cached: bool = True
    concurrent: bool = False


class Security(Depends, frozen=True, eq=False):
    """A provider that lets the request in or not: it comes before everything else.

    Args: scopes: what the caller has to be allowed; the provider finds them in its parameter
        `scopes: SecurityScopes`, and documents show them.
    """

    scopes: Sequence[str] = ()


class SecurityScopes(tuple[str, ...]):
    """The scopes that `Security` markers ask for, from the handler's down to this provider's."""


Responses = Mapping[int, Any]
"""What a route may answer besides: by status a type, a text that describes it, or a `Reply`."""


class Reply(Struct, metaclass=Explained, frozen=True, kw_only=True):
    """One answer of a route, for documents.

    Args:
        type: of the value; None for what the return annotation says of this status, or no content.
        description: the phrase of the status when left out.
        media_type: of the body.
        headers: name and description of each.
        examples: values.
    """

    type: Any = None
    description: str = ""
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}
    examples: Sequence[Any] = ()
