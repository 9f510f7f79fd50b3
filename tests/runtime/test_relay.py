"""An iterator in a greenlet of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.relay import Relay
from tests.clients import PATIENCE_S, wait_until

variable = ContextVar("variable", default="nothing")

SOON_S = 0.001


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)


class Source:
    """A generator that notes what happens to it."""

    def __init__(self) -> None:
        self.log: list[object] = []

    def items(self, *, waits: bool = False, swallows: bool = False) -> Iterator[int]:
        try:
            for number in range(3):
                self.log.append(f"makes {number}")
                yield number
                if waits:
                    try:
                        sleep_forever()
                    except Cancelled:
                        self.log.append("told")
                        if not swallows:
                            raise
        except BaseException as error:
            self.log.append(type(error))
            raise
        finally:
            self.log.append("over")


# Items...


def test_items_come_in_order_and_the_end_stays_the_end() -> None:
    relay = Relay(iter([1, 2, 3]))
    assert list(relay) == [1, 2, 3]
    assert list(relay) == []
    relay.close()


def test_any_iterable_will_do() -> None:
    assert list(Relay(range(5))) == [0, 1, 2, 3, 4]
    assert list(Relay([])) == []


def test_nothing_is_made_before_it_is_asked_for() -> None:
    source = Source()
    relay = Relay(source.items())
    checkpoint()
    assert source.log == []
    for number in range(2):
        assert next(relay) == number
        checkpoint()
        assert source.log[-1] == f"makes {number}"
    relay.close()


def test_it_works_in_one_other_greenlet_with_the_context_of_who_asked_first() -> None:
    def items() -> Iterator[object]:
        for _ in range(2):
            yield getcurrent(), variable.get()

    relay = Relay(items())
    token = variable.set("set")
    try:
        first = next(relay)
    finally:
        variable.reset(token)
    assert next(relay) == first
    assert first != (getcurrent(), "set")
    relay.close()


def test_who_gives_up_for_now_gets_the_item_later() -> None:
    go: list[int] = []

    def items() -> Iterator[int]:
        while not go:
            sleep(SOON_S)
        yield go[0]

    relay = Relay(items())
    for _ in range(2):
        assert not relay.wait(SOON_S)
    assert repr(relay).startswith("<Relay asked of <generator")
    go.append(7)
    assert relay.wait(PATIENCE_S)
    assert relay.wait(PATIENCE_S)
    assert list(relay) == [7]
    assert relay.wait(PATIENCE_S)
    assert repr(relay).startswith("<Relay over")


def test_what_it_raises_reaches_who_asks_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise SystemExit("broken")

    relay = Relay(items())
    with caplog.at_level(logging.DEBUG):
        assert next(relay) == 1
        with pytest.raises(SystemExit, match="broken"):
            next(relay)
        assert list(relay) == []
        relay.close()
    assert not caplog.records


# Closing...


def test_what_was_never_asked_is_closed() -> None:
    class Items:
        is_closed = False

        def __iter__(self) -> Iterator[int]:
            raise AssertionError("nobody asked")

        def close(self) -> None:
            self.is_closed = True

    items = Items()
    relay = Relay(items)
    relay.close()
    relay.close()
    assert items.is_closed
    assert list(relay) == []


def test_what_was_asked_and_had_not_begun_is_closed() -> None:
    source = Source()
    relay = Relay(source.items())
    relay._ask()
    relay.close()
    assert source.log == []
    assert list(relay) == []


def test_what_stands_between_two_items_is_closed() -> None:
    source = Source()
    relay = Relay(source.items())
    next(relay)
    relay.close()
    assert source.log == ["makes 0", GeneratorExit, "over"]


def test_what_waits_is_cancelled_where_it_waits_and_waited_for() -> None:
    source = Source()
    relay = Relay(source.items(waits=True))
    next(relay)
    assert not relay.wait(SOON_S)
    relay.close()
    assert source.log == ["makes 0", "told", Cancelled, "over"]


def test_what_swallows_its_cancel_is_closed_at_its_next_item() -> None:
    source = Source()
    relay = Relay(source.items(waits=True, swallows=True))
    next(relay)
    assert not relay.wait(SOON_S)
    relay.close()
    assert source.log == ["makes 0", "told", "makes 1", GeneratorExit, "over"]


def test_what_will_not_end_is_told_again_when_its_consumer_is() -> None:
    told: list[str] = []

    def items() -> Iterator[int]:
        while len(told) < 2:
            try:
                sleep_forever()
            except Cancelled as error:
                told.append(error.reason)
        yield 1

    relay = Relay(items())
    assert not relay.wait(SOON_S)
    with move_on_after(SOON_S) as scope:
        relay.close()
    assert scope.cancelled_caught
    wait_until(lambda: len(told) == 2)


def test_who_is_interrupted_while_he_waits_can_close() -> None:
    source = Source()
    relay = Relay(source.items(waits=True))
    next(relay)
    with move_on_after(SOON_S) as scope:
        next(relay)
    assert scope.cancelled_caught
    relay.close()
    assert source.log[-1] == "over"


def test_who_does_not_want_to_wait_for_its_end_cancels() -> None:
    source = Source()
    relay = Relay(source.items())
    next(relay)
    relay.cancel()
    assert source.log == ["makes 0"]
    wait_until(lambda: source.log[1:] == [GeneratorExit, "over"])
    relay.cancel()
    relay.close()
    assert list(relay) == []


def test_what_fails_while_it_is_closed_is_told() -> None:
    def items() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise OSError("cannot be released")

    relay = Relay(items())
    next(relay)
    with pytest.raises(OSError, match="cannot be released"):
        relay.close()
    relay.close()


def test_many_at_once_do_not_disturb_each_other() -> None:
    def count() -> list[int]:
        return list(Relay(iter(range(50))))

    handles = [spawn(count) for _ in range(50)]
    for handle in handles:
        handle.join()
        assert handle.result == list(range(50))
