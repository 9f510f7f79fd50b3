"""Providers replaced for the length of a `with`: what tests put in the place of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from photon.binding.errors import check_kind
from photon.http.application import Application

Build = Callable[[Mapping[Any, Callable[..., Any]]], Application]
"""Makes an endpoint in which these providers are replaced."""


class Overrides:
    """The providers that are replaced now.

    Attributes: active: by provider what is called in its place.
    """

    def __init__(self) -> None:
        self.active: dict[Any, Callable[..., Any]] = {}

    @contextmanager
    def replacing(self, provider: Callable[..., Any], fake: Any) -> Iterator[None]:
        """Have `fake` called in the place of `provider`; within one another the last one counts.

        Raises: TypeError, for what is no function.
        """
        check_kind("provider", provider)
        check_kind("provider", fake)
        before = self.active
        # A new mapping each time: endpoints compare it with the one they were made for.
        self.active = {**before, provider: fake}
        try:
            yield
        finally:
            self.active = before

    def heeding(self, plain: Application, build: Build) -> Application:
        """An endpoint with providers that looks whether one of them is replaced."""
        made_for: Mapping[Any, Any] | None = None
        made = plain

        def endpoint(request: Any) -> Any:
            nonlocal made_for, made
            active = self.active
            if not active:
                return plain(request)
            if made_for is not active:
                made, made_for = build(active), active
            return made(request)

        endpoint.__wrapped__ = plain.__wrapped__  # type: ignore[attr-defined]
        return endpoint
