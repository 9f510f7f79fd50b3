"""What a handler stands on, drawn as a tree: where each argument comes from, the providers', too.

show  shop.py:41
├─ *     signed_in     shop.py:12, a guard
│  └─ token  header authorization  str
├─ id    path          int, >= 1
├─ q     query         str | None = None, length <= 20
└─ conn  connection    shop.py:20, closed after the response
   └─ pool  open_pool  shop.py:16, scope app: made once, at the start
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from photon.binding.markers import File
from photon.binding.plan import Argument, BindingPlan, BodyPart, BodyPlan, Dependency, Parameter
from photon.binding.wording import (
    constraint_words,
    function_name,
    function_place,
    repr_of,
    shortened,
    type_name,
)

_LEAST_CHARS = 24  # of what a line says, however deep it stands


def tree(plan: BindingPlan, *, parameters: bool = True, width: int | None = None) -> str:
    """The arguments of a handler and of all its providers, as lines of text.

    A provider that was drawn already is named again, and what it needs is not. Those that are
    called for their effect, and fill no argument, have "*" for a name.

    Args:
        parameters: whether what comes from the request is drawn too, or providers alone.
        width: characters of a line; what is longer is folded. None for any.
    """
    drawing = _Drawing(plan.body, parameters)
    title = "  ".join(filter(None, (function_name(plan.handler), function_place(plan.handler))))
    branches = [*drawing.of_guards(plan), *drawing.of_arguments(plan.arguments)]
    return "\n".join((title, *_lines(branches, "", width)))


def origin_of(parameter: Parameter) -> str:
    """Where a parameter comes from: "query", and "query page-size" where its name differs."""
    return _source(parameter.source, parameter.name, parameter.alias)


def scope_words(dependency: Dependency) -> str:
    """What is said of its scope: nothing of a value that is made once a request, as usual."""
    if dependency.scope == "app":
        return "scope app: made once, at the start"
    scope = "scope handler: " if dependency.scope == "handler" else ""
    if dependency.kind == "value":
        return scope.rstrip(": ")
    return f"{scope}closed {'before' if scope else 'after'} the response"


# From a plan to branches...


class _Branch(Struct, frozen=True):
    """One line, and those below it."""

    name: str
    source: str
    text: str
    below: Sequence[_Branch] = ()


class _Drawing:
    """Makes branches, each provider with all that it needs once."""

    def __init__(self, body: BodyPlan | None, parameters: bool) -> None:
        self._body = body
        self._parameters = parameters
        self._drawn: set[int] = set()

    def of_guards(self, plan: BindingPlan) -> list[_Branch]:
        """Those that no argument leads to."""
        asked = _all_below(plan.arguments)
        alone = [d for d in plan.guards if id(d) not in asked]
        needed = {i for d in alone for i in _all_below(d.arguments)}
        return [self._provider("*", d) for d in alone if id(d) not in needed]

    def of_arguments(self, arguments: Iterable[Argument]) -> list[_Branch]:
        branches = []
        for argument in arguments:
            if isinstance(argument.of, Dependency):
                branches.append(self._provider(argument.name, argument.of))
            elif self._parameters:
                branches.append(self._leaf(argument))
        return branches

    def _provider(self, name: str, dependency: Dependency) -> _Branch:
        facts = [function_place(dependency.provider), scope_words(dependency)]
        facts += ["concurrent"] if dependency.concurrent else []
        facts += ["a guard"] if dependency.is_guard else []
        if dependency.scopes and dependency.is_guard:
            facts.append(f"scopes {' '.join(dependency.scopes)}")
        facts += ["made anew here"] if type(dependency.key) is object else []
        below: Sequence[_Branch] = ()
        if id(dependency) in self._drawn:
            facts = ["see above"]
        else:
            self._drawn.add(id(dependency))
            below = self.of_arguments(dependency.arguments)
        text = ", ".join(filter(None, facts))
        return _Branch(name, function_name(dependency.provider), text, below)

    def _leaf(self, argument: Argument) -> _Branch:
        of = argument.of
        if isinstance(of, Parameter):
            below = [_Branch(f.name, origin_of(f), _value(f)) for f in of.fields]
            text = f"{type_name(of.type)}, of these" if below else _value(of)
            return _Branch(argument.name, of.source if below else origin_of(of), text, below)
        if isinstance(of, BodyPart):
            return _Branch(argument.name, self._part_source(of), _value(of))
        return _Branch(argument.name, str(of), "")

    def _part_source(self, part: BodyPart) -> str:
        body = self._body
        if body is None or body.kind in ("bytes", "stream"):
            return "body, as it comes" if body is not None and body.kind == "stream" else "body"
        if body.kind == "data" and not body.embedded:
            return "body"
        kind = "body, member" if body.kind == "data" else "form"
        if isinstance(part.marker, File):
            kind = "form, file"
        return _source(kind, part.name, part.alias)


def _source(kind: str, name: str, alias: str) -> str:
    return kind if name == alias else f"{kind} {alias}"


def _value(of: Parameter | BodyPart) -> str:
    default = "" if of.required else f" = {shortened(repr_of(of.default), 30)}"
    facts = [type_name(of.type) + default, *constraint_words(of.type)]
    limit = of.marker.max_bytes if isinstance(of.marker, File) else None
    return ", ".join(facts + ([] if limit is None else [f"<= {limit} bytes"]))


def _all_below(arguments: Iterable[Argument]) -> set[int]:
    found: set[int] = set()
    left: list[Any] = [a.of for a in arguments]
    while left:
        of = left.pop()
        if isinstance(of, Dependency) and id(of) not in found:
            found.add(id(of))
            left += [a.of for a in of.arguments]
    return found


# From branches to lines...


def _lines(branches: Sequence[_Branch], before: str, width: int | None) -> Iterator[str]:
    names = max((len(branch.name) for branch in branches), default=0)
    sources = max((len(branch.source) for branch in branches), default=0)
    for branch in branches:
        is_last = branch is branches[-1]
        further = before + ("   " if is_last else "│  ")
        head = f"{branch.name:<{names}}  {branch.source:<{sources}}  "
        first, *rest = _folded(
            branch.text, None if width is None else width - len(before + head) - 3
        )
        yield f"{before}{'└─ ' if is_last else '├─ '}{head}{first}".rstrip()
        for line in rest:
            yield f"{further}{'│' if branch.below else ' '}{' ' * (len(head) - 1)}{line}"
        yield from _lines(branch.below, further, width)


def _folded(text: str, room: int | None) -> list[str]:
    if room is None or not text:
        return [text]
    return textwrap.wrap(text, max(room, _LEAST_CHARS), break_long_words=False)
