"""Compressed responses, for clients that say they can read them.

What is compressed: text in all its forms (HTML, CSS, JavaScript, JSON, XML, SVG, fonts that are
no woff), if it is long enough to be worth it. A stream is compressed piece by piece, and what the
handler yields is with the client at once, as before.

What is not:
- files. The kernel sends them as they are, with ranges and strong entity tags; a text file that
  is asked for often is compressed once, when it is built, and served as a sibling (`app.js.br`).
- server-sent events, as in Starlette and tower: each open stream would hold up to 256 KiB of
  dictionary for events that are mostly small. Name "text/event-stream" in `types` to do it.
- parts (206), and what has a Content-Encoding or a digest already, or says `no-transform`.

BREACH: where a page is sent over TLS and shows both something secret (a CSRF token) and something
that came from the request, the compressed length tells an attacker whether the two are alike.
Mask such tokens anew in each response, or answer with `Cache-Control: no-transform`.

Sources: RFC 9110 §8.4, §8.8.3, §12.5.3 and §12.5.5; RFC 9111 §5.2.2.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from photon.http.application import Application
from photon.http.media import parse_qualities
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.middleware.encoders import CODINGS, Encoder, make_encoder
from photon.middleware.fields import add_vary, owned
from photon.middleware.options import (
    called_elsewhere,
    checked_number,
    checked_strings,
    shown_options,
)
from photon.runtime.offload import offload

# So much holds the hub for half a millisecond; more goes to a native thread, which costs 0.04.
_OFFLOAD_BYTES = 32 * 1024

# What is longer is not remembered: no client repeats it, and somebody might fill us with it.
_REMEMBERED_CHARS = 256

_NO_CONTENT = frozenset((204, 206, 304))

# A digest, and a part, are of the bytes as they are (RFC 9530 §2 and §3, RFC 9110 §14.4).
_LEFT_ALONE = frozenset(
    ("content-encoding", "content-range", "content-digest", "repr-digest", "digest", "content-md5")
)

_TEXT_IN_DISGUISE = frozenset(
    (
        *("application/json", "application/jsonl", "application/x-ndjson", "application/json-seq"),
        *("application/javascript", "application/x-javascript", "application/ecmascript"),
        *("application/xml", "application/yaml", "application/toml", "application/graphql"),
        *("application/sql", "application/rtf", "application/wasm"),
        *("application/x-www-form-urlencoded", "application/vnd.ms-fontobject"),
        *("font/ttf", "font/otf", "font/collection"),
        *("image/bmp", "image/x-icon", "image/vnd.microsoft.icon"),
    )
)


def is_compressible(media_type: str) -> bool:
    """Whether a media type, lower-case and without parameters, is worth compressing."""
    kind, _, name = media_type.partition("/")
    if kind == "text":
        return name != "event-stream"
    return media_type in _TEXT_IN_DISGUISE or name.endswith(("+json", "+xml", "+yaml", "+text"))


def choose_coding(accept_encoding: str, offered: Sequence[str]) -> str | None:
    """Which of the codings on offer the client would rather have; None for none at all.

    The highest quality wins, and among equals the one that is offered first.
    """
    named = {
        "gzip" if name == "x-gzip" else name: q  # RFC 9110 §8.4.1.3: they are equivalent
        for name, q in parse_qualities(accept_encoding)
    }
    best, best_q = None, 0.0
    for name in offered:
        q = named.get(name, named.get("*", 0.0))
        if q > best_q:
            best, best_q = name, q
    return best if best_q >= named.get("identity", 0.0) else None


@called_elsewhere(
    minimum_size="minimum_bytes",
    min_size="minimum_bytes",
    compresslevel="levels={'gzip': 6}",
)
class Compression:
    """Middleware that compresses what goes out, if the client can read it so.

    Args:
        minimum_bytes: shorter bodies are sent as they are: what fits into one packet arrives no
            sooner. For streams only a Content-Length can tell.
        encodings: of "zstd", "br" and "gzip", the dearest first; None for all that are installed.
            zstd and br come with `pip install 'photon-web[compress]'`.
        levels: by encoding, from fast to small; 3 for zstd, 4 for br, 5 for gzip if left out.
        types: media types, such as "application/json", "text/*" or "*/*+json", or a function
            that tells for one. None for `is_compressible`.
    Raises: ImportError, for a coding whose package is missing; TypeError, ValueError.
    """

    def __init__(
        self,
        *,
        minimum_bytes: int = 1024,
        encodings: Iterable[str] | None = None,
        levels: Mapping[str, int] | None = None,
        types: Iterable[str] | Callable[[str], bool] | None = None,
    ) -> None:
        self._minimum = checked_number("Compression", "minimum_bytes", minimum_bytes, 1)
        self._encoders = _make_encoders(encodings, dict(levels or {}))
        self._types = types if types is None or callable(types) else _checked_types(types)
        self._choose = lru_cache(256)(self._choose_anew)
        self._is_wanted = lru_cache(256)(self._is_wanted_anew)

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response, compressed if that is wanted and worth it."""
        response = application(request)
        # PERF: most answers are short, and go on as they came. Files have no body of their own.
        if len(response.body) < self._minimum and not isinstance(response, StreamResponse):
            if request.method == "HEAD" and not response.body and response.__class__ is Response:
                return self._without_body(request, response)
            return response
        if not self._may_compress(response):
            return response
        response = owned(response)
        add_vary(response, "accept-encoding")
        encoder = self._encoder_for(request)
        if encoder is None:
            return response
        if isinstance(response, StreamResponse):
            return _compressed_stream(response, encoder)
        return _compressed(response, encoder)

    # Whether, and how...

    def _may_compress(self, response: Response) -> bool:
        if response.status in _NO_CONTENT:
            return False
        if type(response).for_request is not Response.for_request:
            return False  # it decides what it sends only when it is sent
        if not self._is_wanted((response.content_type or "")[:_REMEMBERED_CHARS]):
            return False
        return response._headers is None or self._headers_allow(response)

    def _headers_allow(self, response: Response) -> bool:
        for name, value in response.headers:
            if name in _LEFT_ALONE:
                return False
            if name == "cache-control" and "no-transform" in value.lower():
                return False
            if name == "content-length" and value.isdecimal() and int(value[:18]) < self._minimum:
                return False
        return True

    def _is_wanted_anew(self, content_type: str) -> bool:
        essence = content_type.partition(";")[0].strip().lower()
        if self._types is None:
            return is_compressible(essence)
        if callable(self._types):
            return bool(self._types(essence))
        return any(fnmatchcase(essence, pattern) for pattern in self._types)

    def _encoder_for(self, request: Request) -> Encoder | None:
        # No header means that all is acceptable (RFC 9110 §12.5.3); who sends none has not
        # thought of it, and gets what everybody can read.
        accept = request.headers.get("accept-encoding")
        if not accept:
            return None
        if len(accept) > _REMEMBERED_CHARS:
            return self._choose_anew(accept)
        return self._choose(accept)

    def _choose_anew(self, accept: str) -> Encoder | None:
        name = choose_coding(accept, tuple(self._encoders))
        return None if name is None else self._encoders[name]

    def _without_body(self, request: Request, response: Response) -> Response:
        """The answer of a handler for HEAD alone, that says how long GET's would be.

        RFC 9110 §8.6: a Content-Length in answer to HEAD must be that of GET's content. Nobody
        knows how long that is compressed, so there is none then.
        """
        if "content-length" not in response.headers or not self._may_compress(response):
            return response
        response = owned(response)
        add_vary(response, "accept-encoding")
        encoder = self._encoder_for(request)
        if encoder is None:
            return response
        stream = StreamResponse((), response.status, response.headers)
        _mark(stream, encoder)
        return stream

    def __repr__(self) -> str:
        options: dict[str, object] = {
            "minimum_bytes": self._minimum,
            "encodings": list(self._encoders),
            "levels": {name: encoder.level for name, encoder in self._encoders.items()},
        }
        if self._types is not None:
            options["types"] = self._types
        return shown_options(self, options)


