"""The table of refusals itself; what it refuses is in tests/protocol_contract."""

from __future__ import annotations

import pytest

from photon.http.errors import ProtocolError
from photon.http.protocol.limits import HeadLimits
from photon.http.protocol.rules import RULES, examine_beginning, examine_head, refuse

LIMITS = HeadLimits()
GOOD = b"GET / HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\n"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_is_about_and_where_it_is_from(name: str) -> None:
    rule = RULES[name]
    assert 400 <= rule.status < 600
    assert rule.says
    assert not rule.says.endswith(".")
    assert rule.why
    with pytest.raises(ProtocolError) as refused:
        refuse(name, ": more")
    assert (refused.value.rule, refused.value.status) == (name, rule.status)
    assert refused.value.detail == f"{rule.says}: more"


@pytest.mark.parametrize("name", [n for n in RULES if n not in ("malformed", "http2")])
def test_most_rules_name_their_source(name: str) -> None:
    assert "RFC" in RULES[name].why


def test_a_good_head_passes_however_much_of_it_was_examined_before() -> None:
    for examined in range(len(GOOD)):
        examine_beginning(GOOD[:-2], LIMITS, min(examined, len(GOOD) - 2))
        examine_head(GOOD, LIMITS, examined)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [(b"\n", "bare-lf"), (b"\x00", "control-character"), (b"\r", "bare-cr")],
)
def test_only_what_is_new_is_examined(fault: bytes, rule: str) -> None:
    beginning = GOOD[:26] + fault + GOOD[26:-2]
    for examined in range(27):
        with pytest.raises(ProtocolError) as refused:
            examine_beginning(beginning, LIMITS, examined)
        assert refused.value.rule == rule
    examine_beginning(beginning, LIMITS, 29)


@pytest.mark.parametrize("size", [1, 2, 3, 14, 15, 16, 17, 24, 25])
def test_a_beginning_that_may_become_a_head_passes(size: int) -> None:
    examine_beginning(GOOD[:size], LIMITS)


# Leniencies, as the table's own page lists them...


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\x80\xff\r\n\r\n",
        b'GET /a|b"<>\\^`{}[]#c HTTP/1.1\r\nHost: a\r\n\r\n',
        b"GET /%zz%0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\n",
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        b"!#$%&'*+-.^_`|~09AZ / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_leniencies_that_stay(head: bytes) -> None:
    examine_head(head, LIMITS)
