"""What there is, for who asked for what there is not: the routes, the near ones first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from photon.http.request import Request
from photon.routing.route import Route
from photon.telemetry.debug_page.asked import clean_target
from photon.telemetry.debug_page.markup import document, section, told
from photon.telemetry.debug_page.secrets import Redactor

_MOST = 300
_NEAR = 0.75
_LONGEST = 200


def not_found_page(
    request: Request,
    status: int,
    said: str,
    routes: Sequence[Route],
    mounts: Collection[str],
    nonce: str,
) -> str:
    """The page. Args: said: what the answer says; mounts: their prefixes."""
    redactor = Redactor()
    ranked = ranked_routes(request.path, routes)
    rows = "".join(_row(route, nearness >= _NEAR) for nearness, route in ranked[:_MOST])
    if len(ranked) > _MOST:
        rows += f"<tr><th></th><td>… and {len(ranked) - _MOST} more</td></tr>"
    rows += "".join(
        f'<tr><th>any</th><td><a href="{told(prefix)}">{told(prefix)}</a></td>'
        '<td class="where">mounted</td></tr>'
        for prefix in mounts
    )
    listed = (
        f'<table class="routes">{rows}</table>'
        if rows
        else ('<p class="lead">None yet. Write one: <code>@app.get("/")</code></p>')
    )
    target = clean_target(request, redactor)
    title = "Not found" if status == 404 else "Method not allowed"
    head = (
        f'<header><div class="bar"><span class="status s4">{status}</span><span class="asked"><b>'
        f"{told(request.method)}</b> {told(target)}</span>"
        '<span class="tools"><button id="theme" type="button" title="light or dark">◐</button>'
        f'</span></div><h1>{title}</h1><p class="message">{told(redactor.clean(said)[:1000])}</p>'
        '<p class="place">This page is shown in development only.</p></header><main>'
    )
    body = [head, section(f"Routes ({len(routes) + len(mounts)})", listed), "</main>"]
    return document(f"{status} {title}", body, nonce)


def ranked_routes(path: str, routes: Sequence[Route]) -> list[tuple[float, Route]]:
    """All routes with how near (0 to 1) their path is to one that was asked for, the nearest first;
    those that are not near in the order of their registration."""
    asked = path[:_LONGEST].lower()
    ranked = [(_nearness(asked, route.template.text), route) for route in routes]
    return sorted(ranked, key=lambda pair: -pair[0] if pair[0] >= _NEAR else 0)


def _nearness(asked: str, template: str) -> float:
    # A placeholder is as near as any text could be, so the part that was asked for takes its place.
    theirs = asked.split("/")
    ours = template.lower()[:_LONGEST].split("/")
    if len(theirs) == len(ours):
        filled = [t if "{" in o and t else o for t, o in zip(theirs, ours, strict=True)]
        ours = filled
    matcher = SequenceMatcher(None, asked, "/".join(ours), autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _NEAR else 0.0


def _row(route: Route, is_near: bool) -> str:
    methods = " ".join(sorted(route.methods))
    path = told(route.template.text)
    if "GET" in route.methods and not route.template.names:
        path = f'<a href="{path}">{path}</a>'
    return (
        f"<tr{' class=near' if is_near else ''}><th>{told(methods)}</th><td>{path}</td>"
        f'<td class="where">{told(route.name)} {told(route.place)}</td></tr>'
    )
