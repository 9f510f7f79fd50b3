"""A plugin for pytest: every server of the tests speaks TLS, and every `tests.clients.Client`, too.

    python -m pytest -p tests.over_tls tests/http/server tests/ws

What stands on a stream must not see a difference. `_NOT_THEIRS` are tests that are about something
else: they say http:// themselves, or need a client that Python's TLS sockets cannot be.
"""

from __future__ import annotations

import socket
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

_NOT_THEIRS = {
    "half_close": "shutdown() of a TLS socket ends its reading, too",
    "does_not_become_the_next_request": "shutdown() of a TLS socket ends its reading, too",
    "cannot_be_seen_behind_what_is_not_taken": "a TLS socket that is empty raises another error",
    "a_pause_": "clients cannot shake hands with who does not accept them yet",
    "limits_connections": "clients cannot shake hands with who does not accept them yet",
    "wait_in_the_backlog": "clients cannot shake hands with who does not accept them yet",
    "listen_in_several_places": "it speaks of http://",
    "accepts_from_the_beginning": "it speaks of http://",
    "a_unix_socket_is_served": "its client speaks plain HTTP",
}


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Not before: the standard library is to be patched first.
    from photon.http.server.server import Server
    from photon.runtime.net.tls_context import TlsSettings, load_context
    from tests.certificates import Authority
    from tests.clients import Client

    authority = Authority(Path(mkdtemp()))
    context = load_context(TlsSettings(certificates=(authority.issue("localhost"),)))
    trusting = authority.client()
    make_server: Any = Server.__init__
    make_client: Any = Client.__init__

    def server_init(server: Server, *args: Any, **given: Any) -> None:
        given["tls"] = given.get("tls") or context
        make_server(server, *args, **given)

    def client_init(client: Client, *args: Any, **given: Any) -> None:
        make_client(client, *args, **given)
        plain: socket.socket = client.socket
        try:
            client.socket = trusting.wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise

    Server.__init__ = server_init  # type: ignore[method-assign, assignment]
    Client.__init__ = client_init  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for part, reason in _NOT_THEIRS.items():
            if part in item.name:
                item.add_marker(pytest.mark.skip(reason=reason))
