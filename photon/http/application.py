"""The one shape of everything that answers requests, and of what wraps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from photon.http.request import Request
from photon.http.response import Response

Application: TypeAlias = Callable[[Request], Response]
"""Request in, response out: an app, a mounted app, static files, a test double."""

Middleware: TypeAlias = Callable[[Request, Application], Response]
"""Wraps an application: gets the request and what comes next, gives the response."""
