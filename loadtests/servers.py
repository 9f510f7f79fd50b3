"""Who runs in the race: how each server is started, at its fair best, with one worker process.

Every server gets one core and one worker. Its threads are set to what its own documentation or a
short trial here found fastest on one core; no access log; an idle connection is kept for at least
75 s, as Photon keeps it. One entry is one server; `loadtests/peers.py` installs the others.
"""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from loadtests import peers

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(sys.executable)


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it is asked.

    `arguments` and `environment` may hold {port}. `wait_arguments` take their place where
    hundreds of handlers wait at once, for servers that need a thread for each of them.
    `lacks` names the scenarios it has no route for. `app` is the application that it serves, of
    which `arguments` speak as {app}; "" for one that cannot serve another.
    """

    name: str
    python: Path
    arguments: str
    packages: tuple[str, ...]
    wait_arguments: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    lacks: frozenset[str] = frozenset()
    app: str = ""

    def serving(self, app: str, folder: Path | None = None) -> "Server":
        """The same server with another application, such as "shop.main:app", out of a folder."""
        return replace(self, app=app if folder is None else f"{app} --app-dir {folder}")

    def command(self, port: int, waits: bool = False) -> list[str]:
        arguments = self.wait_arguments if waits and self.wait_arguments else self.arguments
        return [str(self.python), "-m", *arguments.format(port=port, app=self.app).split()]

    def variables(self, port: int) -> dict[str, str]:
        return {name: value.format(port=port) for name, value in self.environment}

    def is_installed(self) -> bool:
        return self.python == HERE or self.python.exists()

    def versions(self) -> str:
        """The versions of what it is made of: "uvicorn 0.30.0, uvloop 0.20.0"."""
        answer = subprocess.run(
            [str(self.python), "-c", ASK_VERSIONS, *self.packages],
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.strip() or "unknown"


ASK_VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
def name(package):
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
print(", ".join(map(name, sys.argv[1:])))
"""

UVICORN = (
    "--host 127.0.0.1 --port {port} --workers 1 --loop uvloop --http httptools"
    " --backlog 4096 --timeout-keep-alive 75 --no-access-log --log-level warning"
)
GRANIAN = (
    "granian --host 127.0.0.1 --port {port} --workers 1 --runtime-threads 1 --runtime-mode st"
    " --http 1 --no-ws --backlog 16384 --no-access-log --log-level error"
)
FASTAPI = f"uvicorn {UVICORN} {{app}}"
FASTAPI_APP = "loadtests.apps.fastapi_app:app"
FASTAPI_PACKAGES = ("fastapi", "pydantic", "uvicorn", "uvloop", "httptools")
GRANIAN_WSGI = f"{GRANIAN} --interface wsgi loadtests.apps.granian_wsgi:app"

# What only a framework that checks bodies and describes itself can do.
TYPED_ONLY = frozenset({"errors", "routes", "upload", "upload-parts"})

SERVERS = {
    server.name: server
    for server in (
        Server(
            "photon",
            HERE,
            "photon run {app} --host 127.0.0.1 --port {port}",
            ("photon-web", "gevent", "greenlet", "msgspec"),
            app="loadtests.apps.photon_app:app",
        ),
        Server(
            "floor",
            HERE,
            "loadtests.floor --host 127.0.0.1 --port {port}",
            ("gevent", "greenlet", "msgspec"),
            lacks=TYPED_ONLY | {"typed", "typed-query", "validated", "bytes10k"},
        ),
        Server(
            "fastwsgi",
            peers.python_of("fastwsgi"),
            "loadtests.apps.fastwsgi_app --host 127.0.0.1 --port {port}",
            ("fastwsgi", "msgspec"),
            lacks=TYPED_ONLY,
        ),
        Server(  # its Python runs on one thread, unless many handlers wait
            "granian-wsgi",
            peers.python_of("granian"),
            f"{GRANIAN_WSGI} --blocking-threads 1",
            ("granian", "msgspec"),
            wait_arguments=f"{GRANIAN_WSGI} --blocking-threads 1024 --backpressure 1024",
            lacks=TYPED_ONLY,
        ),
        Server(
            "granian-rsgi",
            peers.python_of("granian"),
            f"{GRANIAN} --interface rsgi --loop uvloop loadtests.apps.granian_rsgi:app",
            ("granian", "uvloop", "msgspec"),
            lacks=TYPED_ONLY,
        ),
        Server(
            "uvicorn-raw",
            peers.python_of("uvicorn"),
            f"uvicorn {UVICORN} loadtests.apps.uvicorn_raw:app",
            ("uvicorn", "uvloop", "httptools", "msgspec"),
            lacks=TYPED_ONLY,
        ),
        Server(
            "robyn",
            peers.python_of("robyn"),
            "loadtests.apps.robyn_app --processes 1 --workers 1 --log-level ERROR",
            ("robyn", "uvloop", "orjson"),
            environment=(("ROBYN_HOST", "127.0.0.1"), ("ROBYN_PORT", "{port}")),
            lacks=TYPED_ONLY,
        ),
        Server(
            "fastapi",
            peers.python_of("uvicorn"),
            FASTAPI,
            FASTAPI_PACKAGES,
            lacks=frozenset({"upload-parts"}),
            app=FASTAPI_APP,
        ),
        Server(
            "fastapi-sync",
            peers.python_of("uvicorn"),
            FASTAPI,
            FASTAPI_PACKAGES,
            prefix="/sync",
            lacks=frozenset({"upload-parts", "routes"}),
            app=FASTAPI_APP,
        ),
        Server(
            "flask-gevent",
            peers.python_of("flask"),
            "gunicorn --bind 127.0.0.1:{port} --worker-class gevent --workers 1"
            " --worker-connections 20000 --backlog 4096 --keep-alive 75 --log-level warning"
            " loadtests.apps.flask_app:app",
            ("flask", "gunicorn", "gevent"),
            lacks=TYPED_ONLY,
        ),
    )
}
