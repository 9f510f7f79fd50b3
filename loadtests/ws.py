"""Photon beside its peers over WebSockets: echoes per second, and what an idle one holds.

As `loadtests.compare`: a core for the server, the others for the clients, interleaved rounds, a
new process each time, the median is shown. No server compresses, as no client asks for it.

    python -m loadtests.ws                                    the echo race, 3 rounds
    python -m loadtests.ws --only photon,websockets --rounds 5
    python -m loadtests.ws --scenarios ws-idle                10,000 idle connections
    python -m loadtests.ws --only canned                      what the clients themselves can do
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtests import machine, peers, report
from loadtests.compare import exit_code, names, race, show_facts
from loadtests.process import exit_on_sigterm
from loadtests.scenarios.base import Scenario, Settings
from loadtests.scenarios.ws_echo import WebSocketEcho
from loadtests.scenarios.ws_idle import WebSocketIdle
from loadtests.servers import GRANIAN, HERE, UVICORN, Server

UVICORN_PACKAGES = ("uvicorn", "uvloop", "httptools")
GUNICORN = (
    "gunicorn --bind 127.0.0.1:{port} --workers 1 --worker-connections 20000 --backlog 4096"
    " --log-level warning"
)
WITH_WS = GRANIAN.replace(" --no-ws", " --ws")


def uvicorn(ws: str, *packages: str) -> Server:
    return Server(
        f"uvicorn-{ws}",
        peers.python_of("uvicorn"),
        f"uvicorn {UVICORN} --ws {ws} loadtests.apps.asgi_echo:app",
        (*UVICORN_PACKAGES, *packages),
    )


SERVERS = {
    server.name: server
    for server in (
        Server(
            "photon",
            HERE,
            "photon run loadtests.apps.photon_echo:app --host 127.0.0.1 --port {port}",
            ("photon-web", "gevent", "greenlet", "wsproto"),
        ),
        uvicorn("websockets", "websockets"),
        uvicorn("websockets-sansio", "websockets"),
        uvicorn("wsproto", "wsproto"),
        Server(
            "fastapi",
            peers.python_of("uvicorn"),
            f"uvicorn {UVICORN} --ws websockets-sansio loadtests.apps.fastapi_echo:app",
            ("fastapi", *UVICORN_PACKAGES, "websockets"),
        ),
        Server(
            "robyn",
            peers.python_of("robyn"),
            "loadtests.apps.robyn_echo --processes 1 --workers 1 --log-level ERROR",
            ("robyn", "uvloop"),
            environment=(("ROBYN_HOST", "127.0.0.1"), ("ROBYN_PORT", "{port}")),
        ),
        Server(
            "granian-asgi",
            peers.python_of("granian"),
            f"{WITH_WS} --interface asgi --loop uvloop loadtests.apps.asgi_echo:app",
            ("granian", "uvloop"),
        ),
        Server(
            "granian-rsgi",
            peers.python_of("granian"),
            f"{WITH_WS} --interface rsgi --loop uvloop loadtests.apps.granian_rsgi_echo:app",
            ("granian", "uvloop"),
        ),
        Server(
            "websockets",
            peers.python_of("uvicorn"),
            "loadtests.apps.websockets_echo --port {port}",
            ("websockets", "uvloop"),
        ),
        Server(
            "websockets-threads",
            peers.python_of("uvicorn"),
            "loadtests.apps.websockets_echo --port {port} --threads",
            ("websockets",),
        ),
        Server(
            "gevent-websocket",
            peers.python_of("flask"),
            f"{GUNICORN} --worker-class geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
            " loadtests.apps.gevent_websocket_echo:app",
            ("gevent-websocket", "gevent", "gunicorn"),
        ),
        Server(
            "flask-sock",
            peers.python_of("flask"),
            f"{GUNICORN} --worker-class gevent loadtests.apps.flask_sock_echo:app",
            ("flask-sock", "simple-websocket", "gevent", "gunicorn"),
        ),
        Server(  # no server: it answers everything with one frame
            "canned",
            HERE,
            "loadtests.apps.canned_echo --port {port}",
            (),
        ),
    )
}
SCENARIOS: dict[str, Scenario] = {"ws-echo": WebSocketEcho(), "ws-idle": WebSocketIdle()}


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    exit_on_sigterm()
    machine.raise_file_limit()
    settings = Settings(machine.share_cores(), options.seconds, connections=options.connections)
    facts = machine.describe(settings.cores)
    versions = {server.name: server.versions() for server in options.only if server.packages}
    show_facts(facts, versions)
    outcomes = []
    for name in options.scenarios:
        outcome = race(SCENARIOS[name], options.only, options.rounds, settings)
        print(report.text_table(outcome), flush=True)
        outcomes.append(outcome)
    if options.json:
        data = report.as_data(facts, versions, outcomes)
        options.json.write_text(json.dumps(data, indent=2) + "\n")
    return exit_code(outcomes, options.check)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.ws",
        description="Photon beside its peers over WebSockets.",
        epilog=f"servers: {', '.join(SERVERS)}; scenarios: {', '.join(SCENARIOS)}",
    )
    parser.add_argument("--only", metavar="NAME,...", help="these servers (all that are installed)")
    parser.add_argument("--scenarios", metavar="NAME,...", help="(ws-echo)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(3)")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="of each round (3)")
    parser.add_argument("--connections", type=int, metavar="N", help="(64; 10,000 idle ones)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--check", action="store_true", help="exit 1 when Photon misses a goal")
    options = parser.parse_args(arguments)
    installed = [name for name, server in SERVERS.items() if server.is_installed()]
    options.only = [SERVERS[name] for name in names(parser, options.only, SERVERS, installed)]
    options.scenarios = names(parser, options.scenarios, SCENARIOS, ["ws-echo"])
    return options


if __name__ == "__main__":
    sys.exit(main())
