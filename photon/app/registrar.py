"""The decorators that an application and a group have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

from photon.app.elsewhere import ATTRIBUTES
from photon.app.options import (
    OF_WEBSOCKETS,
    Registration,
    RouteOptions,
    WebSocketOptions,
    check_options,
)
from photon.app.registering import check_path
from photon.runtime.hints import meant

H = TypeVar("H", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function, registers it, and gives it back as it was."""

    def __call__(self, handler: H, /) -> H: ...


class Registrar(ABC):
    """Registers handlers for paths."""

    def route(
        self, path: str, methods: Iterable[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Decorator:
        """Have a function answer requests for a path.

        Args:
            path: a template such as `/items/{id}` or `/files/{rest:path}`.
            methods: such as ["GET", "POST"]; HEAD comes with GET, OPTIONS with any.
            options: see `RouteOptions`.
        Raises: TemplateError, RouteConflict, HandlerError, TypeError, each naming the place and
            the way out.
        """
        return self._decorator("route", path, methods, options)

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for GET and HEAD."""
        return self._decorator("get", path, ("GET",), options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for HEAD alone, where GET would take too long to answer it."""
        return self._decorator("head", path, ("HEAD",), options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for POST."""
        return self._decorator("post", path, ("POST",), options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for PUT."""
        return self._decorator("put", path, ("PUT",), options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for PATCH."""
        return self._decorator("patch", path, ("PATCH",), options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for DELETE."""
        return self._decorator("delete", path, ("DELETE",), options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """As `route`, for OPTIONS, in place of the answer that every path has."""
        return self._decorator("options", path, ("OPTIONS",), options)

    def websocket(self, path: str, **options: Unpack[WebSocketOptions]) -> Decorator:
        """Have a function talk over the WebSockets of a path.

            @app.websocket("/chat/{room}")
            def chat(ws: WebSocket, room: str):
                for message in ws:
                    ws.send(f"echo: {message}")

        Its other parameters are filled as any handler's, before the WebSocket is opened. It is
        closed when the function ends.

        Args: options: see `WebSocketOptions`.
        Raises: as `route`.
        """
        check_options(options, f"@{self._word}.websocket", OF_WEBSOCKETS)
        return self._decorator("websocket", path, ("GET",), options)

    def _decorator(
        self,
        decorator: str,
        path: str,
        methods: Iterable[str],
        options: RouteOptions | WebSocketOptions,
    ) -> Decorator:
        self._check_path(decorator, path)
        check_options(options, f"@{self._word}.{decorator}")
        methods = (methods,) if isinstance(methods, str) else tuple(methods)

        def register(handler: H) -> H:
            self._register(
                Registration(
                    decorator=decorator,
                    path=path,
                    methods=methods,
                    handler=handler,
                    options=dict(options),
                )
            )
            return handler

        return register

    if not TYPE_CHECKING:  # a checker shall see that these do not exist
        # Servers hold `composed`, so no request pays for the slower look-up of attributes.
        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property failed so: let it say that again
                return object.__getattribute__(self, name)
            hint = "" if name.startswith("_") else meant(name, _public(type(self)), ATTRIBUTES)
            raise AttributeError(
                f"a {type(self).__name__} has no {name!r}{hint}", name=name, obj=self
            )

    _word = "app"

    def _check_path(self, decorator: str, path: str) -> None:
        check_path(decorator, path)

    @abstractmethod
    def _register(self, registration: Registration) -> None:
        """Take on a handler."""


def _public(cls: type) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_")]
