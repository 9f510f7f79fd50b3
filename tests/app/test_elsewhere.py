"""Applications written as in other frameworks."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from photon.app.elsewhere import ATTRIBUTES, OPTIONS
from photon.app.group import Group
from photon.app.photon import Photon
from photon.app.registrar import Registrar


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("include_router", "a Photon has no 'include_router': here it is app.include(group)"),
        ("add_middleware", "here it is app.middleware(CORS(...))"),
        ("errorhandler", "here it is @app.exception_handler(404)"),
        ("on_event", "@app.lifespan above a generator function"),
        ("dependency_overrides", "here it is app.override(provider, fake)"),
        ("run", "`photon run module:app`"),
        ("test_client", "here it is photon.testing.TestClient(app)"),
        ("before_request", "@app.middleware above a function"),
        ("on_startup", "@app.lifespan above a generator function"),
        ("on_shutdown", "@app.lifespan above a generator function"),
        ("add_task", "a Photon has no 'add_task': a handler's BackgroundTasks run after"),
        ("crontab", "a Photon has no 'crontab': here it is cron"),
        ("scheduled_job", '@app.every("5m") or @app.cron("*/5 * * * *") above a function'),
        ("repeat_every", "here it is every"),
        ("websocket_route", "here it is websocket"),
        ("incude", "did you mean include?"),
        ("zzz", "a Photon has no 'zzz'; there are"),
    ],
)
def test_what_others_have_is_told_by_its_name_here(name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(says)) as caught:
        getattr(Photon(), name)
    assert caught.value.name == name


def test_groups_tell_it_too() -> None:
    with pytest.raises(AttributeError, match="a Group has no 'include_router': here it is app"):
        _ = Group().include_router  # type: ignore[attr-defined]


def test_who_only_asks_whether_it_is_there_gets_an_answer() -> None:
    app = Photon()
    assert not hasattr(app, "run")
    assert getattr(app, "_nothing", 5) == 5
    assert copy.copy(Group("/a")).prefix == "/a"


def test_what_fails_within_is_told_as_it_is() -> None:
    class Own(Photon):
        @property
        def things(self) -> object:
            return self.state.nothing

    with pytest.raises(AttributeError, match="SimpleNamespace' object has no attribute 'nothing'"):
        _ = Own().things


def test_what_is_here_is_nowhere_else() -> None:
    assert not [name for name in ATTRIBUTES if hasattr(Photon, name)]
    keywords = {*Photon.__init__.__annotations__, *Registrar.route.__annotations__} - {"methods"}
    assert not keywords & OPTIONS.keys()
    # Where the hint is a name alone, it is one.
    assert not [
        here for here in ATTRIBUTES.values() if here.isidentifier() and not hasattr(Photon, here)
    ]


def test_an_application_takes_no_name() -> None:
    make: Any = Photon
    with pytest.raises(TypeError, match=r"needs no name: Photon\(\) for Photon\('shop'\); all"):
        make("shop")


def test_a_group_is_not_mounted() -> None:
    app = Photon()
    with pytest.raises(TypeError, match=r"<Group /g 0 routes> is no application: app.include\("):
        app.mount("/api", Group("/g"))  # type: ignore[arg-type]
