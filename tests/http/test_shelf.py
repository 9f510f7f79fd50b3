"""Contents in memory: bounded, and only what cannot change unseen."""

from __future__ import annotations

import time
from pathlib import Path

from photon.http.shelf import Content, Shelf, Stamp, stamp_of


def old(size: int, inode: int = 1) -> Stamp:
    return (size, 0, 0, inode, 1)


def test_what_still_looks_so_is_given() -> None:
    shelf = Shelf(100)
    shelf.put("a", Content(old(3), b"one"))
    assert shelf.get("a", old(3)) == b"one"
    assert shelf.get("a", old(3, inode=2)) is None
    assert shelf.get("b", old(3)) is None


def test_what_was_put_first_goes_first() -> None:
    shelf = Shelf(10)
    for name in "abc":
        shelf.put(name, Content(old(4), b"1234"))
    assert [shelf.get(name, old(4)) for name in "abc"] == [None, b"1234", b"1234"]
    shelf.put("b", Content(old(1), b"1"))
    assert repr(shelf) == "<Shelf 2 files, 5 of 10 bytes>"
    shelf.put("large", Content(old(11), b"12345678901"))
    assert repr(shelf) == "<Shelf 2 files, 5 of 10 bytes>"


def test_what_was_just_written_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"1")
    content = Content(stamp_of((tmp_path / "new").stat()), b"1")
    assert not content.is_settled
    shelf = Shelf(10)
    shelf.put("new", content)
    assert shelf.get("new", content.stamp) is None
    ahead = time.time_ns() + 10**15
    assert not Content((1, 0, ahead, 1, 1), b"1").is_settled
    assert Content((1, ahead, 0, 1, 1), b"1").is_settled  # its date may be anything
