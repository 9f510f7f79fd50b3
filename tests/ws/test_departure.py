"""A client that leaves while the handler does something else."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

import pytest

from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import Turn, sleep, sleep_forever, spawn
from photon.runtime.hub import getcurrent
from photon.runtime.nursery import nursery
from photon.ws.errors import WebSocketClosed
from photon.ws.websocket import WebSocket
from tests.clients import PATIENCE_S, expect_no_leaks, wait_until
from tests.ws.client import Closed, Speaker
from tests.ws.serving import Seen, serving


def leave(speaker: Speaker, how: str) -> None:
    if how == "close frame":
        speaker.finish(4000)
    elif how == "reset":
        speaker.reset()
    else:
        speaker.close()


@pytest.mark.parametrize("how", ["close frame", "reset", "end"])
def test_a_handler_that_never_receives_is_cancelled_where_it_waits(how: str) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.send("x")
        sleep_forever()

    with serving(seen.watching(handler)) as server, Speaker(server) as speaker:
        assert speaker.receive() == "x"
        leave(speaker, how)
        wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, Cancelled)
    assert seen.error.source == "disconnect"
    assert ("4000" if how == "close frame" else "1006") in seen.error.reason


@pytest.mark.parametrize(("restarts", "code"), [(False, 1001), (True, 1012)])
def test_a_server_that_leaves_says_whether_another_one_takes_its_place(
    restarts: bool, code: int
) -> None:
    def handler(ws: WebSocket) -> None:
        ws.send("x")
        for _ in ws:
            pass

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.receive() == "x"
        server.restarts = restarts
        stop = spawn(server.stop)
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == code
        stop.join()


def test_a_handler_that_has_received_has_time_for_the_last_messages() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        for message in ws:
            sleep(0.02)  # work
            seen.notes.append(message)

    with serving(handler, close_timeout_s=1.0) as server, Speaker(server) as speaker:
        for number in range(5):
            speaker.send(str(number))
        speaker.finish()
        wait_until(lambda: len(seen.notes) == 5)
    assert seen.notes == ["0", "1", "2", "3", "4"]


def test_a_handler_that_has_received_and_does_not_come_back_is_cancelled() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.receive()
        sleep_forever()

    watched = seen.watching(handler)
    with serving(watched, close_timeout_s=0.05) as server, Speaker(server) as speaker:
        speaker.send("subscribe")
        speaker.finish()
        wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, Cancelled)


def test_a_handler_that_was_told_may_clean_up_for_as_long_as_it_takes() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        try:
            ws.receive()
        except WebSocketClosed:
            sleep(0.1)
            seen.notes.append("clean")

    watched = seen.watching(handler)
    with serving(watched, close_timeout_s=0.01) as server, Speaker(server) as speaker:
        speaker.finish()
        wait_until(lambda: seen.notes)
    assert seen.error is None


def test_who_swallows_it_is_told_again() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        for _ in range(2):
            try:
                sleep_forever()
            except Cancelled as error:
                seen.notes.append(error.source)

    with serving(handler, seconds={"cleanup_s": 0.02}) as server, Speaker(server) as speaker:
        speaker.finish()
        wait_until(lambda: len(seen.notes) == 2)
    assert seen.notes == ["disconnect", "disconnect"]


@pytest.mark.parametrize("policy", ["notify", "ignore"])
def test_a_handler_that_is_not_to_be_cancelled_goes_on(policy: Any) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.closed.wait()
        sleep(0.05)
        try:
            ws.send("x")
            ws.send_json({})
            seen.notes.append(ws.send_frame_nowait(b"x"))
        except WebSocketClosed as error:
            seen.notes.append(error.code)

    watched = seen.watching(handler)
    with serving(watched, on_disconnect=policy) as server, Speaker(server) as speaker:
        speaker.finish(4000)
        wait_until(lambda: seen.notes)
    assert seen.notes == [4000 if policy == "notify" else True]
    assert seen.error is None


def test_the_client_gets_the_end_of_the_connection_though_the_handler_goes_on() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.closed.wait()
        while not seen.notes:
            sleep(0.001)

    with serving(handler, on_disconnect="ignore") as server, Speaker(server) as speaker:
        speaker.finish()  # reads until the server has closed its side
        seen.notes.append("go on")


@pytest.mark.parametrize("policy", ["cancel", "notify", "ignore"])
@pytest.mark.parametrize("does", ["receive", "send", "ping", "iterate"])
def test_who_does_nothing_but_swallow_the_end_lets_others_in_and_is_cancelled(
    policy: Any, does: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen()
    until = now() + PATIENCE_S

    def handler(ws: WebSocket) -> None:
        ws.accept()
        while now() < until:
            try:
                if does == "iterate":
                    for _ in ws:
                        pass
                elif does == "send":
                    ws.closed.wait()  # else what it sends may fill the sockets before that
                    ws.send("x" * 1000)
                else:
                    getattr(ws, does)()
            except Exception:
                pass
        seen.notes.append("nobody stopped it")

    if policy == "ignore" and does == "send":
        pytest.skip("what it sends is dropped, as it wished")
    with serving(seen.watching(handler), on_disconnect=policy) as server:
        with Speaker(server) as speaker:
            speaker.say_close()
            wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, Cancelled)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "GET / of 127.0.0.1:" in record.getMessage()
    assert "let WebSocketClosed pass" in record.getMessage()


@pytest.mark.parametrize("others", [0, 1, 40])
def test_on_a_slow_machine_too_who_does_nothing_else_is_cancelled(
    others: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where everything takes 2 ms, and several take turns with it."""
    until = now() + PATIENCE_S
    ticks = count()
    monkeypatch.setattr("photon.ws.departure.now", lambda: now() + next(ticks) * 0.002)
    handles: list[Any] = []

    def swallow(ws: WebSocket) -> None:
        while now() < until:
            try:
                ws.send("x")
            except WebSocketClosed:
                pass

    def handler(ws: WebSocket) -> None:
        ws.closed.wait()
        handles.extend(spawn(swallow, ws) for _ in range(1 + others))
        for handle in handles:
            handle.join()

    monkeypatch.setattr(Turn, "is_over", True)  # they take turns all the time
    with serving(handler, on_disconnect="notify") as server:
        with Speaker(server) as speaker:
            speaker.finish()
            wait_until(lambda: handles and all(handle.is_over for handle in handles))
    assert [handle.state for handle in handles] == ["cancelled"] * (1 + others)
    assert len([each for each in caplog.records if "goes on and on" in each.message]) == 1 + others


