"""Exact deadlines and the coarse sweep, on a clock that only moves when it is told to."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest

from photon.runtime import deadlines as module
from photon.runtime.deadlines import Deadline, Deadlines, Sweep


class Timer:
    """As libev's: calls back once, unless it is closed before."""

    def __init__(self, loop: Loop, seconds: float) -> None:
        assert seconds >= 0
        self.loop = loop
        self.due = loop.time + seconds
        self.callback: Callable[[], None] | None = None

    def start(self, callback: Callable[[], None], *, update: bool) -> None:
        assert update
        self.callback = callback
        self.loop.timers.append(self)

    def close(self) -> None:
        if self in self.loop.timers:
            self.loop.timers.remove(self)


class Loop:
    """A loop whose time moves by `run_until` only."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.timers: list[Timer] = []
        self.errors: list[Exception] = []

    def timer(self, seconds: float) -> Timer:
        return Timer(self, seconds)

    def run_until(self, moment: float) -> None:
        while True:
            due = [timer for timer in self.timers if timer.due <= moment]
            if not due:
                break
            first = min(due, key=lambda timer: timer.due)
            self.time = max(self.time, first.due)
            self.timers.remove(first)
            assert first.callback is not None
            try:
                first.callback()
            except Exception as error:  # as gevent's hub: it prints, and goes on
                self.errors.append(error)
        self.time = max(self.time, moment)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(module, "now", lambda: loop.time)
    return loop


# Deadlines...


def test_deadlines_come_in_order_and_none_early(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[tuple[float, float]] = []
    for when in (1003.0, 1001.0, 1002.0, 1001.5):
        deadlines.add(when, lambda when=when: fired.append((when, loop.time)))  # type: ignore[misc]
    loop.run_until(1001.0)
    assert [when for when, _ in fired] == [1001.0]
    loop.run_until(1010.0)
    assert [when for when, _ in fired] == [1001.0, 1001.5, 1002.0, 1003.0]
    assert all(at >= when for when, at in fired)
    assert len(deadlines) == 0
    assert not loop.timers


def test_deadlines_of_one_moment_come_in_the_order_they_were_added(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[int] = []
    for number in range(5):
        deadlines.add(1001.0, lambda number=number: fired.append(number))  # type: ignore[misc]
    loop.run_until(1001.0)
    assert fired == [0, 1, 2, 3, 4]


def test_a_moment_that_is_over_comes_at_once(loop: Loop) -> None:
    fired: list[int] = []
    Deadlines(loop).add(999.0, lambda: fired.append(1))
    loop.run_until(1000.0)
    assert fired == [1]


def test_a_deadline_without_end_never_comes_and_holds_no_timer(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    entry = deadlines.add(float("inf"), lambda: None)
    assert not loop.timers
    entry.cancel()
    assert len(deadlines) == 0


def test_a_cancelled_deadline_does_not_come(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[str] = []
    first = deadlines.add(1001.0, lambda: fired.append("first"))
    deadlines.add(1001.0, lambda: fired.append("second"))
    first.cancel()
    first.cancel()
    assert (len(deadlines), repr(first)) == (1, "<Deadline over>")
    loop.run_until(1002.0)
    assert fired == ["second"]


def test_a_deadline_may_cancel_another_of_its_moment(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[str] = []
    deadlines.add(1001.0, lambda: other.cancel())
    other = deadlines.add(1001.0, lambda: fired.append("other"))
    deadlines.add(1001.0, lambda: fired.append("third"))
    loop.run_until(1002.0)
    assert fired == ["third"]
    assert len(deadlines) == 0


def test_a_deadline_may_add_earlier_and_later_ones(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[float] = []

    def add() -> None:
        for when in (1090.0, 1001.5, 900.0):
            deadlines.add(when, lambda when=when: fired.append(when))  # type: ignore[misc]

    deadlines.add(1001.0, add)
    deadlines.add(1002.0, lambda: fired.append(1002.0))
    loop.run_until(1001.0)
    assert fired == [900.0]
    loop.run_until(1100.0)
    assert fired == [900.0, 1001.5, 1002.0, 1090.0]


def test_a_callback_that_raises_does_not_stop_the_others(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[str] = []

    def fail() -> None:
        raise ValueError("oh")

    deadlines.add(1001.0, fail)
    deadlines.add(1001.0, lambda: fired.append("same moment"))
    deadlines.add(1002.0, lambda: fired.append("later"))
    loop.run_until(1003.0)
    assert fired == ["same moment", "later"]
    assert [str(error) for error in loop.errors] == ["oh"]


def test_cancelled_entries_do_not_pile_up(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[str] = []
    deadlines.add(2000.0, lambda: fired.append("kept"))
    for _ in range(10_000):
        deadlines.add(1500.0, lambda: fired.append("wrong")).cancel()
    assert len(deadlines._heap) < 200
    assert len(deadlines) == 1
    loop.run_until(2000.0)
    assert fired == ["kept"]


def test_compaction_to_nothing_leaves_no_timer(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    for entry in [deadlines.add(1500.0 + number, lambda: None) for number in range(200)]:
        entry.cancel()
    assert len(deadlines) == 0
    fired: list[int] = []
    deadlines.add(1400.0, lambda: fired.append(1))
    loop.run_until(1400.0)
    assert fired == [1]


def test_compaction_while_deadlines_come_loses_none(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    fired: list[str] = []
    doomed = [deadlines.add(1500.0 + number, lambda: fired.append("?")) for number in range(200)]

    def cancel_all() -> None:
        for entry in doomed:
            entry.cancel()
        deadlines.add(1001.5, lambda: fired.append("new"))

    deadlines.add(1001.0, cancel_all)
    deadlines.add(1001.0, lambda: fired.append("same"))
    deadlines.add(1003.0, lambda: fired.append("later"))
    loop.run_until(3000.0)
    assert fired == ["same", "new", "later"]
    assert len(deadlines) == 0


def test_deadlines_agree_with_a_sorted_list_whatever_is_done(loop: Loop) -> None:
    chance = random.Random(7)
    deadlines = Deadlines(loop)
    expected: dict[int, float] = {}
    fired: list[int] = []
    entries: dict[int, Deadline] = {}
    for number in range(3000):
        when = loop.time + chance.choice([0.0, 0.5, 1.0, 5.0, 50.0]) * chance.random()

        def note(number: int = number) -> None:
            assert loop.time >= expected[number]
            fired.append(number)
            if chance.random() < 0.3 and expected:
                victim = chance.choice(list(expected))
                if victim not in fired:
                    entries[victim].cancel()
                    del expected[victim]

        expected[number] = when
        entries[number] = deadlines.add(when, note)
        if chance.random() < 0.5:
            victim = chance.choice(list(expected))
            if victim not in fired:
                entries[victim].cancel()
                del expected[victim]
        if chance.random() < 0.1:
            loop.run_until(loop.time + chance.random())
    loop.run_until(loop.time + 100)
    assert sorted(fired) == sorted(expected)
    assert len(deadlines) == 0
    assert not loop.errors
    assert not loop.timers


# Sweep...


class Subject:
    """Notes when it was asked, and gives the answers it was told to."""

    def __init__(self, loop: Loop, *answers: float | Callable[[], float | None] | None) -> None:
        self.sweep_tick = 0
        self.loop = loop
        self.answers = list(answers)
        self.asked: list[float] = []

    def on_due(self, moment: float) -> float | None:
        self.asked.append(moment)
        answer = self.answers.pop(0) if self.answers else None
        return answer() if callable(answer) else answer


def test_a_subject_is_asked_soon_after_its_moment_and_not_before(loop: Loop) -> None:
    sweep = Sweep(loop)
    subjects = [Subject(loop) for _ in range(50)]
    for number, subject in enumerate(subjects):
        sweep.watch(subject, 1001.0 + number * 0.037)
    loop.run_until(1010.0)
    for number, subject in enumerate(subjects):
        due = 1001.0 + number * 0.037
        (asked,) = subject.asked
        assert due - 1e-6 <= asked <= due + sweep.resolution_s + 1e-6
    assert len(sweep) == 0
    assert not sweep._buckets
    assert not loop.timers


def test_a_later_moment_waits_for_the_earlier_one(loop: Loop) -> None:
    sweep = Sweep(loop)
    subject = Subject(loop, 1009.0)
    sweep.watch(subject, 1001.0)
    sweep.watch(subject, 1005.0)
    loop.run_until(1020.0)
    assert subject.asked == pytest.approx([1001.0, 1009.0], abs=0.11)


def test_an_earlier_moment_counts_at_once(loop: Loop) -> None:
    sweep = Sweep(loop)
    subject = Subject(loop)
    sweep.watch(subject, 1060.0)
    sweep.watch(subject, 1001.0)
    loop.run_until(1001.2)
    assert len(subject.asked) == 1
    loop.run_until(1100.0)
    assert len(subject.asked) == 1


def test_one_that_asks_for_much_later_does_not_delay_the_others(loop: Loop) -> None:
    sweep = Sweep(loop)
    far, near = Subject(loop, 1075.0), Subject(loop)
    sweep.watch(far, 1001.0)
    sweep.watch(near, 1002.0)
    loop.run_until(1003.0)
    assert near.asked == pytest.approx([1002.0], abs=0.11)


def test_who_is_forgotten_is_not_asked(loop: Loop) -> None:
    sweep = Sweep(loop)
    subject = Subject(loop)
    sweep.forget(subject)
    sweep.watch(subject, 1001.0)
    sweep.forget(subject)
    sweep.forget(subject)
    assert len(sweep) == 0
    loop.run_until(1010.0)
    assert subject.asked == []
    assert not sweep._buckets


def test_one_may_have_another_of_its_bucket_forgotten(loop: Loop) -> None:
    sweep = Sweep(loop)
    subjects: list[Subject] = []

    def forget_the_others() -> None:
        for other in subjects:
            sweep.forget(other)

    subjects += [Subject(loop, forget_the_others) for _ in range(10)]
    for subject in subjects:
        sweep.watch(subject, 1001.0)
    loop.run_until(1010.0)
    assert sum(len(subject.asked) for subject in subjects) == 1
    assert len(sweep) == 0


def test_an_on_due_that_raises_does_not_stop_the_others(loop: Loop) -> None:
    sweep = Sweep(loop)

    def fail() -> None:
        raise ValueError("oh")

    subjects = [Subject(loop, fail if number % 2 else None) for number in range(10)]
    later = Subject(loop)
    for subject in subjects:
        sweep.watch(subject, 1001.0)
    sweep.watch(later, 1002.0)
    loop.run_until(1001.5)
    assert [len(subject.asked) for subject in subjects] == [1] * 10
    assert len(loop.errors) == 5
    loop.run_until(1002.5)
    assert len(later.asked) == 1
    assert [len(subject.asked) for subject in subjects] == [1, 2] * 5  # overdue still


def test_one_may_watch_another_for_a_moment_that_is_over(loop: Loop) -> None:
    sweep = Sweep(loop)
    other = Subject(loop)
    subject = Subject(loop, lambda: sweep.watch(other, 1000.0))
    sweep.watch(subject, 1001.0)
    loop.run_until(1001.2)
    assert len(other.asked) == 1
    sweep.forget(other)
    sweep.watch(other, 1005.0)
    loop.run_until(1010.0)
    assert len(other.asked) == 2
    assert not sweep._buckets


def test_who_always_wants_to_be_asked_at_once_does_not_hold_the_hub(loop: Loop) -> None:
    sweep = Sweep(loop)
    subject = Subject(loop, *[0.0] * 20)
    sweep.watch(subject, 1001.0)
    loop.run_until(1001.0 + 5.5 * sweep.resolution_s)
    assert 2 <= len(subject.asked) <= 7


def test_thousands_that_are_due_at_once_are_asked_in_rounds(loop: Loop) -> None:
    sweep = Sweep(loop)
    between: list[int] = []

    def take_a_while() -> None:
        loop.time += 0.001

    subjects = [Subject(loop, take_a_while) for _ in range(3000)]
    for subject in subjects:
        sweep.watch(subject, 1001.0)

    def note() -> None:
        between.append(sum(len(subject.asked) for subject in subjects))
        if between[-1] < len(subjects):
            loop.timer(0.0).start(note, update=True)

    loop.timer(1.2).start(note, update=True)
    loop.run_until(1010.0)
    assert [len(subject.asked) for subject in subjects] == [1] * 3000
    rounds = [after - before for before, after in pairwise(between)]
    assert len(rounds) > 300
    assert max(rounds) <= 10
    assert not sweep._buckets
    assert not loop.timers


def test_whose_on_due_always_raises_is_asked_now_and_then(loop: Loop) -> None:
    sweep = Sweep(loop)

    def fail() -> None:
        raise ValueError("oh")

    subject = Subject(loop, *[fail] * 100)
    sweep.watch(subject, 1001.0)
    loop.run_until(1006.0)
    assert 4 <= len(subject.asked) <= 6
    assert len(loop.errors) == len(subject.asked)
    sweep.forget(subject)
    assert len(sweep) == 0


def test_a_sweep_agrees_with_a_table_whatever_is_done(loop: Loop) -> None:
    chance = random.Random(11)
    sweep = Sweep(loop)
    due: dict[Subject, float] = {}
    subjects = [Subject(loop) for _ in range(200)]

    class Asked(Subject):
        def on_due(self, moment: float) -> float | None:
            wanted = due.pop(self)
            assert wanted - 1e-6 <= moment <= wanted + 0.2 + 1e-6
            if chance.random() < 0.3:
                other = chance.choice(subjects)
                sweep.forget(other)
                due.pop(other, None)
            if chance.random() < 0.5:
                again = moment + 0.1 + chance.random() * 5
                due[self] = again
                return again
            return None

    subjects = [Asked(loop) for _ in range(200)]
    for _ in range(5000):
        subject = chance.choice(subjects)
        when = loop.time + 0.1 + chance.random() * 10
        sweep.watch(subject, when)
        due[subject] = min(when, due.get(subject, when))
        if chance.random() < 0.2:
            loop.run_until(loop.time + chance.random() * 0.5)
    assert not loop.errors
    for subject in subjects:
        sweep.forget(subject)
    assert len(sweep) == 0
    loop.run_until(loop.time + 100)
    assert not sweep._buckets


def test_who_always_wants_to_be_called_at_once_waits_for_the_next_round(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    story: list[str] = []

    def again() -> None:
        story.append("again")
        deadlines.add(loop.time, again)

    deadlines.add(1001.0, again)
    deadlines.add(1001.0, lambda: story.append("other"))
    for _ in range(3):
        timer = loop.timers.pop()
        loop.time = max(loop.time, timer.due)
        assert timer.callback is not None
        timer.callback()
    assert story == ["again", "other", "again", "again"]


def test_thousands_of_deadlines_of_one_moment_are_worked_off_in_rounds(loop: Loop) -> None:
    deadlines = Deadlines(loop)
    story: list[int] = []
    between: list[int] = []

    def take_a_while(number: int) -> None:
        loop.time += 0.001
        story.append(number)

    for number in range(1000):
        deadlines.add(1001.0, partial(take_a_while, number))

    def note() -> None:
        between.append(len(story))
        if between[-1] < 1000:
            loop.timer(0.0).start(note, update=True)

    loop.timer(1.0).start(note, update=True)
    loop.run_until(1010.0)
    assert story == list(range(1000))
    assert max(after - before for before, after in pairwise(between)) <= 10
    assert not loop.timers
