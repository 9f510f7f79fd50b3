"""What `photon dev` serves while there is no code that could be served: why there is none."""

from __future__ import annotations

from photon.http.problems import problem
from photon.http.request import Request
from photon.http.response import Response


class BrokenApplication:
    """An application that answers everything with an error.

    Args: name: of the application that cannot be served; error: lines that say why.
    """

    def __init__(self, name: str, error: str) -> None:
        self._name = name
        self._error = error

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        return problem(503, f"{self._name} cannot be served yet:\n{self._error}")
