"""From `module:attribute` to an application, with messages that help when there is none."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from photon.cli.exits import CommandError, ExitCode
from photon.http.application import Application
from photon.routing.route import Route
from photon.telemetry.tracebacks import users_traceback

if TYPE_CHECKING:
    from photon.app.photon import Photon

_DEFAULT_ATTRIBUTE = "app"
_TOOLS = (os.path.dirname(os.path.abspath(click.__file__)),)


def load_application(target: str, *, app_dir: str = ".", factory: bool = False) -> Application:
    """The application that `target` names.

    Args:
        target: `module:attribute`, where the attribute may have dots; `app` when left out.
        app_dir: the folder where modules are looked for first.
        factory: whether the attribute is to be called, without arguments, to get the application.
    Raises: CommandError (NOT_LOADED), with the way out.
    """
    folder = os.path.abspath(app_dir)
    module_name, _, attribute = target.partition(":")
    _refuse_path(target, module_name, attribute, folder)
    # As `python -m` does for the current folder: a console script has its own folder there.
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    module = _import(module_name, folder)
    found = _attribute_of(module, attribute or _DEFAULT_ATTRIBUTE, folder)
    name = full_name(target)
    if factory:
        return _made_by(found, name)
    _refuse_handler(found, name, module)
    return _checked(found, name)


def full_name(target: str) -> str:
    """`target` with the attribute that is meant when it names none."""
    module_name, _, attribute = target.partition(":")
    return f"{module_name}:{attribute or _DEFAULT_ATTRIBUTE}"


def users_error(message: str, error: BaseException, exit_code: ExitCode) -> CommandError:
    """An error in the user's code: their part of its traceback, and one sentence."""
    hint = ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"Is {error.name.partition('.')[0]!r} installed in {sys.prefix}?"
    traceback = users_traceback(error, tools=_TOOLS)
    return CommandError(message, hint=hint, exit_code=exit_code, traceback=traceback)


# The module...


def _refuse_path(target: str, module_name: str, attribute: str, folder: str) -> None:
    if not module_name:
        _fail(f"{target!r} names no module", "It is written module:attribute, as in app:app.")
    path = module_name.removesuffix(".py")
    if path != module_name or os.sep in module_name:
        above, _, last = path.rpartition(os.sep)
        if path == module_name and not attribute and os.path.isfile(f"{folder}/{above}.py"):
            path, attribute = above, last  # app/app, where the slash should be a colon
        dotted = os.path.normpath(path).strip(os.sep).replace(os.sep, ".")
        suggestion = f"{dotted}:{attribute or _DEFAULT_ATTRIBUTE}"
        _fail(f"{target!r} is a path, not a module", f"Write it as a module: {suggestion}")


