"""What the adapters have in common: is the library there, and what may be said of a URL."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit

from photon.tasks.queue_errors import QueueError


def need(library: str, extra: str, what: str) -> None:
    """Raises: QueueError, naming the command that installs it, when a library is missing.

    It is looked for and not imported, which can wait until it is used.
    """
    try:
        found = find_spec(library)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise QueueError(
            f"{what} needs {library}, which is not installed: pip install 'photon-web[{extra}]'"
        )


def shown_url(url: str) -> str:
    """A URL without user and password, for messages."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return url.partition(":")[0] + "://..."
    return f"{parts.scheme}://{host}{port}{parts.path}"
