"""The docs page: Swagger UI, served from this package, without a byte from elsewhere.

A page has no script in its text, so its Content-Security-Policy allows none there: `page.js` is
made with the options when the page is constructed, and learns from an attribute of its own
element where the document is, for that depends on where the page is mounted. Everything but the
page is asked for by a URL with its version, and kept by browsers for good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from html import escape
from string import Template
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import HTML, Response
from photon.openapi.ui_assets import CSS, SCRIPT, VERSION, is_vendored, send_vendored, send_whole

_DEFAULTS: Mapping[str, Any] = {
    "deepLinking": True,
    "layout": "BaseLayout",
    # Both would have the page, or whoever makes a link to it, ask other hosts.
    "validatorUrl": None,
    "queryConfigEnabled": False,
}

# What the page says itself, and what is code, which JSON has not.
_NOT_OPTIONS = {
    "url": "is what `document_url` says",
    "urls": "needs a layout that is not shipped; make a DocsPage for each document",
    "spec": "is what `document_url` says",
    "configUrl": "has no use here: give the options themselves",
    "dom_id": "is the page's own matter",
    "domNode": "is the page's own matter",
    "presets": "are JavaScript; serve a page of your own",
    "plugins": "are JavaScript; serve a page of your own",
}

_ORIGIN = re.compile(r"((https?|wss?)://)?[A-Za-z0-9.*\[\]:-]+")

# All that may stand in a URL as it is (RFC 3986 §2.2), and what is percent-encoded already.
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~-._"
_PATH_SAFE = "!$%&'()*+,/:;=@~-._"

_FOR_GOOD = "max-age=31536000, immutable"


class DocsPage:
    """An application that shows an OpenAPI document, to be mounted at a path such as `/docs`.

    Args:
        document_url: of the document, as JSON or YAML. A relative one starts at the page:
            "../openapi.json" for a page at `/docs` and a document beside it, whatever a proxy
            puts before both.
        title: of the page.
        options: options of Swagger UI (its docs/usage/configuration.md), such as
            `{"docExpansion": "none"}`: any that JSON can hold.
        oauth: options of Swagger UI's `initOAuth`, such as `{"clientId": "docs"}`. Everybody who
            opens the page can read them. Register `oauth2-redirect.html` below the page with the
            authorization server.
        connect_to: origins beside the page's own that it may send requests to, such as
            "https://api.example.com": servers that the document names, and token URLs.
    Raises: ValueError, TypeError: for what the page could not be made of.
    """

    def __init__(
        self,
        document_url: str,
        *,
        title: str,
        options: Mapping[str, Any] | None = None,
        oauth: Mapping[str, Any] | None = None,
        connect_to: Sequence[str] = (),
    ) -> None:
        self.document_url = quote(document_url, safe=_URL_SAFE)
        self.title = title
        self._policy = _policy([*_origin_of(document_url), *_checked_origins(connect_to)])
        script = Template(SCRIPT).substitute(
            config=_json("options", {**_DEFAULTS, **_checked_options(options or {})}),
            oauth="null" if oauth is None else _json("oauth", oauth),
        )
        # By name: content, media type and version.
        self._own = {
            "page.js": (script.encode(), "text/javascript; charset=utf-8", _digest(script)),
            "page.css": (CSS.encode(), "text/css; charset=utf-8", _digest(CSS)),
        }

    def __call__(self, request: Request) -> Response:
        """The page at "" and "/", its files below.   Raises: HTTPError: 404, 405, 412."""
        name = request.raw_path.removeprefix("/")
        if name and name not in self._own and not is_vendored(name):
            raise HTTPError(404, "the docs have no such file")
        if request.method not in ("GET", "HEAD"):
            raise HTTPError(405, "the docs are only read", headers={"allow": "GET, HEAD"})
        if not name:
            response = self._page(request)
        elif name in self._own:
            response = self._own_file(request, name)
        else:
            response = send_vendored(request, name, _caching(request, VERSION))
        response.headers["x-content-type-options"] = "nosniff"
        if (response.content_type or "").startswith("text/html"):
            response.headers["content-security-policy"] = self._policy
            response.headers["referrer-policy"] = "same-origin"
        return response

    def _page(self, request: Request) -> Response:
        text = self.page(request.root)
        fields = {"etag": f'"{_digest(text)}"', "cache-control": "no-cache"}
        return send_whole(request, text.encode(), HTML, fields)

    def _own_file(self, request: Request, name: str) -> Response:
        content, media_type, version = self._own[name]
        fields = {"etag": f'"{version}"', "cache-control": _caching(request, version)}
        return send_whole(request, content, media_type, fields)

    def page(self, root: str = "") -> str:
        """The page as HTML.

        Args: root: the path where it is mounted, with all that a proxy took off before it.
        """
        # It may be what a proxy's header says. "//elsewhere/x" would be another host.
        path = quote(root.strip("/"), safe=_PATH_SAFE, errors="replace")
        base = f"/{path}/" if path else "/"
        document = escape(_joined(base, self.document_url))

        def url(name: str) -> str:
            version = self._own[name][2] if name in self._own else VERSION
            return escape(f"{base}{name}?v={version}")

        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(self.title)}</title>
<link rel="icon" type="image/png" sizes="32x32" href="{url("favicon-32x32.png")}">
<link rel="icon" type="image/png" sizes="16x16" href="{url("favicon-16x16.png")}">
<link rel="stylesheet" href="{url("swagger-ui.css")}">
<link rel="stylesheet" href="{url("page.css")}">
<script src="{url("page.js")}" data-document="{document}"></script>
<script src="{url("swagger-ui-bundle.js")}" defer></script>
</head>
<body>
<div id="swagger-ui"></div>
<noscript><p>This page needs JavaScript. The document itself:
<a href="{document}">{document}</a></p></noscript>
</body>
</html>
"""

    def __repr__(self) -> str:
        return f"<DocsPage {self.title!r} of {self.document_url}>"


