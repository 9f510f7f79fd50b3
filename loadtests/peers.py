"""Installs the other servers, each in an environment of its own below `.peers` (`make peers`).

Only the standard library is imported here, because any Python may run it. A peer that cannot be
installed is named and passed over: the race goes on without it.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / ".peers"

# Environment -> what pip installs into it. The raw servers answer with msgspec, as Photon does, so
# that their figures show the server and not the encoder.
PEERS = {
    "uvicorn": ("uvicorn[standard]", "fastapi", "python-multipart", "msgspec", "wsproto"),
    "flask": (
        "flask",
        "gunicorn",
        "gevent",
        "packaging",  # gunicorn's gevent worker wants it
        "flask-sock",
        "gevent-websocket",
    ),
    "robyn": ("robyn",),
    "granian": ("granian[uvloop]", "msgspec"),
    "fastwsgi": ("fastwsgi", "msgspec", "setuptools<81"),  # it imports pkg_resources
}


def main() -> int:
    failed = [name for name in PEERS if not is_installed(name) and not install(name)]
    print(f"peers: {len(PEERS) - len(failed)} of {len(PEERS)} are ready below {ROOT}")
    if failed:
        print(f"peers: failed: {', '.join(failed)} (the others can be compared)", file=sys.stderr)
    return 1 if failed else 0


def python_of(name: str) -> Path:
    return ROOT / name / "bin" / "python"


def is_installed(name: str) -> bool:
    stamp = stamp_of(name)
    return stamp.is_file() and stamp.read_text() == requirements_of(name)


def install(name: str) -> bool:
    print(f"peers: installing {name}: {', '.join(PEERS[name])}", flush=True)
    stamp_of(name).unlink(missing_ok=True)
    try:
        venv.create(ROOT / name, with_pip=True, symlinks=True)
        pip = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--upgrade"]
        subprocess.run([*pip, "--disable-pip-version-check", *PEERS[name]], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"peers: {name} could not be installed: {error}", file=sys.stderr)
        return False
    stamp_of(name).write_text(requirements_of(name))
    return True


def stamp_of(name: str) -> Path:
    """The file that says what was installed; a changed list of requirements installs again."""
    return ROOT / name / ".installed"


def requirements_of(name: str) -> str:
    return "\n".join((sys.version.split()[0], *PEERS[name], ""))


if __name__ == "__main__":
    sys.exit(main())
