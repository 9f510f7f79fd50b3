from __future__ import annotations

from typing import Any

import pytest

from photon.openapi.components import Components
from photon.openapi.errors import OpenAPIError
from photon.openapi.requirements import requirements_of
from photon.security.api_key import APIKey
from photon.security.basic import HTTPBasic
from photon.security.bearer import HTTPBearer
from photon.security.oauth2 import OAuth2Password
from tests.openapi.plans import needs, operation

BASIC, KEY = HTTPBasic(), APIKey("key")
OAUTH = OAuth2Password("/token", {"read": "Look.", "write": "Change."})
MAYBE_BASIC, MAYBE_KEY = HTTPBasic(optional=True), APIKey("key", optional=True)


def user() -> None: ...


def admin() -> None: ...


CASES: list[tuple[list[Any], list[Any]]] = [
    ([], []),
    ([needs(user)], []),
    ([needs(BASIC)], [{"HTTPBasic": []}]),
    ([needs(BASIC), needs(KEY)], [{"HTTPBasic": [], "APIKey_key": []}]),
    ([needs(MAYBE_BASIC)], [{"HTTPBasic": []}, {}]),
    ([needs(MAYBE_BASIC), needs(MAYBE_KEY)], [{"HTTPBasic": []}, {"APIKey_key": []}, {}]),
    ([needs(BASIC), needs(MAYBE_KEY)], [{"HTTPBasic": [], "APIKey_key": []}, {"HTTPBasic": []}]),
    ([needs(BASIC), needs(MAYBE_BASIC)], [{"HTTPBasic": []}]),
    ([needs(OAUTH, scopes=("read",))], [{"OAuth2Password": ["read"]}]),
    # Scopes go down to the scheme, and add up.
    (
        [needs(admin, needs(user, needs(OAUTH), scopes=("read",)), scopes=("write",))],
        [{"OAuth2Password": ["write", "read"]}],
    ),
    (
        [needs(user, needs(OAUTH), scopes=("read",)), needs(admin, needs(OAUTH))],
        [{"OAuth2Password": ["read"]}],
    ),
]


@pytest.mark.parametrize(("depends", "expected"), CASES, ids=range(len(CASES)))
def test_what_lets_a_request_in(depends: Any, expected: Any) -> None:
    assert requirements_of(operation(depends=depends).plan, Components()) == expected


def test_the_schemes_are_collected() -> None:
    components = Components(schemes={"mine": {"type": "mutualTLS"}})
    requirements_of(operation(depends=[needs(user, needs(BASIC))]).plan, components)
    assert components.as_object()["securitySchemes"] == {
        "mine": {"type": "mutualTLS"},
        "HTTPBasic": {"type": "http", "scheme": "basic"},
    }


def test_two_schemes_cannot_have_one_name() -> None:
    plan = operation(depends=[needs(HTTPBearer()), needs(HTTPBearer(bearer_format="JWT"))]).plan
    with pytest.raises(OpenAPIError, match=r"are named 'HTTPBearer': .* scheme_name"):
        requirements_of(plan, Components())


def test_any_provider_with_the_two_attributes_is_a_scheme() -> None:
    def own() -> None: ...

    vars(own).update(scheme={"type": "mutualTLS"}, scheme_name="Own")
    assert requirements_of(operation(depends=[needs(own)]).plan, Components()) == [{"Own": []}]
