"""The templates as they stood at one moment: their sources, and an environment to render them.

An edition is never changed when files are: the next one takes its place, and what is being
rendered by this one ends with it.
"""

from __future__ import annotations

import re
from string import ascii_letters, digits
from typing import Any

from minijinja import Environment, TemplateError

from photon.templating.errors import (
    RenderFailed,
    TemplateBroken,
    TemplatesBroken,
    TemplatingError,
)
from photon.templating.flush import rewrite, without
from photon.templating.functions import FunctionFailed, lines_calling
from photon.templating.names import escaping
from photon.templating.sources import Sources, Stamps, missing

# {% extends "a" %}, {% include "a" %}, {% import "a" as b %}, {% from "a" import b %}
_COMMENTS_AND_RAW = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}", re.DOTALL
)
_REFERENCES = re.compile(
    r"""\{%[-+]?\s*(?P<tag>extends|include|import|from)\s+(?P<quote>["'])(?P<name>[^"'\\]*)(?P=quote)"""
    r"(?P<rest>.*?)%\}",
    re.DOTALL,
)
# What minijinja says of an error within an error: "caused by: undefined value (in a.html:3)".
_CAUSE = re.compile(r"^(?:caused by: )?(?P<problem>.+) \(in (?P<name>.+):(?P<line>\d+)\)$", re.M)
_NOT_THERE = re.compile(r"""template (?P<quote>["'])(?P<name>.*)(?P=quote)(?: does not exist)?""")

HIDDEN = "\0"
"""Begins the second half of the name of a template that is a part of another one."""


