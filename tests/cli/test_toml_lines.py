"""The lines on which keys of a TOML file stand."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from photon.cli.toml_lines import leaves_of, lines_of

TEXT = '''# a comment

a = 1
b = [
  1,  # in between
  2,
]

  [x.y]   # a table
k = """
[z]
q = 1
"""
"d.e".f = {g = 1, h.i = 2}
[e]
[[list]]
z = 1
[[list]]
z = 2
'''


def test_each_key_has_its_line() -> None:
    assert lines_of(TEXT) == {
        ("a",): 3,
        ("b",): 4,
        ("x",): 9,
        ("x", "y"): 9,
        ("x", "y", "k"): 10,
        ("x", "y", "d.e"): 14,
        ("x", "y", "d.e", "f"): 14,
        ("x", "y", "d.e", "f", "g"): 14,
        ("x", "y", "d.e", "f", "h"): 14,
        ("x", "y", "d.e", "f", "h", "i"): 14,
        ("e",): 15,
        ("list",): 16,
        ("list", "z"): 17,
    }


def test_a_last_line_without_an_end() -> None:
    assert lines_of("a = 1\n\nb = 2") == {("a",): 1, ("b",): 3}


def test_nothing_has_no_lines() -> None:
    assert lines_of("") == lines_of("# a\n\n  # b") == {}


VALUES = st.sampled_from(["1", '"""\n[a]\nb = 1\n"""', "[\n1,\n]", "'''\n'''", "{q = 1}", '"#"'])
NAMES = st.text("abc", min_size=1, max_size=3)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=4))
def test_every_key_that_there_is_has_one(tables: dict[str, dict[str, str]]) -> None:
    text = ""
    at: dict[tuple[str, ...], int] = {}
    for table, keys in tables.items():
        text += f"\n# about {table}\n[{table}]\n"
        for key, value in keys.items():
            path: tuple[str, ...] = (table, key)
            path = (*path, "q") if value.startswith("{") else path
            at[path] = text.count("\n") + 1
            text += f"{key} = {value}\n"
    lines = lines_of(text)
    for path, value in leaves_of(tomllib.loads(text)):
        assert value == {} or lines[path] == at[path]