@pytest.mark.parametrize("pause_s", [0.002, 0.0])
def test_who_waits_in_between_is_told_as_often_as_he_likes(
    pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    monkeypatch.setattr("photon.ws.departure._MOST_TOLD", 20)
    if not pause_s:  # a machine on which letting others in takes so long
        ticks = count()
        monkeypatch.setattr("photon.ws.departure.now", lambda: now() + next(ticks) * 0.002)

    def handler(ws: WebSocket) -> None:
        ws.closed.wait()
        for _ in range(100):
            with pytest.raises(WebSocketClosed):
                ws.send("x")
            sleep(pause_s)
        seen.notes.append("done")

    with serving(seen.watching(handler), on_disconnect="notify") as server:
        with Speaker(server) as speaker:
            speaker.finish()
            wait_until(lambda: seen.notes)
    assert seen.error is None


def test_who_speaks_after_the_handler_is_over_leaves_no_time_out() -> None:
    """Greenlets are pooled: he may have that of the handler, and is another for all that."""
    seen = Seen()

    def late(ws: WebSocket) -> tuple[object, int]:
        with pytest.raises(WebSocketClosed) as caught:
            ws.send("x")
        return getcurrent(), caught.value.code

    def handler(ws: WebSocket) -> None:
        seen.notes.append(getcurrent())
        ws.accept()
        sleep_forever()

    with serving(seen.watching(handler)) as server:
        with Speaker(server) as speaker:
            speaker.finish(4000)
        expect_no_leaks(server)
        speaking = spawn(late, seen.ws)
        speaking.join()
        greenlet, code = speaking.result
        assert greenlet is seen.notes[0], "this test is about who has the handler's greenlet"
        assert code == 4000


def test_one_of_many_children_that_swallows_the_end_is_cancelled_and_no_other() -> None:
    handles: list[Any] = []
    until = now() + PATIENCE_S

    def swallow(ws: WebSocket) -> None:
        while now() < until:
            try:
                ws.receive()
            except Exception:
                pass

    def send(ws: WebSocket) -> None:
        try:
            while True:
                ws.send("x" * 100_000)
        except WebSocketClosed:
            pass

    def handler(ws: WebSocket) -> None:
        ws.accept()
        handles.append(spawn(swallow, ws))
        handles.extend(spawn(send, ws) for _ in range(2000))
        for handle in handles:
            handle.join()

    with serving(handler, on_disconnect="notify") as server:
        with Speaker(server, receive_buffer=4096) as speaker:
            wait_until(lambda: len(handles) == 2001)  # some began to send, others will
            speaker.reset()
            wait_until(lambda: all(handle.is_over for handle in handles))
    states = [handle.state for handle in handles]
    assert states == ["cancelled"] + ["done"] * 2000


def test_who_goes_on_for_ever_after_its_end_is_cancelled_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A nursery whose child waits for something else would hold its handler for ever."""
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        with nursery() as n:
            n.spawn(sleep_forever)
            for message in ws:
                seen.notes.append(message)

    with (
        serving(seen.watching(handler), seconds={"handler_s": 0.1}) as server,
        Speaker(server) as speaker,
    ):
        speaker.send("x")
        wait_until(lambda: seen.notes == ["x"])
        speaker.finish()
        wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, Cancelled)
    assert seen.error.source == "disconnect"
    assert any("went on and on after its end" in r.getMessage() for r in caplog.records)
