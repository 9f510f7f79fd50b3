"""Cancel scopes: who is interrupted, where, by whom, and who never is."""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator

import pytest

from photon.runtime.cancel import CancelScope, fail_after, move_on_after, shield
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, DeadlineExceeded
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from tests.clients import wait_until


@pytest.fixture(autouse=True)
def _no_deadlines_left() -> Iterator[None]:
    deadlines = current_hub().deadlines
    wait_until(lambda: len(deadlines) == 1)  # that of `wait_until` itself
    yield
    assert len(deadlines) == 0


# One scope...


def test_move_on_after_leaves_a_block_that_takes_too_long() -> None:
    began = now()
    with move_on_after(0.05) as scope:
        sleep_forever()
    assert scope.cancel_called
    assert scope.cancelled_caught
    assert now() - began > 0.049


def test_a_block_that_ends_in_time_is_let_alone() -> None:
    with move_on_after(5) as scope:
        sleep(0.001)
    assert not scope.cancel_called
    assert not scope.cancelled_caught


def test_fail_after_raises_a_timeout_error_that_tells_the_seconds() -> None:
    with pytest.raises(DeadlineExceeded, match=r"0\.02 s") as caught, fail_after(0.02):
        sleep_forever()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.seconds == 0.02


def test_fail_after_lets_through_what_a_block_gives_and_raises() -> None:
    with fail_after(5) as scope:
        pass
    assert not scope.cancelled_caught
    with pytest.raises(KeyError), fail_after(5):
        raise KeyError


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_at_all_interrupts_the_first_wait(seconds: float) -> None:
    with move_on_after(seconds) as scope:
        sleep_forever()
    assert scope.cancelled_caught


def test_endless_time_is_endless() -> None:
    with move_on_after(float("inf")) as scope:
        sleep(0.001)
    assert not scope.cancel_called


def test_cleanup_runs_at_the_call_that_waited() -> None:
    story: list[str] = []
    with move_on_after(0.01):
        try:
            sleep_forever()
        except Cancelled as error:
            story.append(f"{error.source} {error.scope is not None}")
            raise
        finally:
            story.append("finally")
    assert story == ["deadline True", "finally"]


def test_an_exception_handler_does_not_swallow_a_cancel_by_accident() -> None:
    with move_on_after(0.01) as scope:
        try:
            sleep_forever()
        except Exception:
            raise AssertionError from None
    assert scope.cancelled_caught


def test_a_cancel_that_is_swallowed_comes_once() -> None:
    story: list[str] = []
    with move_on_after(0.01) as scope:
        try:
            sleep_forever()
        except Cancelled:
            story.append("swallowed")
        sleep(0.01)
        story.append("went on")
    assert story == ["swallowed", "went on"]
    assert scope.cancel_called
    assert not scope.cancelled_caught


def test_a_block_that_does_not_wait_is_not_interrupted_nor_is_what_follows() -> None:
    with move_on_after(0.01) as scope:
        end = now() + 0.05
        while now() < end:
            pass
    sleep(0.02)
    checkpoint()
    assert not scope.cancelled_caught


# By somebody else...


def test_a_cancel_that_comes_alone_in_a_group_is_caught() -> None:
    with move_on_after(0.001) as scope:
        try:
            sleep(60)
        except* Cancelled:
            raise
    assert scope.cancelled_caught


def test_another_greenlet_may_cancel_a_scope() -> None:
    with CancelScope() as scope:
        spawn(scope.cancel, "enough")
        with pytest.raises(Cancelled, match="enough") as caught:
            sleep_forever()
        assert (caught.value.source, caught.value.scope) == ("scope", scope)
        raise caught.value
    assert scope.cancelled_caught


def test_a_greenlet_may_cancel_its_own_scope_and_goes_on_to_its_next_wait() -> None:
    story: list[str] = []
    with CancelScope() as scope:
        scope.cancel()
        scope.cancel()
        story.append("still here")
        checkpoint()
        story.append("never")
    assert story == ["still here"]
    assert scope.cancelled_caught


def test_a_scope_cancelled_before_it_is_entered_interrupts_the_first_wait() -> None:
    scope = CancelScope(deadline=now() + 60)
    scope.cancel()
    with scope:
        sleep_forever()
    assert scope.cancelled_caught


def test_a_scope_cancelled_after_it_was_left_reaches_nobody() -> None:
    with CancelScope() as scope:
        pass
    scope.cancel()
    sleep(0.001)
    checkpoint()
    assert not scope.cancelled_caught


def test_a_scope_cancelled_and_left_in_the_same_breath_reaches_nobody() -> None:
    with CancelScope() as scope:
        scope.cancel()
    sleep(0.001)
    assert not scope.cancelled_caught


def test_a_scope_guards_one_block() -> None:
    with CancelScope() as scope:
        pass
    with pytest.raises(RuntimeError, match="make a new one"):
        scope.__enter__()


# Several...


def test_the_inner_scope_expires_first() -> None:
    story: list[str] = []
    with move_on_after(5) as outer:
        with move_on_after(0.01) as inner:
            sleep_forever()
        story.append("went on")
        sleep(0.001)
    assert story == ["went on"]
    assert (inner.cancelled_caught, outer.cancelled_caught) == (True, False)


def test_the_outer_scope_expires_first_and_the_inner_lets_it_pass() -> None:
    with move_on_after(0.01) as outer:
        with move_on_after(5) as inner:
            sleep_forever()
        raise AssertionError
    assert (inner.cancelled_caught, outer.cancelled_caught) == (False, True)
    assert not inner.cancel_called


