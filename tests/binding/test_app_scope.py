"""Values that an application makes once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest

from photon.binding.app_scope import AppScope, key_of
from photon.binding.markers import Depends
from photon.binding.signature import read_plan
from photon.runtime.greenlets import checkpoint, spawn

story: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_happened_yet() -> None:
    story.clear()


def pool() -> Iterator[str]:
    story.append("open pool")
    checkpoint()
    yield "pool"
    story.append("close pool")


def engine(pool: Annotated[str, Depends(pool, scope="app")], /) -> str:
    story.append("engine")
    return f"engine on {pool}"


def handler(engine: Annotated[str, Depends(engine, scope="app")]) -> str:
    return engine


def broken() -> Iterator[str]:
    story.append("try")
    if story.count("try") < 2:
        raise OSError
    yield "at last"


def fake() -> Iterator[str]:
    story.append("open fake")
    yield "fake"
    story.append("close fake")


PLAN = read_plan(handler)
POOL, ENGINE = (key_of(dependency) for dependency in PLAN.dependencies)


def test_a_value_is_made_with_what_it_stands_on() -> None:
    scope = AppScope()
    scope.learn(PLAN.dependencies)
    assert story == []
    assert scope[ENGINE] == "engine on pool"
    assert scope[POOL] == "pool"
    assert story == ["open pool", "engine"]
    scope.close()
    assert story == ["open pool", "engine", "close pool"]
    assert not scope


def test_all_are_made_when_it_opens_and_again_when_it_opens_again() -> None:
    scope = AppScope()
    scope.learn(PLAN.dependencies)
    for _ in range(2):
        story.clear()
        scope.open()
        assert story == ["open pool", "engine"]
        scope.close()
        assert story == ["open pool", "engine", "close pool"]


def test_many_who_ask_at_once_get_the_same() -> None:
    scope = AppScope()
    scope.learn(PLAN.dependencies)
    handles = [spawn(lambda: scope[ENGINE]) for _ in range(50)]
    for handle in handles:
        handle.join()
    assert {handle.result for handle in handles} == {"engine on pool"}
    assert story == ["open pool", "engine"]


def test_one_that_failed_is_tried_again() -> None:
    def handler(broken: str) -> None: ...

    handler.__annotations__["broken"] = Annotated[str, Depends(broken, scope="app")]
    plan = read_plan(handler)
    scope = AppScope()
    scope.learn(plan.dependencies)
    with pytest.raises(OSError, match=r"^$"):
        scope.open()
    assert scope[key_of(plan.dependencies[0])] == "at last"


def test_what_is_replaced_is_not_made_at_the_start() -> None:
    scope = AppScope()
    scope.learn(PLAN.dependencies)
    scope.open({pool: fake})
    assert story == []
    scope.open({engine: fake})
    assert story == ["open pool"]


def test_what_stands_in_for_something_is_not_made_at_the_next_start() -> None:
    scope = AppScope()
    scope.learn(PLAN.dependencies)
    replaced = read_plan(handler, overrides={pool: fake})
    scope.learn(replaced.dependencies, at_start=False)
    assert scope[key_of(replaced.dependencies[-1])] == "engine on fake"
    scope.close()
    assert story == ["open fake", "engine", "close fake"]
    story.clear()
    scope.open()
    assert story == ["open pool", "engine"]
