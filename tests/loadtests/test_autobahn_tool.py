from __future__ import annotations

import pytest

from loadtests.autobahn.__main__ import Case, judge, parse, table


def case(id: str = "1.1.1", behavior: str = "OK", close: str = "OK") -> Case:
    title = "Send <b>something</b>\n   and  wait."
    return Case(id, title, behavior, close, "It was so.", 5, ["RF 1"])


@pytest.mark.parametrize(
    ("behavior", "close", "outcome"),
    [
        ("OK", "OK", "OK"),
        ("OK", "FAILED BY CLIENT", "OK"),
        ("OK", "WRONG CODE", "CLOSE WRONG CODE"),
        ("NON-STRICT", "OK", "NON-STRICT"),
        ("INFORMATIONAL", "INFORMATIONAL", "INFORMATIONAL"),
        ("FAILED", "FAILED", "FAILED"),
        ("UNIMPLEMENTED", "OK", "UNIMPLEMENTED"),
    ],
)
def test_an_outcome_is_of_the_case_and_of_its_end(behavior: str, close: str, outcome: str) -> None:
    assert case(behavior=behavior, close=close).outcome == outcome


@pytest.mark.parametrize(
    ("behavior", "strict", "code"),
    [
        ("OK", True, 0),
        ("INFORMATIONAL", True, 0),
        ("NON-STRICT", False, 0),
        ("NON-STRICT", True, 1),
        ("FAILED", False, 1),
        ("UNIMPLEMENTED", False, 1),
    ],
)
def test_the_exit_code(behavior: str, strict: bool, code: int) -> None:
    assert judge([case(behavior=behavior)], 1, strict) == code


def test_a_case_that_did_not_end_is_a_failure() -> None:
    assert judge([case()], 2, False) == 1
    assert judge([], 0, False) == 1


def test_the_table_counts_groups_and_names_what_was_not_ok() -> None:
    lines = list(table([case(), case("2.9", "FAILED"), case("2.10")], verbose=False))
    assert lines[0].split() == ["cases", "OK", "FAILED", "slowest", "ms"]
    assert lines[1].split() == ["1.*", "1", "-", "5"]
    assert lines[2].split() == ["2.*", "1", "1", "5"]
    assert lines[4:] == [
        "2.9       FAILED                5 ms  Send something and wait.",
        " " * 10 + "It was so.",
    ]


def test_the_quick_cases_have_no_messages_of_megabytes() -> None:
    quick = parse(["--quick"]).cases
    assert "9.1.3" in quick
    assert "9.1.6" not in quick
