"""The body of a request: pulled when read, limited, and read in one way."""

from __future__ import annotations

import pytest

from photon.http.body import Body, NoBody
from photon.http.errors import BodyTooLarge
from tests.http.requests import Pieces


def test_nothing_is_pulled_before_somebody_reads() -> None:
    source = Pieces(b"abc")
    body = Body(source, 3, 100)
    chunks = body.chunks()
    assert source.asked == 0
    assert next(chunks) == b"abc"
    assert source.asked == 1


@pytest.mark.parametrize("length", [6, None])
def test_it_is_read_whole_and_again(length: int | None) -> None:
    source = Pieces(b"abc", b"def")
    body = Body(source, length, 100)
    assert body.read() == b"abcdef"
    asked = source.asked
    assert body.read() == b"abcdef"
    assert list(body.chunks()) == [b"abcdef"]
    assert source.asked == asked


def test_it_is_read_as_it_comes() -> None:
    assert list(Body(Pieces(b"abc", b"def"), None, 100).chunks()) == [b"abc", b"def"]


def test_an_empty_body_is_not_asked_for() -> None:
    source = Pieces()
    body = Body(source, 0, 100)
    assert body.read() == b""
    assert list(body.chunks()) == []
    assert source.asked == 0
    assert NoBody().next_body_chunk() == b""


def test_what_declares_too_much_is_refused_before_it_is_read() -> None:
    source = Pieces(b"a" * 101)
    body = Body(source, 101, 100)
    with pytest.raises(BodyTooLarge, match="limit of 100 bytes"):
        body.read()
    with pytest.raises(BodyTooLarge):
        body.chunks()
    assert source.asked == 0


def test_what_becomes_too_much_is_refused_when_it_does() -> None:
    source = Pieces(b"a" * 60, b"b" * 40, b"c", b"d")
    body = Body(source, None, 100)
    with pytest.raises(BodyTooLarge) as refused:
        body.read()
    assert (refused.value.status, refused.value.limit) == (413, 100)
    assert source.pieces == [b"d"]


def test_a_body_that_was_too_large_stays_so() -> None:
    body = Body(Pieces(b"a" * 101), None, 100)
    for _ in range(2):
        with pytest.raises(BodyTooLarge):
            body.read()


def test_a_body_may_be_as_large_as_the_limit() -> None:
    assert len(Body(Pieces(b"a" * 100), 100, 100).read()) == 100
    assert len(Body(Pieces(b"a" * 100), None, 100).read()) == 100


def test_its_limit_is_raised_and_lowered_before_it_is_read() -> None:
    body = Body(Pieces(b"a" * 150), 150, 100)
    body.limit(150)
    assert len(body.read()) == 150
    body = Body(Pieces(b"a" * 60), None, 100)
    body.limit(59)
    with pytest.raises(BodyTooLarge, match="limit of 59 bytes"):
        body.read()


def test_its_limit_is_not_moved_while_it_is_read() -> None:
    body = Body(Pieces(b"a"), 1, 100)
    list(body.chunks())
    with pytest.raises(RuntimeError, match="before the first read"):
        body.limit(200)
    with pytest.raises(ValueError, match="a number of bytes, not -1"):
        body.limit(-1)


def test_it_is_read_in_one_way() -> None:
    body = Body(Pieces(b"abc", b"def"), 6, 100)
    chunks = body.chunks()
    with pytest.raises(RuntimeError, match="one way"):
        body.chunks()
    with pytest.raises(RuntimeError, match="one way"):
        body.read()
    assert list(chunks) == [b"abc", b"def"]
    with pytest.raises(RuntimeError, match="one way"):
        body.read()


def test_it_tells_how_far_it_is() -> None:
    body = Body(Pieces(b"abc"), 3, 100)
    assert repr(body) == "<Body 3 bytes, 0 read>"
    body.read()
    assert repr(body) == "<Body 3 bytes, 3 read, complete>"
    assert repr(Body(Pieces(), None, 100)) == "<Body chunked, 0 read>"