def _import(name: str, folder: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The module itself, or a package above it; any other is missing inside of it.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_failed(name, error) from None
        _fail(f"there is no module {name!r} in {folder}", _modules_hint(name, folder))
    except (Exception, GeneratorExit) as error:
        raise _import_failed(name, error) from None


def _import_failed(name: str, error: BaseException) -> CommandError:
    message = f"{name!r} failed while it was imported, see above"
    return users_error(message, error, ExitCode.NOT_LOADED)


def _modules_hint(name: str, folder: str) -> str:
    parent, _, last = name.rpartition(".")
    if hasattr(sys.modules.get(parent), last):
        return f"Did you mean {parent}:{last}?"
    modules = _modules_in(folder)
    close = get_close_matches(name, modules, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    if modules:
        return f"There are: {_list(modules)}. Another folder is given with --app-dir."
    return "The folder has no modules at all; another one is given with --app-dir."


def _modules_in(folder: str) -> list[str]:
    """Names of what can be imported from a folder, packages one level deep."""
    modules = []
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            stem, extension = os.path.splitext(entry.name)
            if entry.is_file() and extension == ".py" and stem.isidentifier():
                modules.append(stem)
            elif entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py")):
                modules.append(entry.name)
                modules += [f"{entry.name}.{inner}" for inner in _files_in(entry.path)]
    except OSError:
        pass  # no such folder: then nothing is in it
    return modules


def _files_in(folder: str) -> list[str]:
    stems = (name.removesuffix(".py") for name in sorted(os.listdir(folder)) if name[-3:] == ".py")
    return [stem for stem in stems if stem.isidentifier() and not stem.startswith("__")]


# The attribute...


def _attribute_of(module: ModuleType, attribute: str, folder: str) -> Any:
    found: Any = module
    name = module.__name__
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            if found is module:
                _fail(f"{name!r} has no attribute {part!r}", _module_hint(module, folder))
            _fail(f"{name!r} has no attribute {part!r}", _object_hint(found, part))
        name += ("." if ":" in name else ":") + part
    return found


def _module_hint(module: ModuleType, folder: str) -> str:
    folders = list(getattr(module, "__path__", ()))
    if folders and getattr(module, "__file__", None) is None:
        return _folder_hint(module.__name__, folders[0])
    file = getattr(module, "__file__", None) or "a part of Python itself"
    own = os.path.join(folder, f"{module.__name__}.py")
    if os.path.exists(own) and os.path.realpath(own) != os.path.realpath(file):
        return f"The name is taken by another module ({file}): rename your {own}"
    applications = list(_applications_of(module))
    if applications:
        return f"It has: {_list(applications)}"
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    functions = [
        name
        for name, value in public.items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    if functions:
        return f"{file} has no Photon application. It has these functions: {_list(functions)}"
    return f"{file} has nothing that could be served; an application is made by app = Photon()."


def _folder_hint(name: str, folder: str) -> str:
    """What to write in place of a folder that Python takes for a package without __init__.py."""
    modules = _files_in(folder) if os.path.isdir(folder) else []
    if not modules:
        return f"{folder} is a folder without modules."
    names = [f"{name}.{each}:app" for each in modules]
    return f"It is a folder. Write a module of it: {_list(names)}"


def _applications_of(module: ModuleType) -> dict[str, Photon]:
    """By full name, such as "app:app"."""
    from photon.app.photon import Photon

    return {
        f"{module.__name__}:{name}": value
        for name, value in vars(module).items()
        if isinstance(value, Photon) and not name.startswith("_")
    }


def _object_hint(found: object, name: str) -> str:
    close = get_close_matches(name, [known for known in dir(found) if known[:1] != "_"], n=1)
    return f"It is {_a(found)}." + (f" Did you mean {close[0]!r}?" if close else "")


# The application...


def _refuse_handler(found: Any, name: str, module: ModuleType) -> None:
    """Many handlers take a request alone, and would be served as if they were all there is."""
    applications = _applications_of(module)
    for its_name, application in applications.items():
        if any(_handler_of(route) is found for route in application.router.routes):
            _fail(f"{name} is a handler, not an application", f"Did you mean {its_name}?")
    if _is_async(found) and _positional(found)[0] < 2:  # with three it is one of ASGI, see below
        meant = f"Did you mean {_list(list(applications))}?" if applications else "Write def."
        _fail(f"{name} is async; an application is a plain function", meant)


def _handler_of(route: Route) -> object:
    return getattr(route.endpoint, "__wrapped__", None)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _checked(found: Any, name: str) -> Application:
    """`found`, if it is called with a request."""
    if isinstance(found, type):
        _fail(
            f"{name} is a class, not an application",
            f"Make an object of it, app = {found.__name__}(), and serve that.",
        )
    if not callable(found):
        _fail(
            f"{name} is no application but {_a(found)}",
            "An application is a Photon object, or a function that takes a request.",
        )
    least, most = _positional(found)
    if most == 0:
        _fail(
            f"{name} is called without arguments: it is a factory, not an application",
            "Add --factory to serve what it returns.",
        )
    if least > 1:
        kind = {2: "as WSGI applications do", 3: "as ASGI applications do"}.get(least, "")
        _fail(
            f"{name} takes {least} arguments {kind}".rstrip(),
            "An application of Photon takes one, the request, and returns a response.",
        )
    application: Application = found
    return application


def _made_by(factory: Any, name: str) -> Application:
    if not callable(factory):
        _fail(f"{name} is no factory but {_a(factory)}", "Leave --factory out to serve it.")
    if _is_async(factory):
        _fail(f"{name} is async; a factory is a plain function", "Write def.")
    least, _ = _positional(factory)
    if least:
        _fail(
            f"{name} is no factory: it needs {least} argument{'s'[: least > 1]}",
            "A factory is called without any; leave --factory out if it is the application.",
        )
    try:
        made = factory()
    except Exception as error:
        message = f"the factory {name} failed, see above"
        raise users_error(message, error, ExitCode.NOT_LOADED) from None
    return _checked(made, f"what {name}() returned")


def _positional(function: Callable[..., Any]) -> tuple[int, float]:
    """How many positional arguments a callable needs, and how many it takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # C functions may have none
        return 1, 1
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(1 for p in plain if p.default is p.empty)
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, float("inf") if rest else len(plain)


# Words...


def _fail(message: str, hint: str) -> NoReturn:
    raise CommandError(message, hint=hint, exit_code=ExitCode.NOT_LOADED) from None


def _a(found: object) -> str:
    if inspect.ismodule(found):
        return "a module"
    text = repr(found)
    return f"{type(found).__name__} {text if len(text) <= 40 else text[:39] + '…'}"


def _list(names: list[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
