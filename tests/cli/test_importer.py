"""From `module:attribute` to an application."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.app.photon import Photon
from photon.cli.exits import CommandError, ExitCode
from photon.cli.importer import full_name, load_application

SHOP = """
from photon import Photon

app = Photon(title="Shop")

class Holder:
    inner = app

holder = Holder()
number = 42

@app.get("/")
def hello(request): return "x"

@app.get("/fixed")
def fixed(): return "x"

async def waits(request): ...
async def waits_for_nothing(): ...
def create_app(): return app
def make_number(): return 42
def fail(): raise KeyError("no settings")
def plain(request): ...
def wsgi(environ, start_response): ...
async def asgi(scope, receive, send): ...
def anything(*arguments): ...
def configured(path): return app
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the module `shop`; what tests import from it is forgotten afterwards."""
    (tmp_path / "shop.py").write_text(SHOP)
    modules, path = set(sys.modules), sys.path[:]
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def told(target: str, folder: Path, *, factory: bool = False) -> str:
    """The message and the hint that loading `target` ends with."""
    with pytest.raises(CommandError) as caught:
        load_application(target, app_dir=str(folder), factory=factory)
    assert caught.value.code is ExitCode.NOT_LOADED
    return f"{caught.value.traceback}{caught.value.message}\n{caught.value.hint}"


# What is found...


@pytest.mark.parametrize("target", ["shop:app", "shop", "shop:", "shop:holder.inner"])
def test_finds_an_application(target: str, folder: Path) -> None:
    application = load_application(target, app_dir=str(folder))
    assert isinstance(application, Photon)
    assert application.title == "Shop"


def test_finds_an_application_in_a_package(folder: Path) -> None:
    (folder / "store").mkdir()
    (folder / "store" / "api.py").write_text("from photon import Photon\napp = Photon()\n")
    assert isinstance(load_application("store.api:app", app_dir=str(folder)), Photon)


@pytest.mark.parametrize("name", ["plain", "anything"])
def test_a_function_that_takes_a_request_is_an_application(name: str, folder: Path) -> None:
    assert load_application(f"shop:{name}", app_dir=str(folder)).__name__ == name


def test_a_factory_is_called_for_its_application(folder: Path) -> None:
    made = load_application("shop:create_app", app_dir=str(folder), factory=True)
    assert isinstance(made, Photon)


def test_the_folder_of_the_application_comes_first(folder: Path) -> None:
    load_application("shop:app", app_dir=str(folder))
    assert sys.path[0] == str(folder)


def test_the_full_name_has_the_attribute_that_is_meant() -> None:
    assert [full_name(name) for name in ("a", "a:", "a:b.c")] == ["a:app", "a:app", "a:b.c"]


# Modules that are not found...


def test_a_name_that_is_nearly_right_is_suggested(folder: Path) -> None:
    assert (
        told("shpo:app", folder) == f"there is no module 'shpo' in {folder}\nDid you mean 'shop'?"
    )


def test_otherwise_what_is_there_is_listed(folder: Path) -> None:
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").touch()
    (folder / "pack" / "inside.py").touch()
    (folder / "no-module.py").touch()
    assert "There are: pack, pack.inside, shop. Another folder" in told("zzz", folder)


def test_an_empty_folder_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "The folder has no modules at all" in told("zzz", tmp_path / "empty")


def test_a_dot_in_place_of_the_colon_is_seen(folder: Path) -> None:
    assert "Did you mean shop:app?" in told("shop.app", folder)


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("shop.py", "shop:app"),
        ("./shop.py:create_app", "shop:create_app"),
        ("sub/shop", "sub.shop:app"),
        ("shop/app", "shop:app"),
        ("shop/create_app", "shop:create_app"),
        ("shop/app.py", "shop.app:app"),
    ],
)
def test_a_path_is_answered_with_the_module_it_is(target: str, meant: str, folder: Path) -> None:
    message = told(target, folder)
    assert "is a path, not a module" in message
    assert message.endswith(f"Write it as a module: {meant}")


def test_a_colon_alone_names_nothing(folder: Path) -> None:
    assert "names no module" in told(":app", folder)


# Modules that fail...


def test_a_module_missing_inside_is_an_error_of_the_users_module(folder: Path) -> None:
    (folder / "needy.py").write_text("import not_here_at_all\n")
    message = told("needy:app", folder)
    assert f'File "{folder}/needy.py", line 1' in message
    assert "'needy' failed while it was imported" in message
    assert "Is 'not_here_at_all' installed in" in message
    assert "importer.py" not in message
    assert "importlib" not in message


def test_a_syntax_error_is_shown_at_its_place_alone(folder: Path) -> None:
    (folder / "wrong.py").write_text("def x(:\n")
    message = told("wrong:app", folder)
    assert message.startswith(f'  File "{folder}/wrong.py", line 1\n    def x(:\n')


def test_a_module_that_exits_may_do_so(folder: Path) -> None:
    (folder / "leaves.py").write_text("raise SystemExit(9)\n")
    with pytest.raises(SystemExit, match="9"):
        load_application("leaves:app", app_dir=str(folder))


# Attributes that are not found...


def test_a_missing_attribute_lists_the_applications(folder: Path) -> None:
    assert told("shop:main", folder) == "'shop' has no attribute 'main'\nIt has: shop:app"


def test_without_an_application_it_lists_functions(folder: Path) -> None:
    (folder / "bare.py").write_text("from os import getcwd\ndef index(request): ...\n")
    message = told("bare", folder)
    assert "has no Photon application. It has these functions: index" in message


def test_without_anything_it_says_how_one_is_made(folder: Path) -> None:
    (folder / "void.py").touch()
    assert "an application is made by app = Photon()" in told("void", folder)


def test_a_folder_in_place_of_a_module_lists_its_modules(folder: Path) -> None:
    (folder / "shops").mkdir()
    message = told("shops", folder)
    assert message.endswith("shops is a folder without modules.")
    (folder / "shops" / "books.py").write_text("")
    sys.modules.pop("shops")
    message = told("shops", folder)
    assert message.endswith("It is a folder. Write a module of it: shops.books:app")


def test_an_async_function_without_an_application_beside_it_is_told_what_to_write(
    folder: Path,
) -> None:
    (folder / "bare.py").write_text("async def app(request): ...\n")
    assert told("bare", folder).endswith("is a plain function\nWrite def.")


def test_a_missing_attribute_of_an_object_names_the_object(folder: Path) -> None:
    message = told("shop:holder.iner", folder)
    assert message.startswith("'shop:holder' has no attribute 'iner'\nIt is Holder ")
    assert message.endswith("Did you mean 'inner'?")


def test_a_name_that_the_standard_library_has_taken_is_told(folder: Path) -> None:
    (folder / "queue.py").write_text("app = 1\n")
    assert f"rename your {folder}/queue.py" in told("queue:app", folder)


# Attributes that are no application...


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "shop:number is no application but int 42"),
        ("Photon", "shop:Photon is a class, not an application\nMake an object of it"),
        ("create_app", "it is a factory, not an application\nAdd --factory"),
        ("wsgi", "shop:wsgi takes 2 arguments as WSGI applications do"),
        ("hello", "shop:hello is a handler, not an application\nDid you mean shop:app?"),
        ("fixed", "shop:fixed is a handler, not an application\nDid you mean shop:app?"),
        (
            "waits",
            "shop:waits is async; an application is a plain function\nDid you mean shop:app?",
        ),
        ("waits_for_nothing", "shop:waits_for_nothing is async; an application is a plain"),
        ("asgi", "shop:asgi takes 3 arguments as ASGI applications do"),
    ],
)
def test_what_is_no_application_is_told(name: str, message: str, folder: Path) -> None:
    assert message in told(f"shop:{name}", folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "shop:number is no factory but int 42"),
        ("app", "shop:app is no factory: it needs 1 argument\n"),
        ("waits_for_nothing", "shop:waits_for_nothing is async; a factory is a plain function"),
        ("wsgi", "shop:wsgi is no factory: it needs 2 arguments\n"),
        ("make_number", "what shop:make_number() returned is no application but int 42"),
        ("fail", "KeyError: 'no settings'\nthe factory shop:fail failed, see above"),
    ],
)
def test_what_is_no_factory_is_told(name: str, message: str, folder: Path) -> None:
    assert message in told(f"shop:{name}", folder, factory=True)
