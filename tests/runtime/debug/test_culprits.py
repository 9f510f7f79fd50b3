"""Who is known to hold the hub is told what to write in its place."""

from __future__ import annotations

import linecache
import sys
from types import FrameType
from typing import Any

import pytest
from gevent import monkey

from photon.runtime.debug.culprits import way_out_of


def frame_at(line: str, name: str = "shop", **values: Any) -> FrameType:
    """A frame that is at a line of a module."""
    caught: list[FrameType] = []
    source = f"def work():\n    look(); {line}\n"
    file = f"/shop/{abs(hash(line))}.py"
    linecache.cache[file] = (len(source), None, [f"{part}\n" for part in source.split("\n")], file)

    def look() -> None:
        caught.append(sys._getframe(1))
        raise LookupError

    scope = {"look": look, "__name__": name, **values}
    exec(compile(source, file, "exec"), scope)
    with pytest.raises(LookupError):
        scope["work"]()
    return caught[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("hashlib.scrypt(b'', n=2)", "hashing a password"),
        ("hashlib.pbkdf2_hmac('sha256', p, s, n)", "hashing a password"),
        ("bcrypt.hashpw(p, s)", "hashing a password"),
        ("json.loads(text)", "NDJSON"),
        ("re.match(pattern, text)", "bound its repetitions"),
        ("zlib.compress(data)", "offload(fn, *args)"),
        ("cursor.execute(sql)", "SQLite"),
        ("Image.open(path)", "images"),
        ("np.linalg.svd(a)", "numpy"),
        ("pd.read_csv(path)", "pandas"),
        ("data = file.read()", "files on a disk"),
    ],
)
def test_a_call_is_known_by_its_line(line: str, says: str) -> None:
    assert says in way_out_of(frame_at(line))


def test_a_package_is_known() -> None:
    assert "psycopg (version 3)" in way_out_of(frame_at("x()", "psycopg2.extensions"))


def test_what_nobody_knows() -> None:
    assert way_out_of(frame_at("x()")) == ""
    assert way_out_of(None) == ""


def test_an_original_that_was_taken_before_the_patch() -> None:
    told = way_out_of(frame_at("nap(1)", "early", nap=monkey.get_original("time", "sleep")))
    assert "early holds time.sleep as it was before the patch" in told
