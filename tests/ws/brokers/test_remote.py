"""What brokers on a server have in common: over a link that does as the test says."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest

from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.ws.brokers import backlog, keeper, remote
from photon.ws.brokers.link import Message
from photon.ws.brokers.remote import RemoteBroker
from tests.clients import PATIENCE_S, wait_until


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    deadlines = len(current_hub().deadlines)
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)
    wait_until(lambda: len(current_hub().deadlines) <= deadlines + 1)


class Server:
    """Channels and who listens to them. It may refuse, hang, or be silent."""

    def __init__(self) -> None:
        self.links: set[FakeLink] = set()
        self.sent: list[list[Message]] = []
        self.is_down = False
        self.is_silent = False
        self.hangs = False
        self.connects = 0

    def cut(self) -> None:
        for link in list(self.links):
            link.is_cut = True
            link.ring()


class FakeLink:
    def __init__(self, server: Server) -> None:
        server.connects += 1
        if server.is_down:
            raise ConnectionRefusedError("refused")
        self.server = server
        self.channels: dict[str, int] = defaultdict(int)
        self.inbox: list[Message] = []
        self.is_cut = False
        self.reader, self.writer = os.pipe()
        server.links.add(self)

    def fileno(self) -> int:
        return self.reader

    def ring(self) -> None:
        os.write(self.writer, b"!")

    def _check(self) -> None:
        while self.server.hangs:
            sleep_forever()
        if self.is_cut:
            raise ConnectionResetError("cut")

    def listen(self, channels: Sequence[str]) -> None:
        self._check()
        for channel in channels:
            self.channels[channel] += 1

    def unlisten(self, channels: Sequence[str]) -> None:
        self._check()
        for channel in channels:
            del self.channels[channel]

    def send(self, messages: Sequence[Message]) -> None:
        self._check()
        self.server.sent.append(list(messages))
        for channel, payload in messages:
            for link in self.server.links:
                if channel in link.channels and not self.server.is_silent:
                    link.inbox.append((channel, payload))
                    link.ring()

    def receive(self) -> Sequence[Message]:
        self._check()
        if self.inbox:
            os.read(self.reader, 65536)
        inbox, self.inbox = self.inbox, []
        return inbox

    def close(self) -> None:
        self.server.links.discard(self)
        os.close(self.reader)
        os.close(self.writer)


class FakeBroker(RemoteBroker):
    product: ClassVar[str] = "Fake"
    schemes: ClassVar[tuple[str, ...]] = ("fake", "fakes")
    package: ClassVar[str] = "msgspec"
    extra: ClassVar[str] = "fake"

    def __init__(self, server: Server, url: str = "fake://me:secret@host:1/x", **more: Any) -> None:
        super().__init__(url, **more)
        self.server = server

    def _connect(self) -> FakeLink:
        return FakeLink(self.server)

    def _channel(self, topic: str) -> str:
        return f"{self._prefix}:{topic}"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(keeper, "_LONGEST_DELAY_S", 0.002)


# Messages...


def test_what_is_published_reaches_all_who_subscribed_and_itself(server: Server) -> None:
    with FakeBroker(server) as one, FakeBroker(server) as two:
        heard: list[tuple[str, bytes]] = []
        started: list[str] = []
        one.subscribe("a", lambda m: heard.append(("one", m)), lambda: started.append("one"))
        two.subscribe("a", lambda m: heard.append(("two", m)), lambda: started.append("two"))
        two.subscribe("b", lambda m: heard.append(("b", m)), lambda: started.append("b"))
        wait_until(lambda: len(started) == 3)
        assert one.publish("a", b"1")
        wait_until(lambda: sorted(heard) == [("one", b"1"), ("two", b"1")])


def test_messages_of_one_publisher_stay_in_order_and_go_together(server: Server) -> None:
    with FakeBroker(server) as broker:
        heard: list[bytes] = []
        broker.subscribe("a", heard.append)
        for number in range(250):
            broker.publish("a", b"%d" % number)
        wait_until(lambda: len(heard) == 250)
        assert heard == [b"%d" % number for number in range(250)]
        assert [len(batch) for batch in server.sent] == [100, 100, 50]


def test_a_channel_is_listened_to_once_and_while_somebody_wants_it(server: Server) -> None:
    with FakeBroker(server) as broker:
        (link,) = server.links
        own = len(link.channels)
        heard: list[bytes] = []
        started: list[int] = []
        subscriptions = [
            broker.subscribe("a", heard.append, lambda: started.append(1)) for _ in range(2)
        ]
        wait_until(lambda: len(started) == 2)
        assert link.channels["photon:a"] == 1
        subscriptions[0].close()
        broker.publish("a", b"1")
        wait_until(lambda: heard == [b"1"])
        subscriptions[1].close()
        subscriptions[1].close()
        wait_until(lambda: len(link.channels) == own)
        late = broker.subscribe("a", heard.append, lambda: started.append(2))
        wait_until(lambda: started == [1, 1, 2])
        assert "started" in repr(late)
        # Left and come again before the keeper saw it.
        late.close()
        broker.subscribe("a", heard.append, lambda: started.append(3))
        wait_until(lambda: started == [1, 1, 2, 3])
        broker.publish("a", b"2")
        wait_until(lambda: heard == [b"1", b"2"])


def test_thousands_of_topics(server: Server) -> None:
    with FakeBroker(server) as broker:
        started: list[int] = []
        subscriptions = [
            broker.subscribe(str(n), lambda m: None, lambda: started.append(1)) for n in range(3000)
        ]
        wait_until(lambda: len(started) == 3000)
        for subscription in subscriptions:
            subscription.close()
        (link,) = server.links
        wait_until(lambda: len(link.channels) == 1)
        assert broker.statistics().topics == 0


def test_what_is_closed_while_the_server_is_told_of_it_is_taken_back(server: Server) -> None:
    class Slow(FakeLink):
        def listen(self, channels: Sequence[str]) -> None:
            super().listen(channels)
            for subscription in subscriptions:
                subscription.close()

    class SlowBroker(FakeBroker):
        def _connect(self) -> FakeLink:
            return Slow(self.server)

    subscriptions: list[Any] = []
    started: list[int] = []
    with SlowBroker(server) as broker:
        (link,) = server.links
        subscriptions.append(broker.subscribe("a", print, lambda: started.append(1)))
        wait_until(lambda: subscriptions[0].is_closed)
        wait_until(lambda: "photon:a" not in link.channels)
    assert not started


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("is_down", [False, True])
def test_nothing_is_kept_of_thousands_who_came_and_went(server: Server, is_down: bool) -> None:
    with FakeBroker(server) as broker:
        if is_down:
            server.is_down = True
            server.cut()
            wait_until(lambda: not broker.is_connected)
        for number in range(10_000):
            broker.subscribe(str(number), print, print).close()
            if not number % 100:
                checkpoint()
        kept = broker._keeper.subscriptions
        wait_until(lambda: not (kept._unstarted or kept._unwanted or kept._by_channel))
        wait_until(lambda: not kept._listened)
        assert "0 to be started" in repr(kept)


def test_a_subscriber_may_publish_and_fail(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeBroker(server) as broker:
        heard: list[bytes] = []

        def answer(payload: bytes) -> None:
            broker.publish("b", payload + b"!", wait_s=PATIENCE_S)
            raise LookupError("of the subscriber")

        broker.subscribe("a", answer)
        broker.subscribe("b", heard.append)
        broker.publish("a", b"1")
        broker.publish("a", b"2")
        wait_until(lambda: heard == [b"1!", b"2!"])
    assert caplog.text.count("LookupError: of the subscriber") >= 2
    assert broker.statistics().losses == 0


# Too much...


def test_what_is_too_much_is_dropped_or_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "QUEUE_MESSAGES", 3)
    with FakeBroker(server) as broker:
        assert [broker.publish("a", b"x") for _ in range(5)] == [True] * 3 + [False] * 2
        assert broker.publish("a", b"x", wait_s=PATIENCE_S)
        assert broker.statistics().dropped == 2
        wait_until(lambda: broker.statistics().queued == 0)
        assert broker.statistics().published == 4


def test_too_many_bytes_are_too_much(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "QUEUE_BYTES", 10)
    with FakeBroker(server) as broker:
        assert [broker.publish("a", b"x" * 8) for _ in range(3)] == [True, True, False]
        wait_until(lambda: broker.statistics().queued == 0)
        assert broker.publish("a", b"x")


def test_one_message_that_is_too_large_is_an_error(server: Server) -> None:
    with FakeBroker(server, max_bytes=10) as broker:
        assert broker.publish("a", b"x" * 10)
        with pytest.raises(
            ValueError, match=r"11 bytes is more than .* max_bytes= allows 10. Store"
        ):
            broker.publish("a", b"x" * 11)


# Losses...


@pytest.mark.usefixtures("quick")
def test_a_loss_is_logged_once_and_so_is_the_return(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "photon.ws")
    with FakeBroker(server) as broker:
        started: list[int] = []
        heard: list[bytes] = []
        broker.subscribe("a", heard.append, lambda: started.append(1))
        wait_until(lambda: started)
        server.is_down = True
        server.cut()
        wait_until(lambda: server.connects > 5)
        assert not broker.is_connected
        assert repr(broker) == "<FakeBroker fake://host:1/x lost>"
        assert not broker.publish("a", b"lost", wait_s=PATIENCE_S)
        late = broker.subscribe("b", heard.append, lambda: started.append(2))
        connects = server.connects
        server.is_down = False
        wait_until(lambda: sorted(started) == [1, 1, 2])
        assert server.connects > connects
        broker.publish("a", b"1")
        broker.publish("b", b"2")
        wait_until(lambda: heard == [b"1", b"2"])
        late.close()
        assert broker.statistics().losses == 1
    lost, back = [record.message for record in caplog.records]
    assert lost == (
        "Fake at fake://host:1/x cannot be reached (ConnectionResetError: cut): until it can, "
        "rooms are of this process alone"
    )
    assert back.startswith("Fake at fake://host:1/x is back after")
    assert "secret" not in caplog.text


@pytest.mark.usefixtures("quick")
def test_it_may_be_away_when_it_starts(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.is_down = True
    with FakeBroker(server) as broker:
        assert not broker.is_connected
        assert "ConnectionRefusedError: refused" in caplog.text
        server.is_down = False
        wait_until(lambda: broker.is_connected)


def test_many_who_subscribe_do_not_have_it_tried_more_often(server: Server) -> None:
    server.is_down = True
    with FakeBroker(server) as broker:
        connects = server.connects
        for number in range(100):
            broker.subscribe(str(number), lambda m: None).close()
            checkpoint()
        assert server.connects <= connects + 1


@pytest.mark.usefixtures("quick")
def test_a_server_that_hangs_is_lost(server: Server) -> None:
    with FakeBroker(server, timeout_s=0.02) as broker:
        server.hangs = True
        broker.publish("a", b"x")
        wait_until(lambda: broker.statistics().losses)
        server.hangs = False
        wait_until(lambda: broker.is_connected)
        assert broker.statistics().dropped == 1


@pytest.mark.usefixtures("quick")
def test_a_server_that_says_nothing_any_more_is_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeper, "_SILENCE_S", 0.005)
    with FakeBroker(server, timeout_s=0.05) as broker:
        wait_until(lambda: len(server.sent) > 3)  # it is asked again and again, and answers
        assert broker.is_connected
        assert broker.statistics().received == 0
        server.is_silent = True
        wait_until(lambda: broker.statistics().losses)
        server.is_silent = False
        wait_until(lambda: broker.is_connected)
    assert "LinkLost: Fake did not answer for 0.05 s" in caplog.text


def test_who_waits_for_room_is_let_go_when_it_is_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "QUEUE_MESSAGES", 1)
    with FakeBroker(server, timeout_s=PATIENCE_S) as broker:
        server.hangs = True
        broker.publish("a", b"1")
        checkpoint()
        broker.publish("a", b"2")
        waiting = spawn(broker.publish, "a", b"3", wait_s=60)
        checkpoint()
        assert waiting.state == "running"
        server.hangs = False
        assert broker._keeper._job is not None
        broker._keeper._job.cancel()
        waiting.join()
        assert waiting.result is False


# Its life...


def test_what_was_published_is_sent_before_it_stops(server: Server) -> None:
    with FakeBroker(server) as broker:
        for _ in range(500):
            broker.publish("a", b"x")
    assert sum(map(len, server.sent)) == 500
    assert not server.links
    assert repr(broker) == "<FakeBroker fake://host:1/x not started>"


def test_it_stops_when_the_last_of_those_who_use_it_has_left(server: Server) -> None:
    broker = FakeBroker(server)
    states: list[bool] = []
    with broker:
        with broker:
            pass
        states.append(broker.is_connected)
        assert broker.publish("a", b"x")
    states.append(broker.is_connected)
    with broker:
        states.append(broker.is_connected)
    assert states == [True, False, True]


def test_a_server_that_hangs_does_not_keep_it_from_stopping(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_FLUSH_S", 0.01)
    with FakeBroker(server, timeout_s=60) as broker:
        server.hangs = True
        broker.publish("a", b"x")
        checkpoint()
    assert not server.links


def test_an_error_in_the_block_stops_it_too(server: Server) -> None:
    with pytest.raises(LookupError), FakeBroker(server):
        raise LookupError
    assert not server.links


# Mistakes...


def test_it_has_to_be_started(server: Server) -> None:
    broker = FakeBroker(server)
    for use in (lambda: broker.publish("a", b""), lambda: broker.subscribe("a", print)):
        with pytest.raises(RuntimeError, match="was not started: use it within `with broker:`"):
            use()


def test_it_has_to_be_patched(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "is_patched", lambda: False)
    with pytest.raises(RuntimeError, match=r"FakeBroker would stop every request .* photon run"):
        FakeBroker(server).__enter__()


def test_its_package_has_to_be_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeBroker, "package", "there_is_no_such_package")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'photon-web\[fake\]'"):
        FakeBroker(server)


@pytest.mark.parametrize("url", ["http://host", "host:1", "", "//host", "me:secret@host"])
def test_a_url_that_is_none_of_it(server: Server, url: str) -> None:
    with pytest.raises(ValueError, match=r"begins with fake:// or fakes://, not") as caught:
        FakeBroker(server, url)
    assert "secret" not in str(caught.value)


def test_a_url_that_is_none_at_all(server: Server) -> None:
    with pytest.raises(TypeError, match=r"takes a URL, fake://\.\.\., not None"):
        FakeBroker(server, None)  # type: ignore[arg-type]


def test_a_time_out_that_is_none(server: Server) -> None:
    with pytest.raises(ValueError, match="timeout_s= is a number of seconds above 0, not 0"):
        FakeBroker(server, timeout_s=0)
