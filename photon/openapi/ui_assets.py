"""The files of the docs page: Swagger UI as its makers packed it, and what makes a page of it.

The two large files are stored compressed, 0.5 MB in place of 1.9, and sent as they are stored.
`assets/README.md` tells where they are from and how to update them.
"""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Mapping
from functools import lru_cache

from photon.http.conditional import evaluate
from photon.http.errors import HTTPError
from photon.http.files import FileResponse
from photon.http.media import parse_qualities
from photon.http.request import Request
from photon.http.response import Response
from photon.runtime.offload import offload

VERSION = "5.35.0"
"""Of Swagger UI. It names all its files to caches."""

_FOLDER = os.path.join(os.path.dirname(__file__), "assets")

_MEDIA_TYPES = {
    "favicon-16x16.png": "image/png",
    "favicon-32x32.png": "image/png",
    "oauth2-redirect.html": "text/html; charset=utf-8",
    "oauth2-redirect.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
_PACKED = {"swagger-ui-bundle.js", "swagger-ui.css"}

_STARTED_S = int(time.time())


def is_vendored(name: str) -> bool:
    """Whether `name` is a file of Swagger UI that is served."""
    return name in _MEDIA_TYPES


def send_vendored(request: Request, name: str, caching: str) -> Response:
    """A file of Swagger UI, compressed if the client takes that.

    Args: caching: for its Cache-Control.
    """
    path = os.path.join(_FOLDER, name)
    fields = {"cache-control": caching, "etag": f'"{VERSION}"'}
    if name in _PACKED:
        path += ".gz"
        fields["vary"] = "accept-encoding"
        if not _takes_gzip(request.headers.get("accept-encoding", "")):
            return send_whole(request, offload(_unpacked, path), _MEDIA_TYPES[name], fields)
        fields["content-encoding"] = "gzip"
        # RFC 9110 §8.8.3.3: what differs by its coding differs by its entity tag.
        fields["etag"] = f'"{VERSION}-gzip"'
    return FileResponse(path, content_type=_MEDIA_TYPES[name], headers=fields)


def send_whole(
    request: Request, content: bytes, media_type: str, fields: Mapping[str, str]
) -> Response:
    """The content, or that the client has it already.

    Args: fields: header fields, the entity tag among them.
    Raises: HTTPError: 412.
    """
    verdict = evaluate(request.method, request.headers, fields["etag"], _STARTED_S)
    if verdict == "precondition failed":
        raise HTTPError(412, "the file is not the one the request is about")
    if verdict == "not modified":
        response = Response(b"", 304, fields)
        del response.headers["content-type"]
        return response
    return Response(content, 200, fields, media_type)


@lru_cache
def _unpacked(path: str) -> bytes:
    with gzip.open(path) as file:
        return file.read()


def _takes_gzip(accept_encoding: str) -> bool:
    qualities = dict(parse_qualities(accept_encoding))
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


SCRIPT = """\
"use strict";
{
  const script = document.currentScript;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  const config = $config;
  const oauth = $oauth;
  addEventListener("DOMContentLoaded", () => {
    const ui = SwaggerUIBundle({
      oauth2RedirectUrl: new URL("oauth2-redirect.html", script.src).href,
      ...config,
      url: script.dataset.document,
      dom_id: "#swagger-ui",
    });
    if (oauth !== null) ui.initOAuth(oauth);
  });
}
"""

CSS = """\
html { box-sizing: border-box; overflow-y: scroll; }
*, *::before, *::after { box-sizing: inherit; }
body { margin: 0; background: #fafafa; }
html.dark-mode body { background: #1c2022; }
noscript p { margin: 2em; font-family: sans-serif; }
"""
