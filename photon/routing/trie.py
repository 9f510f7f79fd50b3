"""A trie of templates: one edge for each segment, shared by the templates that begin alike.

Every edge takes exactly one segment of a path (one that spans takes all that are left), so each
node belongs to one position in the path, and a search that backtracks sees each node at most once.
That is why matching time is bounded by the routes, whatever the path: there is no way to make the
search exponential.
"""

from collections.abc import Iterable

from photon.routing.route import Route
from photon.routing.template import Segment, SegmentKey


class Node:
    """A position in the trie.

    Attributes:
        depth: where in `path.split("/")` its own segment would be looked for; the root's is 1.
        least: how many parts a path has at least, if one of the routes below is to match.
        route: the route that ends here.
        takes_rest: the segment before took all that is left of the path.
        literals: what follows a literal segment, by its text.
    """

    __slots__ = ("_edges", "depth", "least", "literals", "route", "takes_rest")

    def __init__(self, depth: int, least: int, *, takes_rest: bool = False) -> None:
        self.depth = depth
        self.least = least
        self.route: Route | None = None
        self.takes_rest = takes_rest
        self.literals: dict[str, Node] = {}
        self._edges: dict[SegmentKey, tuple[Segment, Node]] = {}

    @property
    def edges(self) -> list[tuple[Segment, "Node"]]:
        """What follows a segment with placeholders, in the order in which they are tried."""
        return sorted(self._edges.values(), key=lambda edge: edge[0].rank)

    @property
    def only_literal(self) -> str | None:
        """The literal segment that has to follow, if nothing else can."""
        if self.route is None and not self._edges and len(self.literals) == 1:
            return next(iter(self.literals))
        return None

    def follow(self, segment: Segment, least: int) -> "Node":
        """The node behind a segment, grown if there is none, on the way to a route that takes
        `least` parts."""
        child = Node(self.depth + 1, least, takes_rest=segment.spans)
        if (text := segment.literal) is not None:
            child = self.literals.setdefault(text, child)
        else:
            _, child = self._edges.setdefault(segment.key, (segment, child))
        child.least = min(child.least, least)
        return child


def grow(routes: Iterable[Route]) -> Node:
    """The root of a trie of routes, no two of which match the same paths."""
    root = Node(depth=1, least=1)
    for route in routes:
        node = root
        for segment in route.template.segments:
            node = node.follow(segment, least=1 + len(route.template.segments))
        node.route = route
    return root
