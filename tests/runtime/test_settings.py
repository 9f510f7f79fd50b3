"""Settings that are checked when they are made."""

from __future__ import annotations

import re
from math import inf, nan
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from msgspec import Meta

from photon.runtime.settings import Settings


class Paint(Settings, frozen=True, kw_only=True):
    colour: str = "red"


class House(Settings, frozen=True, kw_only=True):
    elsewhere: ClassVar[dict[str, str]] = {"storeys": "floors"}

    floors: Annotated[int, Meta(gt=0, description="how high it is")] = 1
    rest_s: Annotated[float, Meta(ge=0, description="until the next one is built")] = 1.5
    has_cellar: bool = False
    paint: Paint | None = None


class Villa(House, frozen=True, kw_only=True):
    garden_m2: Annotated[int, Meta(ge=10, le=90)] = 20


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"floors": 0}, ValueError, "Villa(floors=0): how high it is; it is a whole number >= 1"),
        ({"floors": "2"}, TypeError, "Villa(floors='2'): how high it is; it is a whole number"),
        ({"floors": True}, TypeError, "floors=True"),
        ({"rest_s": -1}, ValueError, "until the next one is built; it is a number >= 0"),
        ({"rest_s": nan}, ValueError, "rest_s=nan): until the next one is built; it is a number"),
        ({"rest_s": "20"}, TypeError, "Villa(rest_s='20')"),
        ({"has_cellar": 1}, TypeError, "Villa(has_cellar=1): it is True or False"),
        ({"paint": True}, TypeError, "Villa(paint=True): it is a Paint(...) or None"),
        ({"garden_m2": 91}, ValueError, "it is a whole number <= 90"),
        ({"storeys": 2}, TypeError, "Villa has no setting 'storeys': here it is floors"),
        ({"gardn_m2": 20}, TypeError, "no setting 'gardn_m2'; did you mean garden_m2?"),
    ],
)
def test_what_cannot_be_is_told_when_it_is_made(
    given: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        Villa(**given)


def test_they_are_given_by_name() -> None:
    positional: Any = House
    with pytest.raises(TypeError, match=r"takes its settings by name: House\(floors=\.\.\.\)"):
        positional(2)


def test_what_can_be_is_taken() -> None:
    villa = Villa(floors=2, rest_s=inf, paint=Paint(), has_cellar=True)
    assert (villa.floors, villa.rest_s, villa.garden_m2) == (2, inf, 20)
    assert Villa(rest_s=3) == Villa(rest_s=3.0)
    assert msgspec.structs.replace(villa, floors=3).floors == 3
    with pytest.raises(ValueError, match="how high it is"):
        msgspec.structs.replace(villa, floors=0)