# What is sent...


def _policy(origins: Sequence[str]) -> str:
    """A Content-Security-Policy under which the page runs nothing but the files served here."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",  # icons in Swagger UI's style sheet
            " ".join(["connect-src 'self'", *dict.fromkeys(origins)]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        ]
    )


def _joined(base: str, url: str) -> str:
    """A URL that is relative to the path `base`."""
    if urlsplit(url).netloc:
        return url
    # `urljoin` lets "../" lead out of a path, unless that belongs to a host (RFC 3986 §5.2.4).
    return urljoin(f"http://here{base}", url).removeprefix("http://here")


def _caching(request: Request, version: str) -> str:
    """For good, when the URL has the version; else it is to be asked for each time."""
    return _FOR_GOOD if request.query_string == f"v={version}" else "no-cache"


def _json(what: str, value: Mapping[str, Any]) -> str:
    """JSON that may stand in a script."""
    try:
        text = msgspec.json.encode(dict(value)).decode()
    except TypeError as error:
        raise TypeError(
            f"{what} of the docs page must be JSON, as they are sent to the browser: {error}"
        ) from error
    # These stand only within strings. A script must not hold a "</script", should somebody put it
    # into a page, and old readers of JavaScript take the other two for line breaks.
    for char in "<\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


# What users give...


def _checked_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, why in _NOT_OPTIONS.items():
        if name in options:
            raise ValueError(f"{name!r} among the options of the docs page: {name} {why}")
    if options.get("layout") == "StandaloneLayout":
        raise ValueError("StandaloneLayout is not shipped with the docs page: use BaseLayout")
    return options


def _origin_of(document_url: str) -> list[str]:
    """The origin of a URL that names one, for the page must be let there."""
    parts = urlsplit(document_url)
    if not document_url or parts.scheme not in ("", "http", "https"):
        raise ValueError(
            f"{document_url!r} is no URL of a document: give a path such as '/openapi.json', or "
            "http(s)://..."
        )
    if not parts.netloc:
        return []
    if "@" in parts.netloc:
        raise ValueError("the URL of the document has a password in it, and browsers refuse that")
    return _checked_origins([f"{parts.scheme}://{parts.netloc}" if parts.scheme else parts.netloc])


def _checked_origins(origins: Sequence[str]) -> list[str]:
    if isinstance(origins, str):
        raise TypeError(f"connect_to is a list of origins: [{origins!r}]")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is no origin: write scheme and host in ASCII, without a path, such "
                "as 'https://api.example.com'"
            )
    return list(origins)
