"""The way of a request in words: which route answers it, why, and what its handler gets."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Sequence

from photon.binding.markers import Reply
from photon.binding.operation import Operation
from photon.binding.plan import BodyPlan
from photon.binding.tree import tree
from photon.binding.wording import (
    function_name,
    function_place,
    repr_of,
    short_place,
    type_name,
    value_name,
)
from photon.cli.matching import Candidate
from photon.cli.paper import bold, dim, in_columns, printable
from photon.cli.quantities import write_duration, write_size
from photon.cli.route_table import methods_of
from photon.cli.survey import handler_of, is_websocket
from photon.cli.tracing import Trace
from photon.http.server.settings import Limits, Timeouts
from photon.http.status import reason_phrase
from photon.openapi.returns import Returned, read_returns
from photon.routing.route import Route

_MOST_CANDIDATES = 12


def explained(trace: Trace, width: int | None) -> list[str]:
    """The lines about a request. Args: width: characters of a line; None for any."""
    return [line for section in _sections(trace, width) for line in _wrapped(section, width)]


def _sections(trace: Trace, width: int | None) -> Iterator[list[str]]:
    yield _headline(trace)
    if len(trace.passed) > 1:
        yield _section("On its way through", [f"{i}  {p}" for i, p in enumerate(trace.passed, 1)])
    if trace.ways_out:
        yield _section("Did you mean", trace.ways_out)
    if trace.candidates:
        title = "Why this route" if trace.route is not None else "Routes that come near"
        yield _section(title, _candidate_lines(trace))
    if trace.values:
        rows = [(name, "=", repr_of(v), type(v).__name__) for name, v in trace.values.items()]
        yield _section("Values of the path", in_columns(rows))
    if trace.around and trace.outcome != "nothing":
        yield _section("Middleware, the outermost first", _middleware_lines(trace, width))
    if trace.route is not None and isinstance(trace.route.operation, Operation):
        yield from _operation(trace.route.operation, width)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", bold(title), *(f"  {line}" for line in lines)]


def _wrapped(lines: list[str], width: int | None) -> Iterator[str]:
    """Lines that fit; what is folded stands deeper. Lines with colours or a tree fit already."""
    for line in lines:
        if width is None or len(line) <= width or "\x1b" in line or "─" in line:
            yield line
        else:
            indent = " " * (len(line) - len(line.lstrip()) + 4)
            yield from textwrap.wrap(
                line,
                width,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )


# Who answers, and why...


def _headline(trace: Trace) -> list[str]:
    asked = f"{trace.method} {printable(trace.path)}"
    if trace.route is not None:
        return _answered(trace, trace.route, asked)
    if trace.outcome == "application":
        return [bold(f"{asked} is taken by the application {trace.passed[-1]}"), f"  {trace.why}."]
    by = "nothing answers" if trace.outcome == "nothing" else "no handler is called"
    status = f"{trace.status} {reason_phrase(trace.status)}" if trace.status else "no answer"
    return [bold(f"{asked}: {by}, {status}"), f"  {printable(trace.why)}."]


def _answered(trace: Trace, route: Route, asked: str) -> list[str]:
    name = function_name(handler_of(route))
    place = f" ({short_place(route.place)})" if route.place else ""
    lines = [bold(f"{asked} is answered by {name}{place}")]
    named = f", named {route.name!r}" if route.name not in ("", name) else ""
    path = trace.prefix + route.template.text
    lines.append(f"  the route {','.join(methods_of(route))} {path}{named}")
    if trace.why:
        lines.append(f"  {trace.why}")
    if trace.method == "HEAD" and "HEAD" not in route.methods:
        lines.append("  HEAD is answered as GET is, without the body")
    if is_websocket(route):
        lines.append("  it is for WebSockets: whoever asks for no WebSocket gets 426")
    return lines


def _candidate_lines(trace: Trace) -> list[str]:
    shown = trace.candidates[:_MOST_CANDIDATES]
    rows = [_candidate_row(candidate, trace.prefix) for candidate in shown]
    more = len(trace.candidates) - len(shown)
    return in_columns(rows) + ([f"… and {more} more"] if more else [])


def _candidate_row(candidate: Candidate, prefix: str) -> tuple[str, str, str, str]:
    sign = {"answers": "→", "later": "·", "method": "✗", "value": "✗"}[candidate.outcome]
    route = candidate.route
    path = prefix + route.template.text
    return sign, ",".join(methods_of(route)), path, candidate.why or "answers"


def _middleware_lines(trace: Trace, width: int | None) -> list[str]:
    for named in (value_name, function_name):  # with its options, where there is room
        rows = []
        for i, each in enumerate(trace.around, 1):
            place = function_place(each.middleware)
            rows.append((str(i), named(each.middleware), place, f"of {each.of}"))
        lines = in_columns(rows)
        if width is None or max(map(len, lines)) + 2 <= width:
            break
    return lines


# What the handler gets, and gives...


def _operation(operation: Operation, width: int | None) -> Iterator[list[str]]:
    plan = operation.plan
    drawn = tree(plan, width=None if width is None else width - 2).splitlines()
    notes = []
    if any(line.startswith(("├─ * ", "└─ * ")) for line in drawn):
        notes.append(dim("*  called first, for what it refuses"))
    if any(d.concurrent for d in plan.dependencies):
        notes.append(dim("concurrent ones that are ready together are called side by side"))
    if len(drawn) == 1:
        drawn = ["it takes none"]
    yield _section("Its arguments, and where they come from", [*drawn, *notes])
    if plan.body is not None:
        yield _section("The body", list(_body_lines(operation, plan.body)))
    yield _section("The answer", list(_answer_lines(operation)))


def _body_lines(operation: Operation, body: BodyPlan) -> Iterator[str]:
    kinds = {
        "data": "decoded" + (f" as {type_name(body.type)}" if not body.embedded else ""),
        "form": "a form",
        "bytes": "as it is",
        "stream": "as it comes, piece by piece",
    }
    yield f"{'required' if body.required else 'optional'}, {kinds[body.kind]}"
    if body.embedded:
        yield f"an object with the members {', '.join(part.alias for part in body.parts)}"
    yield f"sent as {' or '.join(body.media_types) or 'anything'}"
    own = operation.body_limit
    if own is not None:
        yield f"at most {write_size(own)}, 413 beyond"
    else:
        default = write_size(Limits().body_bytes)
        yield f"at most {default}, 413 beyond, unless --limit-body-bytes or body_limit= say more"
    if body.kind in ("data", "form"):
        yield "what is wrong in it is told with 422, all of it at once"


def _answer_lines(operation: Operation) -> Iterator[str]:
    rows = [*_returned(operation), *_others(operation)]
    yield from in_columns(rows)
    if operation.timeout_s is not None:
        yield f"within {write_duration(operation.timeout_s)}, or 504"
    else:
        usual = write_duration(Timeouts().handler_s)
        yield f"within {usual}, or 504, unless --timeout-handler says another time"


def _returned(operation: Operation) -> Iterator[tuple[str, str]]:
    for returned in read_returns(operation.response_type):
        usual = 204 if returned.kind == "nothing" else 200
        yield str(returned.status or operation.status or usual), _sent(returned, operation)
    if operation.response_type is inspect.Signature.empty and operation.status is None:
        yield "204", "when it returns None"


def _sent(returned: Returned, operation: Operation) -> str:
    if returned.kind == "nothing":
        return "without a body"
    if returned.kind == "raw":
        return returned.media_type
    if returned.kind == "data":
        return f"{type_name(returned.type)} as {' or '.join(operation.media_types)}"
    return "what it returns, of which nobody said the type"


def _others(operation: Operation) -> Iterator[tuple[str, str]]:
    for status, what in operation.responses.items():
        words = what if isinstance(what, str) else getattr(what, "description", "")
        type_ = what.type if isinstance(what, Reply) else what
        if not isinstance(words, str) or not words:
            words = type_name(type_) if not isinstance(type_, str) else ""
        yield str(status), words or reason_phrase(status)
