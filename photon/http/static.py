"""A directory of files as an application: style sheets, scripts, pictures, a built single page.

    app.mount("/static", StaticFiles("static"))
    app.mount("", StaticFiles("dist", fallback="index.html"))

What is asked of the disk is asked in native threads: a look-up finds a file, its encoded siblings
and when each was changed, and is good for a second; contents of small files are kept in memory for
as long as they look unchanged; larger ones are opened when they are sent, and go by sendfile.

    raw path ──Lookups──▶ Found ──Accept-Encoding──▶ Variant ──If-*, Range──▶ 304, 206, 200
                            │ none                      └─ small: Shelf, or a read; large: FoundFile
                            └─ fallback, page for 404, or HTTPError(404)

How a path is kept below the directory is told in `folder`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Literal, cast
from urllib.parse import quote

from photon.http.conditional import Decision, decide
from photon.http.dates import http_date
from photon.http.errors import HTTPError
from photon.http.file_types import TYPES, suffix_of, type_of
from photon.http.files import FileResponse, content_range, no_such_file, not_modified, refuse
from photon.http.folder import Folder
from photon.http.headers import ResponseHeaders
from photon.http.lookups import Lookups
from photon.http.media import best_match
from photon.http.opened import OpenFile, is_our_fault
from photon.http.request import Request
from photon.http.response import Response
from photon.http.shelf import Content, Shelf, stamp_of
from photon.http.static_paths import names_of
from photon.http.static_variants import ENDINGS, Found, Variant, find, variant_etag
from photon.http.target import split_target
from photon.runtime.source import place_of

logger = logging.getLogger("photon.http")

# What is larger goes by sendfile: from here on a copy costs more than opening the file again.
SMALL_BYTES = 64 * 1024

# So many look-ups are remembered: most sites have fewer files.
_MOST_LOOKUPS = 4096

CacheControl = str | Callable[[str], str | None] | None
"""A Cache-Control, or what gives one for a path such as "assets/app.3f2a.js"; None for none."""


class StaticFiles:
    """The files of a directory: GET and HEAD, ETag, If-*, Range, and nothing outside of it.

    Args:
        directory: must be there. Relative to the working directory; looked up anew at each look,
            so that a link in its place may be turned to another release.
        index: the file that answers for a directory; None for none. A directory without its slash
            is sent to where it has one (308). Nothing ever lists a directory.
        fallback: the page of a single-page application, which answers with 200 where there is no
            file: for clients that take text/html, and not where the last name of the path ends as
            a file does, by the types known here. `/users/jane.doe` is a page of the application,
            `/assets/old.js` is a 404, and no script whose first character is `<`.
        not_found: a page for the other 404s, for clients that take text/html.
        precompressed: the encodings whose siblings (app.js.br, .zst, .gz) are sent to who takes
            them. One that is older than its file is left aside.
        cache_control: what caches may do: a value for all files, or a function of the path below
            the directory, such as `lambda path: "public, max-age=31536000, immutable" if
            path.startswith("assets/") else "no-cache"`. None: browsers guess.
        types: media types by suffix, before those that are known: {".wasm": "application/wasm"}.
        follow_symlinks: let links lead out of the directory. Within it they may lead in any case.
        hidden: serve names that begin with a dot; `.well-known` is served anyway.
        remember_s: for how long a look-up is good, and so how late a change may show; 0 looks at
            each request.
        memory_bytes: for the contents of files up to 64 KiB; 0 for none.

    Raises, when it is made: FileNotFoundError, NotADirectoryError, ValueError, TypeError; when it
    is called: HTTPError: 404, 405, 412, 416.
    """

    def __init__(
        self,
        directory: str | PathLike[str],
        *,
        index: str | None = "index.html",
        fallback: str | None = None,
        not_found: str | None = None,
        precompressed: Sequence[str] = ("br", "zstd", "gzip"),
        cache_control: CacheControl = None,
        types: Mapping[str, str] | None = None,
        follow_symlinks: bool = False,
        hidden: bool = False,
        remember_s: float = 1.0,
        memory_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        path = os.fspath(directory)
        self._directory = path
        self._folder = Folder(path, follow_symlinks=follow_symlinks)
        _check_directory(path, self._folder.path)
        self._index = None if index is None else _checked_index(index)
        self._encodings = _checked_encodings(precompressed)
        self._cache_control = _checked_cache_control(cache_control)
        self._types = _checked_types(types or {})
        self._hidden = hidden
        self._fallback = self._page("fallback", fallback)
        self._not_found = self._page("not_found", not_found)
        self._found: Lookups[Found | Literal["directory"]] = Lookups(
            self._find, seconds=remember_s, most=_MOST_LOOKUPS
        )
        self._reads: Lookups[Content] = Lookups(self._read, seconds=0, most=0)
        self._shelf = Shelf(memory_bytes)

    def __call__(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise HTTPError(
                405, f"a file cannot be asked to {request.method}", headers={"allow": "GET, HEAD"}
            )
        found = self._found.get(request.raw_path)
        if found is None:
            return self._instead(request)
        if found == "directory" or _is_bare_root(request):
            return _with_slash(request)
        return self._send(request, found)

    # What is there...

    def _send(self, request: Request, found: Found) -> Response:
        headers = request.headers
        variant = found.variant_for(headers.get("accept-encoding"))
        decision = decide(request.method, headers, variant.etag, variant.modified_s, variant.size)
        refuse(decision, variant.size)
        if decision.status == 304:
            return not_modified(self._headers(found, variant))
        data = self._data(variant)
        if data is None:
            return FoundFile(self._folder, variant, self._headers(found, variant))
        return _part(data, decision, self._headers(found, variant))

    def _data(self, variant: Variant) -> bytes | None:
        """The content, if it is a small one; None as well when it just changes."""
        if variant.size > SMALL_BYTES:
            return None
        name = "/".join(variant.names)
        data = self._shelf.get(name, variant.stamp)
        if data is None:
            content = self._reads.get(name)
            if content is None or content.stamp != variant.stamp:
                return None
            self._shelf.put(name, content)
            data = content.data
        return data

    def _headers(self, found: Found, variant: Variant) -> ResponseHeaders:
        """The fields of a 200, to be changed by who sends them."""
        headers = found.headers.get(variant.encoding)
        if headers is None:  # PERF: once a look-up; it takes 12 us, the copy 0.3
            headers = found.headers[variant.encoding] = self._make_headers(found, variant)
        return headers.copy()

    def _make_headers(self, found: Found, variant: Variant) -> ResponseHeaders:
        headers = ResponseHeaders()
        headers.append("content-type", type_of(found.path, self._types))
        if variant.encoding:
            headers.append("content-encoding", variant.encoding)
        if len(found.variants) > 1:
            headers.append("vary", "accept-encoding")
        cache_control = self._cache_control
        if callable(cache_control):
            cache_control = _asked(cache_control, found.path)
        if cache_control is not None:
            headers.append("cache-control", cache_control)
        headers.append("etag", variant.etag)
        headers.append("last-modified", http_date(variant.modified_s))
        headers.append("accept-ranges", "bytes")
        headers.append("x-content-type-options", "nosniff")
        return headers

    # What is not there...

    def _instead(self, request: Request) -> Response:
        """The answer to a path that names no file.   Raises: HTTPError (404)."""
        if self._fallback is not None and self._is_for_page(request.raw_path):
            page = self._found.get(self._fallback)
            if isinstance(page, Found) and _takes_html(request):
                return self._send(request, page)
        if self._not_found is not None and _takes_html(request):
            page = self._found.get(self._not_found)
            if isinstance(page, Found):
                return self._send_missing(request, page)
        raise no_such_file()

    def _is_for_page(self, raw_path: str) -> bool:
        names = names_of(raw_path)
        if names is None:
            return False
        suffix = suffix_of(names[-1])
        return suffix not in TYPES and suffix not in self._types

    def _send_missing(self, request: Request, page: Found) -> Response:
        variant = page.variant_for(request.headers.get("accept-encoding"))
        headers = self._headers(page, variant)
        # They are about the page, and this answer is about what is not there.
        for name in ("cache-control", "etag", "last-modified", "accept-ranges"):
            del headers[name]
        data = self._data(variant)
        if data is None:
            return FoundFile(self._folder, variant, headers, status=404)
        return _response(404, data, headers)

    # In native threads...

    def _find(self, raw_path: str) -> Found | Literal["directory"] | None:
        names = names_of(raw_path, hidden=self._hidden)
        if names is None:
            return None
        try:
            if names[-1]:
                found = find(self._folder, names, self._encodings)
                if found is None and self._index_of(names) is not None:
                    return "directory"
                return found
            return self._index_of(names[:-1])
        except (OSError, ValueError) as error:
            _check(error)
            return None

    def _index_of(self, names: tuple[str, ...]) -> Found | None:
        if self._index is None:
            return None
        return find(self._folder, (*names, self._index), self._encodings)

    def _read(self, name: str) -> Content | None:
        """All of a small file; None when it is none any more, or just changes."""
        try:
            file = self._folder.open(name.split("/"))
        except (OSError, ValueError) as error:
            _check(error)
            return None
        try:
            stamp = stamp_of(file.status)
            data = os.pread(file.fd, SMALL_BYTES + 1, 0)
            if len(data) != stamp[0] or stamp_of(os.fstat(file.fd)) != stamp:
                return None
            return Content(stamp, data)
        finally:
            file.close()

    # When it is made...

    def _page(self, option: str, name: str | None) -> str | None:
        """The raw path of a page.   Raises: ValueError; FileNotFoundError."""
        if name is None:
            return None
        names = names_of("/" + quote(name))
        if names is None or not names[-1]:
            raise ValueError(f"{option}={name!r} names no file of {self._directory!r}")
        if not os.path.isfile(os.path.join(self._folder.path, name)):
            raise FileNotFoundError(
                f"{option}={name!r}: there is no such file in {self._folder.path!r}; build it "
                f"first, or leave {option} out"
            )
        return "/" + quote(name)

    def __repr__(self) -> str:
        return f"<StaticFiles {self._directory!r} {self._found!r} {self._shelf!r}>"


class FoundFile(FileResponse):
    """A large file below a directory, opened when it is sent, and as safely as it was found."""

    __slots__ = ("_encoding", "_folder", "_names")

    def __init__(
        self, folder: Folder, variant: Variant, headers: ResponseHeaders, *, status: int = 200
    ) -> None:
        Response.__init__(self, b"", status)
        self.path = "/".join(variant.names)
        self._folder = folder
        self._names = variant.names
        self._encoding = variant.encoding
        # Those of the file as it is when it is opened will be put in their place.
        self._headers = headers
        for name in ("etag", "last-modified"):
            del headers[name]

    def open_cached(self) -> OpenFile | None:
        return self._folder.open_cached(self._names)

    def open(self) -> OpenFile:
        return self._folder.open(self._names)

    def etag_of(self, opened: OpenFile) -> str:
        return variant_etag(opened.status, self._encoding)


def _part(data: bytes, decision: Decision, headers: ResponseHeaders) -> Response:
    if decision.status == 206:
        headers.append("content-range", content_range(decision, len(data)))
        data = data[decision.start : decision.end]
    return _response(decision.status, data, headers)


def _response(status: int, data: bytes, headers: ResponseHeaders) -> Response:
    response = Response(data, status)
    response._headers = headers
    return response


def _is_bare_root(request: Request) -> bool:
    """Whether a mount was asked for without its slash; the path it hands on is "/" in any case."""
    if request.raw_path != "/" or not request.root:
        return False
    return not split_target(request.target)[0].endswith("/")


def _with_slash(request: Request) -> Response:
    query = f"?{request.query_string}" if request.query_string else ""
    return Response.redirect(f"{request.root}{request.raw_path.rstrip('/')}/{query}", 308)


def _takes_html(request: Request) -> bool:
    return best_match(request.headers.get("accept"), ("text/html",)) is not None


def _asked(cache_control: Callable[[str], str | None], path: str) -> str | None:
    value = cache_control(path)
    if value is not None and not isinstance(value, str):
        raise TypeError(
            f"cache_control ({place_of(cache_control)}) returned {type(value).__name__} for "
            f"{path!r} instead of a str or None"
        )
    return value


def _check(error: Exception) -> None:
    """Pass over what means that there is no such file.   Raises: `error`, when it does not."""
    if is_our_fault(error):
        raise error
    if isinstance(error, PermissionError):
        logger.warning("a file is answered with 404, for this process may not read it: %s", error)


# What is refused when it is made...


def _check_directory(given: str, path: str) -> None:
    if os.path.isdir(path):
        return
    if os.path.exists(path):
        raise NotADirectoryError(
            f"StaticFiles({given!r}): {path!r} is a file; give the directory it is in, or serve "
            "the one file by Response.file"
        )
    hint = ""
    if not os.path.isabs(given):
        hint = (
            "; relative paths count from the working directory: "
            f'Path(__file__).parent / "{given}" would count from the module'
        )
    raise FileNotFoundError(f"StaticFiles({given!r}): there is no directory {path!r}{hint}")


def _checked_index(index: str) -> str:
    if names_of(f"/{quote(index)}") != (index,) or not index:
        raise ValueError(
            f"index={index!r} is no plain name of a file, such as 'index.html'; None for no index"
        )
    return index


def _checked_encodings(encodings: Sequence[str]) -> tuple[str, ...]:
    if isinstance(encodings, str):
        encodings = (encodings,)
    for encoding in encodings:
        if encoding not in ENDINGS:
            raise ValueError(
                f"precompressed: no ending is known for {encoding!r}; give some of "
                f"{', '.join(map(repr, ENDINGS))}, or () for none"
            )
    return tuple(encodings)


def _checked_cache_control(value: object) -> CacheControl:
    if isinstance(value, str):
        ResponseHeaders({"cache-control": value})  # now, and not at the first request
    elif value is not None and not callable(value):
        raise TypeError(
            f"cache_control is a str, a function of the path, or None, not {type(value).__name__}"
        )
    return cast(CacheControl, value)


def _checked_types(types: Mapping[str, str]) -> dict[str, str]:
    for suffix, media_type in types.items():
        if suffix[:1] != "." or suffix.count(".") != 1 or len(suffix) < 2:
            raise ValueError(
                f"types: {suffix!r} is no suffix; write it with its dot, as '.{suffix.strip('.')}'"
            )
        if "/" not in media_type:
            raise ValueError(f"types: {media_type!r} for {suffix!r} is no media type")
        ResponseHeaders({"content-type": media_type})
    return {suffix.lower(): media_type for suffix, media_type in types.items()}
