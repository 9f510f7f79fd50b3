"""Chains of proxies, read from their end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.middleware.proxies import (
    MOST_HOPS,
    Hop,
    TrustedProxies,
    find_client,
    forwarded_hops,
    last_of,
    parse_node,
    x_forwarded_hops,
)

TRUSTED = TrustedProxies(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("192.0.2.1", "192.0.2.1 0"),
        ("192.0.2.1:4711", "192.0.2.1 4711"),
        ("192.0.2.1:_x", "192.0.2.1 0"),
        ("2001:db8::1", "2001:db8::1 0"),
        ("[2001:DB8::1]", "2001:db8::1 0"),
        ("[2001:db8::1]:443", "2001:db8::1 443"),
        ("::ffff:192.0.2.1", "192.0.2.1 0"),
        ("unknown", None),
        ("_hidden", None),
        ("_hidden:80", None),
        ("", None),
        ("-", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("192.0.2.1:port", None),
        ("192.0.2.1:123456", None),
        ("192.0.2.1:4 ", None),
        ("[192.0.2.1]", None),
        ("[::1", None),
        ("[::1]80", None),
        ("fe80::1%eth0", None),
        ("[fe80::1%eth0]:1", None),
        ("example.com", None),
        ("1" * 9000, None),
        ("1:" * 4000, None),
    ],
)
def test_nodes(text: str, node: str | None) -> None:
    parsed = parse_node(text)
    assert (None if parsed is None else f"{parsed[0]} {parsed[1]}") == node


@pytest.mark.parametrize(
    ("value", "hops"),
    [
        ("a", ["a"]),
        ("a, b,c", ["c", "b", "a"]),
        (" ,a,, ", ["a"]),
        ("", []),
    ],
)
def test_x_forwarded_for_from_the_right(value: str, hops: list[str]) -> None:
    assert [hop.node for hop in x_forwarded_hops(value)] == hops


@pytest.mark.parametrize(
    ("value", "hops"),
    [
        ("for=192.0.2.43", [Hop("192.0.2.43")]),
        ("For=a;PROTO=https;by=b;host=c", [Hop("a", "https", "c")]),
        ("for=a, for=b", [Hop("b"), Hop("a")]),
        ("for=a,for=b;proto=http", [Hop("b", "http"), Hop("a")]),
        ('for="[2001:db8::1]:4711"', [Hop("[2001:db8::1]:4711")]),
        ('for="a,b;c", for=d', [Hop("d"), Hop("a,b;c")]),
        ("for=_gazonk; proto=https", [Hop("_gazonk", "https")]),
        ("for=a;", [Hop("a")]),
        ("for=a ; proto=b", [Hop("a", "b")]),
        ("by=a;secret=b", [Hop("")]),
        ("for=a;for=b", [Hop("")]),
        ("for", [Hop("")]),
        ("for=", [Hop("")]),
        ("for=a b", [Hop("")]),
        ("for =a", [Hop("")]),
        ('for="a\\"b"', [Hop("")]),
        ('for="evil, for=b', [Hop("b"), Hop("")]),
        ('for="evil, for="b"', [Hop("b"), Hop("")]),
        ('for="evil\\", for=b', [Hop("b"), Hop("")]),
        (",, for=a ,,", [Hop("a")]),
        ("", []),
    ],
)
def test_forwarded_from_the_right(value: str, hops: list[Hop]) -> None:
    assert list(forwarded_hops(value)) == hops


@given(st.text(max_size=200), st.sampled_from(["192.0.2.7", '"[2001:db8::7]:80"', "_x", "unknown"]))
def test_nothing_that_strangers_wrote_hides_what_a_proxy_appended(before: str, node: str) -> None:
    hops = forwarded_hops(f"{before}, for={node};proto=https")
    assert next(hops) == Hop(node.strip('"'), "https")
    list(hops)


@given(st.text(alphabet='for=,;" \\[]:1.a_\x80', max_size=300))
def test_any_text_is_read(value: str) -> None:
    for hops in (forwarded_hops(value), x_forwarded_hops(value)):
        client, _ = find_client(hops, TRUSTED)
        assert client is None or client.rpartition(":")[2].isdecimal()


@pytest.mark.parametrize(
    "value",
    [
        "," * 32_000,
        '"' * 32_000,
        '\\"' * 16_000,
        "for=a;" * 5_000,
        "10.0.0.1," * 3_000,
        ";" * 32_000,
    ],
)
def test_hostile_headers_are_read_in_bounded_time(value: str) -> None:
    for hops in (forwarded_hops(value), x_forwarded_hops(value)):
        find_client(hops, TRUSTED)


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9", "203.0.113.9:0"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9:0"),
        ("6.6.6.6, 203.0.113.9:99, 10.1.1.1", "203.0.113.9:99"),
        ("2001:db8::1, fd00::1, 10.1.1.1", "[2001:db8::1]:0"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2:0"),
        ("6.6.6.6, unknown, 10.0.0.1", "10.0.0.1:0"),
        ("6.6.6.6, unknown", None),
        ("garbage", None),
        ("", None),
    ],
)
def test_who_is_the_client(chain: str, client: str | None) -> None:
    assert find_client(x_forwarded_hops(chain), TRUSTED)[0] == client


def test_chains_are_bounded() -> None:
    chain = ", ".join(["6.6.6.6", *[f"10.0.0.{n}" for n in range(1, 100)]])
    client, _ = find_client(x_forwarded_hops(chain), TRUSTED)
    assert client == f"10.0.0.{100 - MOST_HOPS}:0"


@pytest.mark.parametrize(
    ("given", "peer", "trusted"),
    [
        (["10.0.0.0/8"], "10.1.2.3:99", True),
        (["10.0.0.0/8"], "11.1.2.3:99", False),
        (["10.0.0.0/8"], "[::ffff:10.1.2.3]:99", True),
        (["127.0.0.1"], "127.0.0.1:1", True),
        (["127.0.0.1"], "127.0.0.2:1", False),
        (["::1"], "[::1]:1", True),
        (["fe80::/10"], "[fe80::1%eth0]:1", True),
        (["127.0.0.1"], "", False),
        (["unix"], "", True),
        (["unix"], "127.0.0.1:1", False),
        (["*"], "", True),
        (["*"], "8.8.8.8:1", True),
        (["10.0.0.0/8"], "wire:0", False),
    ],
)
def test_which_peers_are_believed(given: list[str], peer: str, trusted: bool) -> None:
    assert TrustedProxies(given).trust_peer(peer) is trusted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10.0.0.1/8", "write '10.0.0.0/8'"),
        ("proxy.internal", "neither an address nor a network"),
        ("10.0.0.0/33", "neither an address nor a network"),
        ("", "neither an address nor a network"),
    ],
)
def test_proxies_that_are_none(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TrustedProxies([text])


def test_the_last_of_a_list() -> None:
    assert last_of({"a": "b, c "}, "a") == "c"
    assert last_of({"a": "b"}, "a") == "b"
    assert last_of({}, "a") == ""
