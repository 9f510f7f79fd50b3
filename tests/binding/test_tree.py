"""What a handler stands on, as a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from photon.binding.markers import Body, Depends, File, Form, Header, Path, Query, Security
from photon.binding.signature import read_plan
from photon.binding.tree import tree
from photon.http.request import Request
from photon.http.uploads import UploadFile


class Page(msgspec.Struct):
    size: Annotated[int, msgspec.Meta(ge=1)] = 20


def open_pool() -> Iterator[int]:
    yield 1


def connection(pool: Annotated[int, Depends(open_pool, scope="app")]) -> Iterator[int]:
    yield pool


def transaction() -> Iterator[int]:
    yield 1


def user(token: Annotated[str, Header(alias="x-token")]) -> str:
    return token


def rates(conn: Annotated[int, Depends(connection)]) -> int:
    return conn


def drawn(handler: Any, *names: str, width: int | None = None, **more: Any) -> list[str]:
    """The lines of the tree."""
    plan = read_plan(handler, dict.fromkeys(names, str), **more)
    return tree(plan, width=width).splitlines()


def placeless(lines: list[str]) -> list[str]:
    """Without the places, which are of no account here."""
    return [re.sub(r"\S*test_tree\.py:\d+(, )?", "", line).rstrip() for line in lines]


def test_a_handler_without_arguments_is_a_line() -> None:
    def nothing() -> None: ...

    assert placeless(drawn(nothing)) == ["nothing"]


def test_each_argument_has_its_source_type_default_and_constraints() -> None:
    def show(
        id: Annotated[int, Path(ge=1)],
        request: Request,
        page: Annotated[Page, Query()],
        agent: Annotated[str, Header()] = "none",
        q: Annotated[str | None, Query(alias="query", max_length=9)] = None,
    ) -> None: ...

    assert placeless(drawn(show, "id")) == [
        "show",
        "├─ id       path         int, >= 1",
        "├─ request  request",
        "├─ page     query        Page, of these",
        "│  └─ size  query  int = 20, >= 1",
        "├─ agent    header       str = 'none'",
        "└─ q        query query  str | None = None, length <= 9",
    ]


def test_providers_stand_with_their_scope_and_those_drawn_already_once() -> None:
    def show(
        conn: Annotated[int, Depends(connection)],
        work: Annotated[int, Depends(transaction, scope="handler")],
        price: Annotated[int, Depends(rates, concurrent=True)],
    ) -> None: ...

    assert placeless(drawn(show)) == [
        "show",
        "├─ conn   connection   closed after the response",
        "│  └─ pool  open_pool  scope app: made once, at the start",
        "├─ work   transaction  scope handler: closed before the response",
        "└─ price  rates        concurrent",
        "   └─ conn  connection  see above",
    ]


def test_what_is_not_cached_is_drawn_each_time() -> None:
    def show(
        a: Annotated[int, Depends(transaction, cached=False)],
        b: Annotated[int, Depends(transaction, cached=False)],
    ) -> None: ...

    lines = placeless(drawn(show))
    assert [line.endswith("made anew here") for line in lines] == [False, True, True]


def test_guards_that_fill_no_argument_come_first() -> None:
    def show(who: Annotated[str, Security(user, scopes=["read"])]) -> None: ...
    def check(token: Annotated[str, Header()]) -> None: ...

    assert placeless(drawn(show, guards=[Depends(check)])) == [
        "show",
        "├─ *    check  a guard",
        "│  └─ token  header  str",
        "└─ who  user   a guard, scopes read",
        "   └─ token  header x-token  str",
    ]


def test_parts_of_bodies_say_which() -> None:
    def form(
        image: Annotated[UploadFile, File(max_bytes=9)], a: Annotated[str, Form()]
    ) -> None: ...
    def members(one: Page, two: Page) -> None: ...
    def stream(data: Annotated[Iterator[bytes], Body()]) -> None: ...

    assert placeless(drawn(form))[1] == "├─ image  form, file  UploadFile, <= 9 bytes"
    assert placeless(drawn(members))[1] == "├─ one  body, member  Page"
    assert placeless(drawn(stream))[1] == "└─ data  body, as it comes  Iterator[bytes]"


def test_providers_alone() -> None:
    def show(id: int, conn: Annotated[int, Depends(connection)]) -> None: ...

    assert len(tree(read_plan(show), parameters=False).splitlines()) == 3


def test_long_lines_are_folded_within_their_branch() -> None:
    def show(
        conn: Annotated[int, Depends(connection)],
        q: Annotated[str, Query(min_length=1, max_length=9, pattern="^abc$")],
    ) -> None: ...

    lines = drawn(show, width=50)
    assert lines[-2:] == [
        "└─ q     query       str, length >= 1, length <=",
        "                     9, matches ^abc$",
    ]
