"""Providers replaced for the length of a `with`: what tests put in the place of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import msgspec

from photon.app.registering import shown
from photon.binding.app_scope import AppScope
from photon.binding.errors import HandlerError, check_kind
from photon.binding.markers import Depends
from photon.binding.plan import BindingPlan, LocalHints
from photon.binding.signature import read_plan
from photon.http.application import Application

Replaced = Mapping[Any, Callable[..., Any]]
Build = Callable[[Replaced, AppScope, LocalHints], Application]
"""Makes an endpoint in which these providers are replaced, with the local hints of the fakes."""


class _Layer(msgspec.Struct, frozen=True, eq=False):
    """What is replaced for the length of one `with`, and in those around it.

    Attributes:
        app_scope: what fakes of the scope "app" made; it is closed with the layer.
        local_hints: of the fake, which is often defined right there, in a test.
    """

    provider: Callable[..., Any]
    fake: Callable[..., Any]
    app_scope: AppScope
    local_hints: LocalHints


class Overrides:
    """The providers that are replaced now.

    Args: app_scope: the values of the application's own providers of the scope "app".
    Attributes: active: by provider what is called in its place.
    """

    def __init__(self, app_scope: AppScope | None = None) -> None:
        self._app_scope = AppScope() if app_scope is None else app_scope
        self._layers: list[_Layer] = []
        self._changing = Lock()
        self.active: Replaced = {}

    def check_asked_for(
        self, provider: Callable[..., Any], plans: Iterable[BindingPlan], whose: object
    ) -> None:
        """Raises: ValueError, for what is the provider of none of these plans, and of no fake."""
        known = {each.provider for plan in plans for each in plan.dependencies}
        if provider in known:
            return
        for fake in self.active.values():
            fakes = read_plan(lambda: None, guards=[Depends(fake)], overrides=self.active)
            known |= {each.provider for each in fakes.dependencies}
        if provider not in known:
            names = sorted({getattr(each, "__qualname__", repr(each)) for each in known})
            raise ValueError(
                f"nothing in {whose!r} asks for {shown(provider)}, so that it cannot be replaced; "
                f"there are {', '.join(names) or 'no providers at all'}. The providers of a "
                "mounted application are replaced there"
            )

    @contextmanager
    def replacing(self, provider: Callable[..., Any], fake: Any) -> Iterator[None]:
        """Have `fake` called in the place of `provider`; within one another the last one counts.

        A fake has the scope of what it replaces. Of the scope "app" it is called when a request
        asks for it first, and closed when the `with` is over.

        Raises: TypeError, for what is no function.
        """
        check_kind("provider", provider)
        check_kind("provider", fake)
        layer = _Layer(provider, fake, AppScope(self._innermost), _local_hints_of(fake))
        self._change(self._layers.append, layer)
        try:
            yield
        finally:
            # Of two that overlap the first may be over before the second.
            self._change(self._layers.remove, layer)
            layer.app_scope.close()

    @property
    def _innermost(self) -> AppScope:
        return self._layers[-1].app_scope if self._layers else self._app_scope

    @property
    def _local_hints(self) -> LocalHints:
        return {fn: hints for layer in self._layers for fn, hints in layer.local_hints.items()}

    def _change(self, change: Callable[[_Layer], object], layer: _Layer) -> None:
        with self._changing:
            change(layer)
            # A new mapping each time: endpoints compare it with the one they were made for.
            self.active = {each.provider: each.fake for each in self._layers}

    def heeding(self, plain: Application, build: Build) -> Application:
        """An endpoint with providers that looks whether one of them is replaced."""
        made: tuple[Replaced | None, Application] = (None, plain)

        def endpoint(request: Any) -> Any:
            nonlocal made
            active = self.active
            if not active:
                return plain(request)
            made_for, application = made
            if made_for is not active:
                application = build(active, self._innermost, self._local_hints)
                made = active, application
            return application(request)

        endpoint.__wrapped__ = plain.__wrapped__  # type: ignore[attr-defined]
        return endpoint


def _local_hints_of(fake: Callable[..., Any]) -> LocalHints:
    """The annotations of a fake and its own providers that can be read here alone."""
    try:
        return read_plan(lambda: None, guards=[Depends(fake)]).local_hints
    except HandlerError:
        return {}  # told when a request asks for it
