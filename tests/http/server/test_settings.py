"""The options of a server: one declaration each, with bounds, a unit and a description."""

from __future__ import annotations

import re
from math import inf
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from photon.http.server.settings import Limits, ServerSettings, Timeouts


def meta_of(annotation: Any) -> list[msgspec.Meta]:
    found = []
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        found += [item for item in more if isinstance(item, msgspec.Meta)]
    return found


@pytest.mark.parametrize("group", [Timeouts, Limits])
def test_each_option_says_what_it_is_for(group: type[msgspec.Struct]) -> None:
    hints = get_type_hints(group, include_extras=True)
    for field in msgspec.structs.fields(group):
        descriptions = [meta.description for meta in meta_of(hints[field.name]) if meta.description]
        assert len(descriptions) == 1, field.name


def test_the_names_of_times_tell_their_unit() -> None:
    assert all(field.name.endswith("_s") for field in msgspec.structs.fields(Timeouts))


BAD = [
    (Timeouts, {"idle_s": 0}),
    (Timeouts, {"idle_s": -1}),
    (Timeouts, {"idle_seconds": 1}),
    (Limits, {"head_bytes": 0}),
    (Limits, {"connections": -1}),
    (ServerSettings, {"backlog": 0}),
    (ServerSettings, {"half_close": "maybe"}),
    (ServerSettings, {"protocol": "h9"}),
]


@pytest.mark.parametrize(("group", "values"), BAD)
def test_a_value_out_of_bounds_is_refused_where_it_is_read(
    group: type[msgspec.Struct], values: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, group)


MISTAKES: list[tuple[Any, dict[str, object], type[Exception], str]] = [
    (Timeouts, {"idle_s": -1}, ValueError, "Timeouts(idle_s=-1): a connection may be silent"),
    (Timeouts, {"idle_s": 0}, ValueError, "it is a number > 0"),
    (Timeouts, {"idle_s": float("nan")}, ValueError, "it is a number"),
    (Timeouts, {"idle_s": "75"}, TypeError, "it is a number"),
    (Timeouts, {"idle_s": None}, TypeError, "it is a number"),
    (Timeouts, {"idel_s": 3}, TypeError, "Timeouts has no setting 'idel_s'; did you mean idle_s?"),
    (Timeouts, {"timeout_keep_alive": 5}, TypeError, "here it is idle_s"),
    (Limits, {"head_bytes": 0}, ValueError, "Limits(head_bytes=0): request line and headers"),
    (Limits, {"body_bytes": 2.5}, TypeError, "it is a whole number"),
    (Limits, {"connections": -1}, ValueError, "it is a whole number >= 0"),
    (Limits, {"limit_concurrency": 5}, TypeError, "here it is connections"),
    (ServerSettings, {"backlog": 0}, ValueError, "ServerSettings(backlog=0): connections that"),
    (ServerSettings, {"half_close": "maybe"}, ValueError, "it is one of 'gone', 'waiting'"),
    (ServerSettings, {"protocol": "h9"}, ValueError, "it is one of 'fast', 'h11'"),
    (ServerSettings, {"timeouts": 30}, TypeError, "it is a Timeouts(...)"),
]


@pytest.mark.parametrize(("group", "values", "kind", "says"), MISTAKES)
def test_a_mistake_is_told_when_it_is_made(
    group: type[msgspec.Struct], values: dict[str, object], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        group(**values)


def test_a_setting_by_its_position_is_told_to_be_given_by_name() -> None:
    with pytest.raises(TypeError, match=r"Timeouts takes its settings by name: Timeouts\(idle_s="):
        Timeouts(5.0)  # type: ignore[call-arg]


@pytest.mark.parametrize("group", [Timeouts, Limits])
def test_what_is_a_setting_here_is_nowhere_else(group: Any) -> None:
    assert not group.elsewhere.keys() & set(group.__struct_fields__)
    assert set(group.elsewhere.values()) <= set(group.__struct_fields__)


def test_an_endless_time_is_one() -> None:
    assert Timeouts(handler_s=float("inf"), idle_s=5) == Timeouts(handler_s=inf, idle_s=5.0)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        ServerSettings().backlog = 1  # type: ignore[misc]


def test_the_defaults_are_those_that_the_documentation_names() -> None:
    assert msgspec.to_builtins(Timeouts()) == {
        "idle_s": 75.0,
        "head_s": 10.0,
        "body_s": 30.0,
        "handler_s": 30.0,
        "write_s": 30.0,
        "handshake_s": 10.0,
        "drain_s": 30.0,
        "cleanup_s": 5.0,
    }
    assert msgspec.to_builtins(Limits()) == {
        "head_bytes": 32 * 1024,
        "headers": 100,
        "target_bytes": 8 * 1024,
        "body_bytes": 16 * 1024 * 1024,
        "connections": 0,
    }
