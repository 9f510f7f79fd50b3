"""Letters reach a real mail server, from this process and from workers of its own."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from signal import SIGTERM

import pytest
from msgspec import structs

from examples import mailroom
from examples.mailroom import app, deliver
from photon import QueueUnavailable, fail_after, sleep, spawn
from photon.testing import LiveClient, TestClient
from tests.clients import wait_until
from tests.processes import PATIENCE_S, ROOT, photon

LETTER = {
    "sender": "ada@example.com",
    "to": "grace@example.com",
    "subject": "Engines",
    "text": "☕",
}


class MailServer(socketserver.ThreadingTCPServer):
    """Attributes: mails: that came; attempts: by recipient; opened: what `slow@` waits for."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[EmailMessage] = []
        self.attempts: Counter[str] = Counter()
        self.opened = threading.Event()

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def addressed(self) -> list[tuple[str, str]]:
        return [(mail["To"], mail["Subject"]) for mail in self.mails]

    def answer(self, recipient: str) -> str:
        self.attempts[recipient] += 1
        name = recipient.partition("@")[0]
        if name == "slow":
            self.opened.wait()
        if name == "nobody":
            return "550 no such user"
        if name == "away" or (name == "busy" and self.attempts[recipient] == 1):
            return "451 not now"
        return "250 fine"


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 mail.example.com")
        while line := self.rfile.readline().decode().strip():
            match line.upper().split(":")[0]:
                case "DATA":
                    self.say("354 go on")
                    data = b""
                    while not data.endswith(b"\r\n.\r\n"):
                        data += self.rfile.readline()
                    mail = message_from_bytes(data[:-3], policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    self.server.mails.append(mail)
                    self.say("250 taken")
                case "RCPT TO":
                    self.say(self.server.answer(line[line.index("<") + 1 : line.index(">")]))
                case "QUIT":
                    return self.say("221 bye")
                case _:
                    self.say("250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        serving = spawn(server.serve_forever, 0.01)
        yield server
        server.opened.set()
        server.shutdown()
        serving.join()


@pytest.fixture
def client(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(mailroom, "SMTP_HOST", "127.0.0.1")
    monkeypatch.setattr(mailroom, "SMTP_PORT", mail_server.server_address[1])
    monkeypatch.setattr(deliver, "options", structs.replace(deliver.options, backoff=0.001))
    with TestClient(app) as client:
        yield client


def post(client: TestClient | LiveClient, to: str = "grace@example.com", **more: str) -> None:
    assert client.post("/letters", json={**LETTER, "to": to, **more}).status == 202


# In this process...


def test_a_letter_is_delivered(client: TestClient, mail_server: MailServer) -> None:
    post(client)
    wait_until(lambda: mail_server.mails)
    [mail] = mail_server.mails
    assert (mail["From"], mail["To"]) == ("ada@example.com", "grace@example.com")
    assert mail.get_content().strip() == "☕"
    assert mail["Message-ID"].endswith("@mailroom.example.com>")


def test_the_client_does_not_wait_for_it(client: TestClient, mail_server: MailServer) -> None:
    post(client, "slow@example.com")
    post(client)
    wait_until(lambda: mail_server.mails)
    assert mail_server.addressed == [("grace@example.com", "Engines")]
    mail_server.opened.set()
    wait_until(lambda: len(mail_server.mails) == 2)


def test_what_is_refused_for_now_is_tried_again(
    client: TestClient, mail_server: MailServer
) -> None:
    post(client, "busy@example.com")
    wait_until(lambda: mail_server.mails)
    assert mail_server.attempts["busy@example.com"] == 2


@pytest.mark.parametrize(("to", "attempts"), [("nobody@example.com", 1), ("away@example.com", 4)])
def test_what_cannot_be_delivered_comes_back(
    to: str, attempts: int, client: TestClient, mail_server: MailServer
) -> None:
    post(client, to)
    wait_until(lambda: mail_server.mails)
    assert mail_server.attempts[to] == attempts
    assert mail_server.addressed == [("ada@example.com", "Returned: Engines")]
    assert to in mail_server.mails[0].get_content()


def test_two_broken_addresses_do_not_write_to_each_other(
    client: TestClient, mail_server: MailServer
) -> None:
    post(client, "nobody@example.com", sender="nobody@example.org")
    wait_until(lambda: mail_server.attempts.total() == 2)
    post(client)
    wait_until(lambda: mail_server.mails)
    assert mail_server.addressed == [("grace@example.com", "Engines")]


@pytest.mark.parametrize(
    "fault",
    [
        {"to": "grace"},
        {"to": "a@b>\r\nDATA"},
        {"to": ["grace@example.com"]},
        {"subject": "x\r\nBcc: all@example.com"},
    ],
)
def test_what_is_no_letter_is_refused(fault: dict[str, object], client: TestClient) -> None:
    assert client.post("/letters", json={**LETTER, **fault}).status == 422


def test_a_queue_that_is_away_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def enqueue(call: object) -> str:
        raise QueueUnavailable("redis", "nobody listens")

    monkeypatch.setattr(app.tasks.queue, "enqueue", enqueue)
    refused = client.post("/letters", json=LETTER)
    assert (refused.status, refused.headers["retry-after"]) == (503, "60")


# By a worker, which is another process...


def wait_for_worker(condition: Callable[[], object]) -> None:
    with fail_after(PATIENCE_S):
        while not condition():
            sleep(0.01)


def test_a_worker_delivers_what_was_taken_in(redis_url: str, mail_server: MailServer) -> None:
    env = {"PHOTON_QUEUE": redis_url, "MAILROOM_SMTP": mail_server.where}
    with photon("run", "examples.mailroom:app", "--port", "0", folder=ROOT, env=env) as server:
        with LiveClient(f"http://127.0.0.1:{server.wait_port()}") as client:
            post(client)  # nobody delivers yet: it waits in Redis
            with photon("worker", "examples.mailroom:app", folder=ROOT, env=env) as worker:
                worker.wait_line("works for examples.mailroom:app", "dramatiq")
                post(client, "busy@example.com")
                wait_for_worker(lambda: len(mail_server.mails) == 2)
                post(client, "nobody@example.com")
                worker.wait_line("examples.mailroom.deliver", "failed", "550 no such user")
                wait_for_worker(lambda: len(mail_server.mails) == 3)
                assert sorted(mail_server.addressed) == [
                    ("ada@example.com", "Returned: Engines"),
                    ("busy@example.com", "Engines"),
                    ("grace@example.com", "Engines"),
                ]
                # Stopped while it delivers, it ends that first.
                post(client, "slow@example.com")
                wait_for_worker(lambda: mail_server.attempts["slow@example.com"])
                worker.kill(SIGTERM)
                worker.wait_line("stopping", "jobs that run: 1")
                mail_server.opened.set()
                assert worker.wait() == 0
                assert mail_server.addressed[-1] == ("slow@example.com", "Engines")
        assert server.stop() == 0