@pytest.mark.parametrize("is_outer_first", [True, False])
def test_both_scopes_expire_in_one_moment(is_outer_first: bool) -> None:
    moment = now() + 0.02
    early, late = moment - 1e-9, moment
    with CancelScope(deadline=early if is_outer_first else late) as outer:
        with CancelScope(deadline=late if is_outer_first else early):
            end = now() + 0.05
            while now() < end:
                pass
            sleep_forever()
        sleep_forever()
    assert outer.cancelled_caught
    sleep(0.001)


def test_fail_after_within_fail_after_names_the_one_that_ran_out() -> None:
    with pytest.raises(DeadlineExceeded) as caught, fail_after(5), fail_after(0.01):
        sleep_forever()
    assert caught.value.seconds == 0.01
    with pytest.raises(DeadlineExceeded) as caught, fail_after(0.01), fail_after(5):
        sleep_forever()
    assert caught.value.seconds == 0.01


def test_a_cancel_within_the_cleanup_of_another_does_not_get_lost() -> None:
    with move_on_after(0.02) as outer, move_on_after(0.01) as inner:
        try:
            sleep_forever()
        finally:
            sleep_forever()
    assert outer.cancelled_caught
    assert not inner.cancelled_caught


# Whom a scope never reaches...


def test_a_scope_that_was_abandoned_does_not_hit_the_next_job_of_its_carrier() -> None:
    """A generator that nobody closed holds the scope open when its job is long over."""
    kept: list[Iterator[int]] = []

    def abandoning() -> Iterator[int]:
        with move_on_after(0.02):
            yield 1

    def job() -> None:
        kept.append(abandoning())
        assert next(kept[-1]) == 1

    def innocent() -> str:
        sleep(0.05)
        return "untouched"

    for _ in range(20):
        spawn(job)
    checkpoint()
    handles = [spawn(innocent) for _ in range(20)]
    for handle in handles:
        handle.join()
    assert [handle.result for handle in handles] == ["untouched"] * 20
    for generator in kept:
        generator.close()  # type: ignore[attr-defined]


def test_a_scope_that_was_abandoned_does_not_hit_the_next_run_of_the_same_job() -> None:
    """A connection is one job, and its requests are runs of it."""
    scopes: list[CancelScope] = []
    ends: list[str] = []

    def abandoning() -> Iterator[int]:
        with CancelScope() as scope:
            scopes.append(scope)
            yield 1

    class Connection:
        kept = abandoning()

        def run(self) -> bool:
            if not scopes:
                next(self.kept)
                return True
            try:
                scopes[0].cancel()
                sleep(0.005)
                ends.append("untouched")
            except Cancelled:
                ends.append("hit")
            return False

        def on_parked(self, carrier: Carrier) -> None:
            pass

    job = Connection()
    current_hub().carriers.submit(job)
    wait_until(lambda: ends)
    assert ends == ["untouched"]
    job.kept.close()  # type: ignore[attr-defined]


def test_no_innocent_job_is_ever_hit_by_thousands_of_cancels_at_random_moments() -> None:
    chance = random.Random(3)
    hits: list[BaseException] = []
    cancelled = 0
    open_scopes: list[CancelScope] = []

    def guarded() -> None:
        nonlocal cancelled
        with CancelScope(deadline=now() + chance.random() * 0.01) as scope:
            open_scopes.append(scope)
            for _ in range(chance.randrange(4)):
                sleep(chance.random() * 0.005) if chance.random() < 0.5 else checkpoint()
        cancelled += scope.cancelled_caught

    def innocent() -> None:
        try:
            for _ in range(chance.randrange(4)):
                sleep(chance.random() * 0.002) if chance.random() < 0.5 else checkpoint()
        except BaseException as error:
            hits.append(error)

    started = 0
    pending = []
    while started < 30_000:
        for _ in range(500):
            pending.append(spawn(guarded))
            pending.append(spawn(innocent))
            started += 1
        for scope in chance.sample(open_scopes, min(200, len(open_scopes))):
            scope.cancel()  # many of them are over
        victims = chance.sample(pending, min(100, len(pending)))
        for handle in victims:
            if handle.state not in ("pending", "running"):
                handle.cancel()  # over: reaches nobody
        checkpoint()
    for handle in pending:
        handle.join()
    assert hits == []
    assert cancelled > 1000
    assert [handle.state for handle in pending] == ["done"] * len(pending)


def test_who_computed_past_its_deadline_and_swallowed_that_is_told_again_where_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("photon.runtime.cancel.RETELL_S", 0.001)
    with CancelScope(deadline=now() + 60) as scope:
        scope.expired()  # which the watchdog raises
        sleep_forever()
    assert scope.cancelled_caught


def test_a_shield_holds_also_when_scopes_within_it_are_left_out_of_order() -> None:
    story: list[str] = []

    def scoped() -> Generator[None, None, None]:
        with move_on_after(60):
            yield

    def work() -> None:
        with shield(60):
            generator = scoped()
            next(generator)
            with move_on_after(60):
                generator.close()
            story.append("waits")
            for _ in range(5):
                checkpoint()
            story.append("shielded")
        sleep_forever()

    handle = spawn(work)
    while not story:
        checkpoint()
    handle.cancel()
    handle.join()
    assert story == ["waits", "shielded"]
    assert handle.state == "cancelled"


def test_a_scope_says_what_it_is() -> None:
    assert repr(CancelScope()) == "<CancelScope new>"
    with move_on_after(5) as scope:
        assert re.fullmatch(r"<CancelScope open, [45]\.\d{3} s left>", repr(scope))
        scope.cancel()
    assert repr(scope).startswith("<CancelScope cancelled")
