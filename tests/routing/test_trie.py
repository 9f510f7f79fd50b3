"""The shape of the trie that the compiler writes out."""

from photon.routing.converters import BUILT_IN
from photon.routing.route import Route
from photon.routing.trie import Node, grow


def trie_of(*templates: str) -> Node:
    return grow(Route(template, ["GET"], template) for template in templates)


def test_templates_that_begin_alike_share_nodes() -> None:
    root = trie_of("/a/{x}", "/a/{y}/b", "/a/c")
    assert list(root.literals) == ["a"]
    inside = root.literals["a"]
    assert list(inside.literals) == ["c"]
    [(segment, child)] = inside.edges
    assert segment.key == (BUILT_IN["str"],)
    assert child.route is not None
    assert child.route.endpoint == "/a/{x}"
    assert list(child.literals) == ["b"]


def test_a_node_knows_its_depth_and_the_shortest_way_to_a_route() -> None:
    root = trie_of("/a/b/c/{x}", "/a/{y}")
    assert (root.depth, root.least) == (1, 1)
    inside = root.literals["a"]
    assert (inside.depth, inside.least) == (2, 3)
    deeper = inside.literals["b"]
    assert (deeper.depth, deeper.least) == (3, 5)


def test_edges_are_in_the_order_of_their_rank_not_of_registration() -> None:
    templates = ["/{a:path}", "/{a}", "/{a:int}", "/{a}.x"]
    expected = ["/{a}.x", "/{a:int}", "/{a}", "/{a:path}"]
    for order in (templates, templates[::-1]):
        routes = [child.route for _, child in trie_of(*order).edges]
        assert [route.endpoint for route in routes if route] == expected


def test_a_literal_is_the_only_way_on_if_nothing_else_is() -> None:
    assert trie_of("/a/b").only_literal == "a"
    assert trie_of("/a/b", "/c").only_literal is None
    assert trie_of("/a/b", "/{c}").only_literal is None
    assert trie_of("/a", "/a/b").literals["a"].only_literal is None


def test_what_spans_takes_the_rest() -> None:
    [(_, child)] = trie_of("/{rest:path}").edges
    assert child.takes_rest
    [(_, child)] = trie_of("/{one}").edges
    assert not child.takes_rest
