"""Groups: routes that stand below one prefix and have something in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack

from photon.app.options import Registration, RouteOptions, check_options
from photon.app.registering import check_path, shown
from photon.app.registrar import Registrar

Undo = Callable[[], None]
Take = Callable[[list[Registration]], Undo]
"""Takes on handlers that a group was given, all or none; gives what takes them back."""


class Group(Registrar):
    """Routes below one prefix, with what they have in common.

        items = Group("/items", tags=["items"], dependencies=[Depends(signed_in)])

        @items.get("/{id}")
        def get_item(id: int): ...

        app.include(items)

    What is registered after the group was included counts as well. A group may stand in several
    places, and in other groups.

    Args:
        prefix: such as "/items"; placeholders are allowed, and filled for every handler below.
        options: of all its routes, see `RouteOptions`; `name` stands before theirs, with a dot.
    """

    _word = "group"

    def __init__(self, prefix: str = "", **options: Unpack[RouteOptions]) -> None:
        check_prefix(prefix)
        check_options(options, "Group")
        self.prefix = prefix
        self._options: Mapping[str, Any] = dict(options)
        self._registered: list[Registration] = []
        self._takers: list[Take] = []
        self._contains: list[Group] = []

    def include(self, group: Group, prefix: str = "", **options: Unpack[RouteOptions]) -> None:
        """Take in another group, below this one's prefix and `prefix`.

        Raises: TypeError; ValueError, when a group would contain itself.
        """
        check_group(group)
        if self is group or self._is_within(group):
            raise ValueError(f"{group!r} would contain itself")
        group.tell(self._take, prefix, options)
        self._contains.append(group)

    def tell(self, take: Take, prefix: str, options: Mapping[str, Any]) -> Undo:
        """Have `take` called for every handler of the group, those to come included."""
        check_prefix(prefix)
        check_options(options, "include")

        def below(registrations: list[Registration]) -> Undo:
            return take([each.below(prefix, options) for each in registrations])

        undo = below(self._as_others_see(self._registered))
        self._takers.append(below)
        return undo

    def _is_within(self, group: Group) -> bool:
        return any(inner is self or self._is_within(inner) for inner in group._contains)

    def _as_others_see(self, registrations: Iterable[Registration]) -> list[Registration]:
        return [each.below(self.prefix, self._options) for each in registrations]

    def _register(self, registration: Registration) -> None:
        self._take([registration])

    def _take(self, registrations: list[Registration]) -> Undo:
        taken: list[Undo] = []

        def undo() -> None:
            for take_back in reversed(taken):
                take_back()

        full = self._as_others_see(registrations)
        try:
            for take in self._takers:
                taken.append(take(full))
        except BaseException:
            # One that refuses it is enough: what is half registered answers at one place, and
            # not at the other.
            undo()
            raise
        self._registered += registrations
        taken.append(lambda: self._forget(registrations))
        return undo

    def _forget(self, registrations: list[Registration]) -> None:
        self._registered = [each for each in self._registered if each not in registrations]

    def _check_path(self, decorator: str, path: str) -> None:
        check_path(decorator, path, self._word)
        if path and not path.startswith("/"):
            raise ValueError(
                f"a path in a group is '' or begins with '/': write {'/' + path!r} for {path!r}"
            )

    def __repr__(self) -> str:
        return f"<Group {self.prefix or '/'} {len(self._registered)} routes>"


def check_group(group: object) -> None:
    """Raises: TypeError, for what is no group."""
    if not isinstance(group, Group):
        hint = "; an application is mounted: app.mount(prefix, application)"
        raise TypeError(f"include() takes a Group, not {shown(group)}{hint}")


def check_prefix(prefix: object) -> None:
    """Raises: TypeError, ValueError, for what paths cannot stand below."""
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix is text such as '/items', not {shown(prefix)}")
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        bare = prefix.strip("/")
        wanted = f"/{bare}" if bare else ""
        raise ValueError(f"a prefix begins with '/' and does not end with it: write {wanted!r}")