class Edition:
    """One state of all templates.

    Args: stamps: from `sources.scan()`, taken before anything is read.
    Attributes: sources: the text of each template that can be read; origin: where they are from.
    """

    def __init__(self, sources: Sources, stamps: Stamps, environment: Environment) -> None:
        self.stamps = stamps
        self.environment = environment
        self.sources: dict[str, str] = {}
        self._compiled: dict[str, str] = {}  # what minijinja reads
        self._broken: dict[str, TemplatingError] = {}
        self.origin = sources
        for name in stamps:
            self._read(name)
        environment.auto_escape_callback = _escaping
        # In debug mode messages would show the values of variables, and those are nobody's
        # business in a log.
        environment.debug = False
        environment.loader = self._compiled.get

    def _read(self, name: str) -> None:
        try:
            self.sources[name] = source = self.origin.read(name)
            self._compiled[name] = rewrite(name, source, self.origin.place(name))
        except FileNotFoundError:  # gone since it was listed
            pass
        except TemplatingError as error:
            self._broken[name] = error

    @property
    def names(self) -> list[str]:
        """The names of all templates, sorted."""
        return sorted({*self.sources, *self._broken})

    def require(self, name: str) -> None:
        """Raises: TypeError; TemplateNotFound; TemplateBroken: it could not even be read."""
        if name in self.sources and name not in self._broken:
            return
        if name in self._broken:
            raise _again(self._broken[name])
        if not isinstance(name, str):
            raise TypeError(f"the name of a template is text, not {type(name).__name__}")
        raise missing(name, self.names, self.origin)

    def add_part(self, name: str, part: str, source: str) -> str:
        """A template made of a part of another one.   Returns: its name, for `render_template`."""
        hidden = f"{name}{HIDDEN}{part}"
        self._compiled[hidden] = source
        return hidden

    def check(self) -> None:
        """Parse everything.   Raises: TemplateBroken, TemplateNotFound; TemplatesBroken."""
        errors = [error for name in self.names for error in self._faults_of(name)]
        if len(errors) == 1:
            raise _again(errors[0])
        if errors:
            raise TemplatesBroken(errors)

    def _faults_of(self, name: str) -> list[TemplatingError]:
        if name in self._broken:
            return [self._broken[name]]
        try:
            # The one call that parses a template and does not run it.
            self.environment.undeclared_variables_in_template(name)
        except TemplateError as error:
            return [self.explained(error, name)]
        return self._dangling(name)

    def _dangling(self, name: str) -> list[TemplatingError]:
        """The templates that this one names, and that are not there."""
        found: list[TemplatingError] = []
        source = self.sources[name]
        for tag in _REFERENCES.finditer(_blanked(source)):
            other = tag["name"]
            if other in self.sources or other in self._broken or "ignore" in tag["rest"]:
                continue
            why = missing(other, self.names, self.origin)
            line = source.count("\n", 0, tag.start()) + 1
            problem = f"{{% {tag['tag']} %}}: {why}"
            place = self.origin.place(name)
            found.append(TemplateBroken(name, problem, place=place, line=line, source=source))
        return found

    def layout_of(self, name: str) -> str | None:
        """The outermost layout of a page; None when that depends on the page's values."""
        seen: set[str] = set()
        while name in self.sources and name not in seen:
            seen.add(name)
            source = _blanked(self.sources[name])
            parents = [t["name"] for t in _REFERENCES.finditer(source) if t["tag"] == "extends"]
            if len(parents) != 1:
                return None if parents or re.search(r"\{%[-+]?\s*extends\b", source) else name
            name = parents[0]
        return None

    # What minijinja says, in our words...

    def explained(self, error: TemplateError, rendered: str) -> TemplatingError:
        """The error to raise for one of minijinja's; `rendered` is the template that began it."""
        whole, line, problem = _innermost(error, rendered)
        name = whole.partition(HIDDEN)[0]
        missed = _NOT_THERE.search(problem)
        if problem.startswith("template not found") and missed is not None:
            if missed["name"] in self._broken:
                return _again(self._broken[missed["name"]])
            problem = str(missing(missed["name"], self.names, self.origin))
        elif error.kind == "SyntaxError":
            return self._syntax_error(name, line, problem)
        elif problem == "engine ran out of fuel":
            problem = "took more steps than its fuel allows: a loop that is too long, or has no end"
        elif problem == "undefined value":
            problem = self._undefined(error, whole, line, problem)
        return RenderFailed(
            name,
            problem,
            place=self.origin.place(name),
            lines=[] if line is None else [line],
            source=self.sources.get(name, ""),
        )

    def _syntax_error(self, name: str, line: int | None, problem: str) -> TemplateBroken:
        source = self.sources.get(name, "")
        if self._compiled.get(name, source) != source and _parses(without(source)):
            problem = "{% flush %} stands inside of another tag; it cuts the layout from outside"
        place = self.origin.place(name)
        return TemplateBroken(name, problem, place=place, line=line, source=source)

    def _undefined(self, error: TemplateError, name: str, line: int | None, problem: str) -> str:
        """Which value it is, if minijinja points at it; else `problem`."""
        if error.range is not None and (error.name, error.line) == (name, line):
            begin, end = error.range  # in bytes
            source = self._compiled.get(name, "").encode()
            text = source[begin:end].decode()
            if text.startswith("."):  # it points at the steps that failed
                text = _name_before(source[:begin].decode()) + text
            if 0 < len(text) <= 80:
                return f"{text!r} is undefined"
        return problem

    def failed(self, failure: FunctionFailed) -> RenderFailed:
        """The error for a function of the user's that raised."""
        name = failure.template.partition(HIDDEN)[0]
        source = self.sources.get(name, "")
        return RenderFailed(
            name,
            f"{failure.label} raised {_told(failure.error)}",
            place=self.origin.place(name),
            lines=lines_calling(failure.called, source),
            source=source,
        )

    def raised(self, name: str, error: BaseException) -> RenderFailed:
        """The error for something of the page's values that raised, there is no telling where."""
        problem = f"a value of the page raised {_told(error)}"
        name = name.partition(HIDDEN)[0]
        return RenderFailed(name, problem, place=self.origin.place(name))


def _escaping(name: str) -> Any:
    kind = escaping(name.partition(HIDDEN)[0])
    return False if kind == "none" else kind


def _innermost(error: TemplateError, rendered: str) -> tuple[str, int | None, str]:
    """Name, line and problem of the error that began it: in an include's include, say."""
    causes = list(_CAUSE.finditer(str(error))) if error.kind != "SyntaxError" else []
    if causes:
        last = causes[-1]
        return last["name"], int(last["line"]), last["problem"]
    problem = error.detail or error.message
    return error.name or rendered, error.line, problem


def _name_before(text: str) -> str:
    """The name that a source ends with, such as "a.b" of "{{ a.b"."""
    return text[len(text.rstrip("._" + ascii_letters + digits)) :]


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # it is the user's, too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _blanked(source: str) -> str:
    """The source without comments and raw text, with every line where it was."""
    return _COMMENTS_AND_RAW.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)


def _parses(source: str) -> bool:
    try:
        Environment().undeclared_variables_in_str(source)
    except TemplateError:
        return False
    return True


def _again(error: TemplatingError) -> TemplatingError:
    """An error to raise that was kept: without the traceback of the last time."""
    return error.with_traceback(None)
