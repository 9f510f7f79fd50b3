"""A body that is not decoded: all its bytes, its text, or its pieces as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from photon.binding.getters import Missing
from photon.binding.plan import NO_DEFAULT, BodyPart
from photon.http.errors import HTTPError
from photon.http.request import Request


def raw_reader(part: BodyPart, kind: str, media_types: Sequence[str]) -> Callable[[Request], Any]:
    """What gives a body as it is.

    Args: kind: "bytes" or "stream". media_types: that are taken; () for any.
    """
    is_text, default = part.type is str, part.default

    def read(request: Request) -> Any:
        if media_types and request.content_type not in media_types:
            taken = ", ".join(media_types)
            raise HTTPError(415, f"what is taken here is {taken}", headers={"accept": taken})
        if kind == "stream":
            return request.chunks()
        data = request.body()
        if not data:
            if default is NO_DEFAULT:
                raise Missing("this is missing")
            return default
        return request.text() if is_text else data

    return read
