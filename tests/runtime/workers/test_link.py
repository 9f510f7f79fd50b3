"""The worker's end of a link, in the hub."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Iterator

import pytest

from photon.runtime.greenlets import checkpoint
from photon.runtime.offload import offload
from photon.runtime.workers import link as linking
from photon.runtime.workers.link import Link
from photon.runtime.workers.messages import Lines, Message, encode
from tests.clients import wait_until


class Supervisor:
    """The other end: it reads and writes when the test says so."""

    def __init__(self) -> None:
        self.end, theirs = _socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.end.setblocking(False)
        self.lines = Lines(1 << 30)
        self.heard: list[Message] = []
        self.link = Link(theirs)
        self.told: list[Message] = []
        self.ends = 0

    def listen(self) -> None:
        self.link.listen(self.told.append, self.on_end)

    def on_end(self) -> None:
        self.ends += 1

    def tell(self, message: Message) -> None:
        offload(self._send, encode(message))

    def _send(self, data: bytes) -> None:
        self.end.setblocking(True)
        self.end.sendall(data)
        self.end.setblocking(False)

    def hears(self, count: int) -> list[Message]:
        """What came, once it is so much."""

        def read() -> bool:
            try:
                while data := self.end.recv(1 << 20):
                    self.heard += self.lines.feed(data)
            except BlockingIOError:
                pass
            return len(self.heard) >= count

        wait_until(read)
        return self.heard

    def hears_the_end(self) -> None:
        def read() -> bool:
            try:
                return self.end.recv(1) == b""
            except BlockingIOError:
                return False

        wait_until(read)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.link.close()
    made.end.close()


def test_both_say_something(supervisor: Supervisor) -> None:
    supervisor.listen()
    supervisor.link.tell({"tell": "ready"})
    assert supervisor.hears(1) == [{"tell": "ready"}]
    supervisor.tell({"do": "stop"})
    supervisor.tell({"do": "hurry"})
    wait_until(lambda: supervisor.told == [{"do": "stop"}, {"do": "hurry"}])


def test_what_is_told_before_anybody_listens_is_not_lost(supervisor: Supervisor) -> None:
    texts = ["x" * 300_000] * 5
    for text in texts:
        supervisor.link.tell({"text": text})
    supervisor.listen()
    assert [message["text"] for message in supervisor.hears(5)] == texts


def test_an_answer_that_is_not_taken_at_once_waits_and_nothing_else_does(
    supervisor: Supervisor,
) -> None:
    supervisor.listen()
    supervisor.link.tell({"text": "x" * 3_000_000})
    supervisor.link.tell({"text": "y"})
    supervisor.tell({"do": "stats"})
    wait_until(lambda: supervisor.told)
    assert [len(message["text"]) for message in supervisor.hears(2)] == [3_000_000, 1]


def test_a_supervisor_that_never_reads_is_not_told_without_end(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "_MOST_PENDING_BYTES", 1_000_000)
    supervisor.listen()
    for _ in range(5):
        supervisor.link.tell({"text": "x" * 400_000})
    assert "the supervisor reads nothing: an answer to it is dropped" in caplog.text
    assert len(supervisor.hears(2)) < 5


ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize("ok", ["\ud800", ENDLESS], ids=["half a pair", "endless"])
def test_an_answer_that_is_not_json_is_an_error_for_who_asked(
    supervisor: Supervisor, ok: object
) -> None:
    supervisor.link.tell({"id": 7, "ok": ok})
    (answer,) = supervisor.hears(1)
    assert answer["id"] == 7
    assert answer["error"].startswith("the answer is not JSON: ")


def test_a_long_story_is_heard(supervisor: Supervisor) -> None:
    supervisor.listen()
    supervisor.tell({"do": "resume", "error": "x" * 1_000_000})
    supervisor.tell({"do": "stop"})
    wait_until(lambda: len(supervisor.told) == 2)


def test_the_end_is_told_once(supervisor: Supervisor) -> None:
    supervisor.listen()
    supervisor.end.close()
    wait_until(lambda: supervisor.ends)
    supervisor.link.tell({"tell": "retire"})  # to nobody
    supervisor.link.last_words({"tell": "failed"})
    checkpoint()
    assert supervisor.ends == 1


def test_an_end_that_came_before_anybody_listened_is_told(supervisor: Supervisor) -> None:
    supervisor.end.close()
    supervisor.listen()
    wait_until(lambda: supervisor.ends == 1)


def test_what_cannot_be_read_is_logged(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.listen()
    offload(supervisor._send, b"nonsense\n")
    wait_until(lambda: "the supervisor said what cannot be read" in caplog.text)


def test_last_words_wait_until_they_are_taken(supervisor: Supervisor) -> None:
    supervisor.link.last_words({"tell": "failed", "text": "x" * 1000})
    assert supervisor.hears(1)[0]["tell"] == "failed"


def test_last_words_do_not_wait_for_ever(supervisor: Supervisor) -> None:
    supervisor.link.last_words({"text": "x" * 3_000_000}, seconds=0.01)
    supervisor.link.close()
    supervisor.link.close()


def test_after_a_close_the_other_side_sees_the_end(supervisor: Supervisor) -> None:
    supervisor.listen()
    supervisor.link.close()
    supervisor.hears_the_end()
    assert supervisor.ends == 0
