"""The application on Granian, a Rust server, as bare WSGI."""

from loadtests.apps.wsgi import app

__all__ = ["app"]
