"""Why a route answers a request and the others do not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from photon.cli.survey import precedence
from photon.routing.mixed import Mixed
from photon.routing.percent import decode_segments
from photon.routing.route import Route
from photon.routing.template import Placeholder, Segment, Template

Outcome = Literal["answers", "later", "method", "value"]


class Candidate(NamedTuple):
    """A route that a request comes near to.

    Attributes:
        outcome: "answers"; "later": it fits, and is tried after the one that answers; "method":
            it fits but for its methods; "value": a part of the path is not what it takes.
        why: in words; "" for the one that answers.
    """

    route: Route
    outcome: Outcome
    why: str


def candidates(
    routes: Iterable[Route], method: str, path: str, answering: Route | None
) -> list[Candidate]:
    """The routes that match a path, or would with other values, in the order they are tried.

    Args: path: as on the wire. answering: the one that the router chose.
    Raises: BadPath.
    """
    found = []
    for route in sorted(routes, key=lambda route: precedence(route.template)):
        fault = fault_of(route.template, path)
        is_near = fault is not None and fault.is_near
        # Of two things that are wrong, one is enough to know when another route answers.
        if fault is None or (is_near and (answering is None or takes(route, method))):
            found.append(_candidate(route, method, fault, answering))
    return found


def _candidate(
    route: Route, method: str, fault: Fault | None, answering: Route | None
) -> Candidate:
    if route is answering:
        return Candidate(route, "answers", "")
    if fault is not None:
        return Candidate(route, "value", fault.why)
    if not takes(route, method):
        return Candidate(route, "method", f"takes {', '.join(sorted(route.methods))}")
    if answering is None:
        return Candidate(route, "later", "fits")
    return Candidate(route, "later", _why_later(route, answering))


def takes(route: Route, method: str) -> bool:
    """Whether a method is one of a route's; HEAD comes with GET."""
    return method in route.methods or (method == "HEAD" and "GET" in route.methods)


def _why_later(route: Route, answering: Route) -> str:
    if route.template.key == answering.template.key:
        return "has the same path, and the other one is for this method"
    for mine, first in zip(route.template.segments, answering.template.segments, strict=False):
        if mine.key != first.key:
            return f"fits too, but {_written(first)} is tried before {_written(mine)}"
    return "fits too, and is tried later"


class Fault(NamedTuple):
    """Why a path does not match a template.

    Attributes: is_near: whether but a value is not what it should be.
    """

    why: str
    is_near: bool


def fault_of(template: Template, path: str) -> Fault | None:
    """Why a path, as on the wire, does not match a template; None when it does.

    Raises: BadPath.
    """
    parts = decode_segments(path.split("/"))[1:]
    segments = template.segments
    near: Fault | None = None
    for i, segment in enumerate(segments):
        if i >= len(parts):
            return Fault("it is longer", False)
        text = "/".join(parts[i:]) if segment.spans else parts[i]
        if segment.literal is not None:
            if text != segment.literal:
                return Fault(f"{text!r} is not {segment.literal!r}", False)
        elif near is None:
            near = _fault_in(segment, text)
    if len(parts) > len(segments) and not segments[-1].spans:
        return Fault("it is shorter", False)
    return near


def _fault_in(segment: Segment, text: str) -> Fault | None:
    if len(segment.parts) > 1:
        if Mixed(segment).match(text) is not None:
            return None
        texts = [part for part in segment.parts if isinstance(part, str)]
        is_near = all(part in text for part in texts)
        return Fault(f"{text!r} does not fit {_written(segment)}", is_near)
    (placeholder,) = segment.placeholders
    if placeholder.converter.read(text) is not None:
        return None
    if not text:
        return Fault(f"{{{placeholder.name}}} is empty", False)
    kind = placeholder.converter.name
    return Fault(f"{text!r} is no {kind}, which {{{placeholder.name}}} has to be", True)


def _written(segment: Segment) -> str:
    return "".join(_part(part) for part in segment.parts)


def _part(part: str | Placeholder) -> str:
    if isinstance(part, str):
        return part
    kind = "" if part.converter.name == "str" else f":{part.converter.name}"
    return f"{{{part.name}{kind}}}"


# Nothing answers: what may have been meant...


def close_paths(paths: Iterable[str], path: str) -> list[str]:
    """Those of some templates, as people write them, that are like a path: three at most, the
    likest first."""
    likeness: dict[str, float] = {}
    wanted = path.strip("/").lower()
    for text in paths:
        filled = _filled(text, path).strip("/").lower()
        ratio = SequenceMatcher(None, filled, wanted).ratio()
        if _ends_like(text, path):
            ratio = max(ratio, 0.9)  # the prefix was forgotten
        if ratio >= 0.7:
            likeness[text] = ratio
    return sorted(likeness, key=lambda text: (-likeness[text], text))[:3]


def _filled(text: str, path: str) -> str:
    """A template with the texts of a path in the place of what it asks for."""
    parts = path.split("/")
    return "/".join(
        parts[i] if "{" in segment and i < len(parts) else segment
        for i, segment in enumerate(text.split("/"))
    )


def _ends_like(text: str, path: str) -> bool:
    """Whether a path is the end of a template, and not by its placeholders alone."""
    wanted = path.strip("/").split("/")
    last = text.strip("/").split("/")[-len(wanted) :]
    pairs = list(zip(last, wanted, strict=False))
    fits = len(last) == len(wanted) and all("{" in mine or mine == its for mine, its in pairs)
    return fits and any("{" not in mine and mine for mine in last)
