"""`Templates`: the templates of an application, and everything one does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, overload

from minijinja import Environment, TemplateError

from photon.http.request import Request
from photon.templating.edition import Edition
from photon.templating.errors import RenderFailed, TemplatingError
from photon.templating.flush import FILTER, Pieces
from photon.templating.functions import NOT_OURS, FunctionFailed, as_link, guarded, tojson
from photon.templating.mail import Mail, read_mail
from photon.templating.registry import Globals, Registry
from photon.templating.sources import Given, sources_of

F = TypeVar("F", bound=Callable[..., Any])

UrlFor: TypeAlias = Callable[[Request | None, str, dict[str, Any]], str]
"""Gets the request that is answered, the name of a route and its values; gives a URL."""

Undefined: TypeAlias = Literal["strict", "semi_strict", "lenient", "chainable"]
_UNDEFINED = ("strict", "semi_strict", "lenient", "chainable")

# Steps of a rendering: a printed value takes five to ten, as does a turn of a loop. So this is a
# table of a million cells, or 0.3 s in which nobody else gets in.
FUEL = 10_000_000

# A template may call a function that renders a template. minijinja keeps 8 KiB or more of the
# native stack for each, and nobody would notice its end but the kernel.
_DEEPEST = 50


class _Rendering(NamedTuple):
    """What the functions of a page must know, and cannot be given."""

    request: Request | None
    pieces: Pieces | None
    depth: int


# A variable of the context, and no argument: a macro that was imported does not see the page's
# values, but may well want to make a URL.
_RENDERING: ContextVar[_Rendering | None] = ContextVar("photon_rendering", default=None)


class Templates:
    """The templates of an application.

    A page is made in one go, in the greenlet that asks for it. Functions it calls may wait, and
    others are served meanwhile; of a generator it takes all that comes before it goes on.

    Args:
        given: a folder, a list of folders (the first that has a name counts), or a mapping of
            names to their text. A relative folder is one of the current directory. Of the files
            in it those are templates that end as pages do (.html, .txt, .xml, .json, ...; the
            whole list is `names.MEDIA_TYPES`) or in .j2, .jinja or .jinja2.
        reload: look for changed files before each rendering. For development.
        filters, tests, globals: as `filter`, `test` and `globals` would take them.
        fuel: steps that one rendering may take, so that a loop without an end has one; None for
            no bound.
        undefined: what a value is that is not there: an error ("strict"), an error unless it is
            only asked whether it is true ("semi_strict"), nothing ("lenient"), or nothing, as is
            whatever is looked up in it ("chainable").
        trim_blocks: leave out the line end after a tag.
        lstrip_blocks: leave out the blanks before a tag that begins its line.
        keep_trailing_newline: keep the last line end of a template.
        encoding: of the files.

    Values are escaped for HTML, in .json templates for JSON, and not in .txt and .md; `.j2` and
    its like do not count. What begins with an underscore is out of a template's reach. minijinja
    takes a Decimal for a float: format money before, or in a filter of the object that has it.

    Raises: FileNotFoundError, NotADirectoryError; TypeError, ValueError.
    """

    def __init__(
        self,
        given: Given,
        /,
        *,
        reload: bool = False,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        tests: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        fuel: int | None = FUEL,
        undefined: Undefined = "strict",
        trim_blocks: bool = False,
        lstrip_blocks: bool = False,
        keep_trailing_newline: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        if undefined not in _UNDEFINED:
            raise ValueError(f"undefined is one of {', '.join(_UNDEFINED)}, not {undefined!r}")
        if fuel is not None and (not isinstance(fuel, int) or fuel < 1):
            raise ValueError(f"fuel is a number of steps, or None for no bound, not {fuel!r}")
        self.reload = reload
        self.url_for: UrlFor | None = None
        self._sources = sources_of(given, encoding)
        self._settings: dict[str, Any] = {
            "fuel": fuel,
            "undefined_behavior": undefined,
            "trim_blocks": trim_blocks,
            "lstrip_blocks": lstrip_blocks,
            "keep_trailing_newline": keep_trailing_newline,
        }
        self._edition: Edition | None = None
        self._registry = Registry()
        for name, fn in (filters or {}).items():
            self.filter(fn, name=name)
        for name, fn in (tests or {}).items():
            self.test(fn, name=name)
        self.globals.update(globals or {})

    # What is there...

    def load(self) -> None:
        """Read and parse all templates now, so that a mistake is found at the start.

        Raises: TemplateBroken: one cannot be read, or names one that is not there;
            TemplatesBroken: several.
        """
        edition = self._new_edition()
        edition.check()
        self._adopt(edition)

    @property
    def names(self) -> list[str]:
        """The names of all templates, sorted."""
        return self._current().names

    def __contains__(self, name: object) -> bool:
        return name in self._current().names

    def _current(self) -> Edition:
        edition = self._edition
        if edition is None or (self.reload and self._sources.scan() != edition.stamps):
            edition = self._new_edition()
            self._adopt(edition)
        return edition

    def _adopt(self, edition: Edition) -> None:
        self._edition = edition
        self._registry.environment = edition.environment

    def _new_edition(self) -> Edition:
        environment = Environment(**self._settings)
        environment.add_filter("tojson", tojson)
        environment.add_filter(FILTER, _flush)
        environment.add_global("url_for", as_link(guarded("function", "url_for", self._url_for)))
        self._registry.install(environment)
        return Edition(self._sources, self._sources.scan(), environment)

    # What templates may use...

    @overload
    def filter(self, fn: F, /, *, name: str | None = None) -> F: ...
    @overload
    def filter(self, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def filter(self, fn: Any = None, /, *, name: str | None = None) -> Any:
        """Have templates write `{{ value|fn }}`. A decorator, with or without a name.

        Raises: TypeError, ValueError: it is no plain function, or the name will not do.
        """
        return self._registry.register("filter", fn, name)

    @overload
    def function(self, fn: F, /, *, name: str | None = None) -> F: ...
    @overload
    def function(self, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def function(self, fn: Any = None, /, *, name: str | None = None) -> Any:
        """Have templates write `{{ fn(...) }}`. As `filter`."""
        return self._registry.register("function", fn, name)

    @overload
    def test(self, fn: F, /, *, name: str | None = None) -> F: ...
    @overload
    def test(self, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def test(self, fn: Any = None, /, *, name: str | None = None) -> Any:
        """Have templates write `{% if value is fn %}`. As `filter`."""
        return self._registry.register("test", fn, name)

    @property
    def globals(self) -> MutableMapping[str, Any]:
        """What every template sees, by name. Setting a function is as `function`."""
        return Globals(self._registry)

    def _url_for(self, name: str, /, **values: Any) -> str:
        if self.url_for is None:
            raise TemplatingError(
                f"url_for({name!r}) needs an application that knows its routes: "
                "Photon(templates=templates); or set templates.url_for"
            )
        rendering = _RENDERING.get()
        return self.url_for(rendering.request if rendering else None, name, values)

    # What becomes of them...

    def render(self, name: str, /, **context: Any) -> str:
        """The text of a template with these values.

        Args: context: the values by name; `request`, when given, is the one `url_for` goes by.
        Raises: TemplateNotFound; TemplateBroken; RenderFailed, with what a function raised as its
            cause; HTTPError and what else ends a request, as it is.
        """
        edition = self._current()
        edition.require(name)
        return self._render(edition, name, context)

    def stream(self, name: str, /, **context: Any) -> Iterator[str]:
        """The text in pieces: what stands before a `{% flush %}` of the layout comes at once.

        What takes its time should be asked for by the page itself, after a flush: give it as a
        function that the page calls, `{% for row in rows() %}`.

        Raises: as `render`; TemplateNotFound and TemplateBroken now, the others on the way.
        """
        edition = self._current()
        edition.require(name)
        pieces = Pieces(edition.layout_of(name))
        return pieces.rendered_by(lambda: self._render(edition, name, context, pieces))

    def mail(self, name: str, /, **context: Any) -> Mail:
        """A mail from `name.txt` and, if there is one, `name.html`.

        The text begins with its head, `Subject: ...` and whatever other fields, each in one line,
        and an empty line.

        Raises: as `render`; MailFailed: there is no head, or a value would split a field of it.
        """
        edition = self._current()
        return read_mail(edition, name, lambda part: self._render(edition, part, dict(context)))

    def _render(
        self, edition: Edition, name: str, context: dict[str, Any], pieces: Pieces | None = None
    ) -> str:
        outer = _RENDERING.get()
        depth = 0 if outer is None else outer.depth + 1
        if depth > _DEEPEST:
            raise RenderFailed(name, f"{_DEEPEST} templates render each other, and this one")
        request = context.setdefault("request", None)
        token = _RENDERING.set(_Rendering(request, pieces, depth))
        try:
            return edition.environment.render_template(name, **context)
        except NOT_OURS:
            raise
        except FunctionFailed as failure:
            raise edition.failed(failure) from failure.error
        except TemplateError as error:
            # Not as its cause: it would show the source again.
            raise edition.explained(error, name) from None
        except Exception as error:
            raise edition.raised(name, error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # pyo3's has no name to import
                raise
            self._edition = None  # its locks may be what broke
            raise edition.raised(name, error) from error
        finally:
            _RENDERING.reset(token)

    def __repr__(self) -> str:
        count = "not loaded" if self._edition is None else f"{len(self._edition.names)} templates"
        return f"<Templates {self._sources!r} {count}>"


def _flush(text: str, layout: str, number: int) -> str:
    rendering = _RENDERING.get()
    if rendering is None or rendering.pieces is None:
        return text
    return rendering.pieces.flush(text, layout, number)