# Compressing...


def _compressed(response: Response, encoder: Encoder) -> Response:
    """The response with its body compressed, or as it was if that saves nothing."""
    body = response.body
    encoded = encoder.whole(body) if len(body) <= _OFFLOAD_BYTES else offload(encoder.whole, body)
    if len(encoded) < len(body):
        response.body = encoded
        _mark(response, encoder)
    return response


def _compressed_stream(response: StreamResponse, encoder: Encoder) -> Response:
    stream = StreamResponse(_Pieces(response, encoder), response.status, response.headers)
    _mark(stream, encoder)
    return stream


def _mark(response: Response, encoder: Encoder) -> None:
    headers = response.headers
    headers["content-encoding"] = encoder.name
    del headers["content-length"]
    del headers["accept-ranges"]  # ranges would be of the compressed bytes, which are not kept
    etag = headers.get("etag")
    if etag is not None and not etag.startswith("W/"):
        # RFC 9110 §8.8.3: a strong one names these bytes, and what is compressed are others.
        headers["etag"] = f"W/{etag}"


class _Pieces:
    """The pieces of a stream, each compressed and whole; closing them closes the stream."""

    def __init__(self, response: StreamResponse, encoder: Encoder) -> None:
        self._response = response
        self._encoder = encoder

    def __iter__(self) -> Iterator[bytes]:
        coder = self._encoder.stream()
        for piece in self._response.pieces():
            yield (
                coder.piece(piece) if len(piece) <= _OFFLOAD_BYTES else offload(coder.piece, piece)
            )
        yield coder.end()

    def close(self) -> None:
        self._response.close()


