"""The options of a server: one declaration each, with bounds, a unit and a description."""

from __future__ import annotations

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
