"""The control socket's machine: bytes in, requests; answers, bytes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.workers import control_machine
from photon.runtime.workers.control_machine import HALF_S, IDLE_S, MOST_RUNNING, ControlSession
from photon.runtime.workers.messages import MOST_BYTES
from photon.testing.clock import Clock


def said(session: ControlSession) -> list[Any]:
    """All that it sends, as messages."""
    data = b""
    while piece := bytes(session.to_send()):
        data += piece
        session.sent(len(piece))
    return [json.loads(line) for line in data.splitlines()]


def line(**message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def test_a_request_is_answered() -> None:
    session = ControlSession()
    assert session.receive(line(id=1, do="stats", x=2)) == [{"id": 1, "do": "stats", "x": 2}]
    session.answer(1, {"busy": 3})
    assert said(session) == [{"id": 1, "ok": {"busy": 3}}]
    assert not session.is_over


def test_answers_come_in_any_order_and_once_each() -> None:
    session = ControlSession()
    assert len(session.receive(line(id=1, do="a") + line(id="two", do="b"))) == 2
    session.answer("two", error="no")
    session.answer("two", 5)
    session.answer(1)
    session.answer(99, "never asked")
    assert said(session) == [{"id": "two", "error": "no"}, {"id": 1, "ok": None}]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\n", "one JSON object"),
        (b"GET / HTTP/1.1\r\n", "one JSON object"),
        (b"[1]\n", "one JSON object"),
        (b'{"id": 1, "do": "st\xff"}\n', "one JSON object"),
        (b"[" * 60_000 + b"\n", "one JSON object"),
        (b'{"do": "stats"}\n', 'a request has an "id"'),
        (b'{"id": true, "do": "stats"}\n', 'a request has an "id"'),
        (b'{"id": null, "do": "stats"}\n', 'a request has an "id"'),
        (line(id="x" * 65, do="stats"), "64 characters at the most"),
        (b'{"id": 1}\n', 'what to "do"'),
        (b'{"id": 1, "do": 7}\n', 'what to "do"'),
        (b"x" * (MOST_BYTES + 1), f"may have {MOST_BYTES} bytes"),
        (b'{"id": 1, "do": "x"}\n{"id": 1, "do": "x"}\n', "another id"),
        (b"".join(line(id=n, do="x") for n in range(MOST_RUNNING + 1)), "are under way"),
    ],
)
def test_what_is_no_request_is_answered_and_is_the_last(data: bytes, why: str) -> None:
    session = ControlSession()
    session.receive(data)
    (answer,) = said(session)
    assert answer["id"] is None
    assert why in answer["error"]
    assert session.is_over
    assert not session.is_reading
    assert session.receive(line(id=5, do="stats")) == []
    session.answer(0, "late")
    assert said(session) == []


def test_who_says_that_nothing_more_comes_is_answered_still() -> None:
    session = ControlSession()
    session.receive(line(id=1, do="stats"))
    session.receive(b"")
    assert not session.is_reading
    assert (session.is_over, session.due) == (False, None)
    session.answer(1, 2)
    assert said(session) == [{"id": 1, "ok": 2}]
    assert session.is_over


def test_who_asks_nothing_has_a_minute() -> None:
    with Clock() as clock:
        session = ControlSession()
        assert session.due == clock.now + IDLE_S
        session.receive(line(id=1, do="stats"))
        assert not session.due  # it is the command's own time now
        session.answer(1)
        said(session)
        assert session.due == clock.now + IDLE_S
        session.on_due()
        assert session.is_over
        assert said(session) == []


def test_half_a_message_has_its_time_whatever_trickles_in() -> None:
    with Clock() as clock:
        session = ControlSession()
        session.receive(b"{")
        due = clock.now + HALF_S
        clock.advance(HALF_S - 1)
        session.receive(b'"id"')
        assert session.due == due
        session.on_due()
        assert "did not come" in said(session)[0]["error"]
        assert session.is_over


def test_half_a_message_after_a_request_has_its_time_too() -> None:
    with Clock() as clock:
        session = ControlSession()
        session.receive(line(id=1, do="stats") + b"{")
        due = clock.now + HALF_S
        clock.advance(1)
        session.answer(1)
        said(session)
        assert session.due == due


def test_who_takes_nothing_is_dropped() -> None:
    with Clock() as clock:
        session = ControlSession()
        session.receive(line(id=1, do="stats"))
        session.answer(1, "x" * 1000)
        assert session.due is not None
        clock.advance(5)
        session.sent(10)  # it takes something: its time begins anew
        assert session.due == clock.now + control_machine.UNREAD_S
        session.on_due()
        assert session.is_over
        assert not session.to_send()


def test_what_is_kept_for_a_client_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_machine, "MOST_WAITING_BYTES", 1000)
    session = ControlSession()
    session.receive(line(id=1, do="a") + line(id=2, do="b"))
    session.answer(1, "x" * 900)
    session.answer(2, "x" * 900)
    assert session.is_over
    assert not session.to_send()


def test_an_answer_that_is_no_json_is_an_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    session = ControlSession()
    session.receive(line(id=1, do="a"))
    session.answer(1, loop)
    assert "not JSON" in said(session)[0]["error"]


def test_who_drives_it_hears_of_an_answer() -> None:
    session = ControlSession()
    heard: list[int] = []
    session.on_output = lambda: heard.append(len(session.to_send()))
    session.receive(line(id=1, do="a"))
    session.answer(1)
    assert heard == [len(b'{"id":1,"ok":null}\n')]


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_make_it_raise(pieces: list[bytes]) -> None:
    session = ControlSession()
    for piece in pieces:
        for request in session.receive(piece):
            session.answer(request["id"])
    said(session)


@given(st.data())
def test_how_bytes_are_cut_changes_nothing(data: st.DataObject) -> None:
    whole = line(id=1, do="a", text="\n{}é") + line(id=2, do="b") + line(id=3, do="c")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    session = ControlSession()
    requests = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        if start < end:
            requests += session.receive(whole[start:end])
    assert [request["do"] for request in requests] == ["a", "b", "c"]