# Options...


def _make_encoders(encodings: Iterable[str] | None, levels: dict[str, int]) -> dict[str, Encoder]:
    names = (
        tuple(CODINGS)
        if encodings is None
        else checked_strings("Compression", "encodings", encodings)
    )
    for name in (*names, *levels):
        if name not in CODINGS:
            raise ValueError(f"Compression: there is no coding {name!r}; {_or(CODINGS)}")
    for name in levels:
        if name not in names:
            raise ValueError(f"Compression: a level for {name!r}, which is not in `encodings`")
    encoders = {}
    for name in names:
        encoder = make_encoder(name, _checked_level(name, levels.get(name)))
        if encoder is not None:
            encoders[name] = encoder
        elif encodings is not None:
            raise ImportError(
                f"Compression: no package for {name!r} is installed; "
                "pip install 'photon-web[compress]', or leave it out of `encodings`"
            )
    if not encoders:
        raise ValueError(f"Compression(encodings={encodings!r}) names none; {_or(CODINGS)}")
    return encoders


def _checked_level(name: str, level: int | None) -> int:
    allowed, default, _ = CODINGS[name]
    if level is None:
        return default
    if isinstance(level, bool) or level not in allowed:
        raise ValueError(
            f"Compression: {level!r} is no level of {name}: {allowed.start} to {allowed.stop - 1}"
        )
    return level


def _checked_types(types: Iterable[str]) -> tuple[str, ...]:
    patterns = checked_strings("Compression", "types", types)
    for pattern in patterns:
        if "/" not in pattern or ";" in pattern:
            raise ValueError(
                f"Compression(types=...): {pattern!r} is no media type; write it as "
                "'application/json', or 'text/*'"
            )
    return tuple(pattern.lower() for pattern in patterns)


def _or(names: Iterable[str]) -> str:
    return f"choose among {', '.join(map(repr, names))}"
