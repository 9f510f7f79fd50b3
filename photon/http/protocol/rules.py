"""What Photon refuses, and why: one table, whichever parser runs.

h11 is the referee of everything that is not plain, but it is lenient where two programs that read
the same bytes may disagree about where a message ends, and such a disagreement is how requests
are smuggled past a proxy. So the raw head passes this table before h11 sees it. The plain case
has its own, narrower grammar (`fast.py`), which a property test holds against the referee.

Leniencies that stay, because they harm nobody:
- empty lines before a request line. RFC 9112 §2.2: "A server that is expecting to receive and
  parse a request-line SHOULD ignore at least one empty line (CRLF) received prior".
- octets from 0x80 in values. RFC 9110 §5.5: "A recipient SHOULD treat other allowed octets in
  field content (i.e., obs-text) as opaque data."
- visible characters in a path or query that RFC 3986 wants percent-encoded, such as `|` or `"`.
  Clients send them; nothing here gives any of them a meaning, and `#` is no fragment.
- leading zeros in Content-Length and in chunk sizes. RFC 9110 §8.6: Content-Length = 1*DIGIT.
"""

from __future__ import annotations

import re
from typing import NoReturn

from msgspec import Struct

from photon.http.errors import ProtocolError
from photon.http.protocol.limits import HeadLimits


class Rule(Struct, frozen=True):
    """One thing that is refused.

    Attributes: status: what it is refused with; says: what the peer is told; why: the source.
    """

    status: int
    says: str
    why: str


RULES = {
    # What is no HTTP/1 at all...
    "tls": Rule(
        400,
        "this is a TLS hello, and this port speaks plain HTTP: use http:// instead of https://",
        "RFC 8446 §5.1: a record of type handshake begins with 0x16 0x03",
    ),
    "http2": Rule(
        505,
        "this port speaks HTTP/1.1, not HTTP/2 with prior knowledge",
        "RFC 9113 §3.4, the connection preface",
    ),
    "garbage": Rule(
        400, "this is no HTTP request", "RFC 9112 §2.1: a message begins with a start-line"
    ),
    # Lines...
    "bare-lf": Rule(
        400,
        "a line ends with LF alone; lines end with CRLF",
        "RFC 9112 §2.2: a recipient MAY take a lone LF for a line's end. Whoever in front does "
        "not, sees another message, so we do not",
    ),
    "bare-cr": Rule(
        400,
        "the head has a CR that no LF follows",
        'RFC 9112 §2.2: "A recipient of such a bare CR MUST consider that element to be invalid"',
    ),
    "control-character": Rule(
        400,
        "the head has a NUL or another control character",
        'RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and '
        'dangerous"',
    ),
    "obs-fold": Rule(
        400,
        "a header goes on in the next line (obs-fold)",
        'RFC 9112 §5.2: "A server that receives an obs-fold in a request message [...] MUST '
        'either reject the message by sending a 400"',
    ),
    # The request line...
    "request-line": Rule(
        400, "the first line is not 'METHOD /target HTTP/1.1'", "RFC 9112 §3, with single spaces"
    ),
    "method": Rule(
        400,
        "the method is not written in capital letters",
        "RFC 9110 §9.1: methods are case-sensitive, and all registered ones are upper-case",
    ),
    "version": Rule(
        505,
        "only HTTP/1.1 and HTTP/1.0 are spoken here",
        "RFC 9110 §15.6.6, and §2.5 for HTTP/0.9",
    ),
    "target": Rule(
        400,
        "the request target is neither a path, nor an http URL, nor '*' with OPTIONS",
        'RFC 9112 §3.2; RFC 9110 §4.2.1: a recipient of an http URI with an empty host "MUST '
        'reject it as invalid"; §4.2.4: it should take user information for an error',
    ),
    "connect": Rule(
        501, "CONNECT is for proxies, and this is none", "RFC 9110 §9.3.6, and §15.6.2"
    ),
    "target-too-long": Rule(414, "the request target is too long", "RFC 9112 §3, and limits"),
    # The header block...
    "head-too-large": Rule(431, "the request head is too large", "RFC 6585 §5, and limits"),
    "too-many-headers": Rule(431, "the request has too many headers", "RFC 6585 §5, and limits"),
    "header-name": Rule(
        400,
        "a header line does not begin with a name and a colon",
        "RFC 9110 §5.1: field-name = token",
    ),
    "space-before-colon": Rule(
        400,
        "white space stands between a header's name and its colon",
        'RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request), '
        "any received request message that contains whitespace between a header field name and "
        'colon."',
    ),
    "no-host": Rule(
        400,
        "the Host header is missing",
        'RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any '
        'HTTP/1.1 request message that lacks a Host header field"',
    ),
    "two-hosts": Rule(400, "there is more than one Host header", "RFC 9112 §3.2, as above"),
    "host": Rule(
        400,
        "the Host header is not a host with an optional port",
        'RFC 9112 §3.2: "or a Host header field with an invalid field value"',
    ),
    # Framing...
    "length-and-chunked": Rule(
        400,
        "there is a Content-Length beside a Transfer-Encoding",
        'RFC 9112 §6.3: such a message "might indicate an attempt to perform request smuggling"',
    ),
    "length": Rule(
        400,
        "the Content-Length is not one decimal number",
        "RFC 9110 §8.6: Content-Length = 1*DIGIT. A list of equal numbers may be folded into one; "
        "whoever in front does not fold it sees another message, so we refuse it",
    ),
    "coding": Rule(
        501,
        "the only transfer coding known here is chunked",
        'RFC 9112 §6.1: "A server that receives a request message with a transfer coding it does '
        'not understand SHOULD respond with 501"',
    ),
    "coding-1.0": Rule(
        400,
        "HTTP/1.0 has no Transfer-Encoding",
        'RFC 9112 §6.1: "A server or client that receives an HTTP/1.0 message containing a '
        'Transfer-Encoding header field MUST treat the message as if the framing is faulty"',
    ),
    "expectation": Rule(417, "the only expectation met here is 100-continue", "RFC 9110 §10.1.1"),
    # Chunks...
    "chunk-size": Rule(
        400,
        "a chunk does not begin with its size in at most 15 hexadecimal digits",
        'RFC 9112 §7.1: "A recipient MUST be able to [...] anticipate potentially large '
        'hexadecimal numerals and prevent parsing errors due to integer conversion overflows"',
    ),
    "chunk-extension": Rule(
        400,
        "a chunk extension is too long or has a control character, or all are, together",
        'RFC 9112 §7.1.1: "A server ought to limit the total length of chunk extensions"',
    ),
    "chunk-end": Rule(400, "a chunk does not end with CRLF", "RFC 9112 §7.1"),
    "trailer": Rule(400, "the trailer section is malformed", "RFC 9112 §7.1.2"),
    "trailer-too-large": Rule(431, "the trailer section is too large", "RFC 6585 §5"),
    "incomplete": Rule(400, "the connection ended before the message did", "RFC 9112 §8"),
    "malformed": Rule(400, "the request is malformed", "what h11 refuses beyond this table"),
}

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"([^ \r\n]+) ([^ \r\n]+) HTTP/([0-9])\.([0-9])")
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Z]+")
_HEADER = re.compile(rb"(" + _TOKEN + rb")(\s*):([^\r\n]*)")
# RFC 3986 §3.2.2: an IP literal in brackets, or a name; then perhaps a port. No user part.
_NAME = rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]+)"
_PORT = rb"(?::[0-9]{0,5})?"
_HOST = re.compile(_NAME + rb"?" + _PORT)
_PATH = re.compile(rb"/[\x21-\x7e]*")
_URL = re.compile(rb"(?i:https?)://" + _NAME + _PORT + rb"(?:[/?][\x21-\x7e]*)?")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_BARE_CR = re.compile(rb"\r(?=[^\n])")


def refuse(name: str, more: str = "") -> NoReturn:
    """Refuse by the rule of this name.   Raises: ProtocolError."""
    rule = RULES[name]
    raise ProtocolError(name, rule.status, f"{rule.says}{more}")


def examine_beginning(beginning: bytes, limits: HeadLimits, examined: int = 0) -> None:
    """Refuse what cannot become a head any more, however it goes on.

    Args:
        beginning: what came so far of the head.
        examined: how many bytes of it passed before; a head that drips is not searched all over
            again with every byte.
    Raises: ProtocolError.
    """
    if beginning[:1] == b"\x16":
        refuse("tls")
    if beginning.startswith(b"PRI * HTTP/2"):
        refuse("http2")
    first = beginning[:1]
    if first != b"\r" and not _METHOD.match(first):
        refuse("method" if first.isalpha() else "garbage")
    line_end = beginning.find(b"\r")
    # Method and version, which stand in the line too, are never as long as 64 bytes.
    if (line_end if line_end >= 0 else len(beginning)) > limits.target_bytes + 64:
        refuse("target-too-long", f": limit {limits.target_bytes} bytes")
    if len(beginning) > limits.head_bytes:
        refuse("head-too-large", f": limit {limits.head_bytes} bytes")
    _examine_bytes(beginning, max(0, examined - 1))
    if line_end >= 0 and examined < line_end + 2 <= len(beginning):
        _examine_request_line(beginning[:line_end], limits)


def examine_head(head: bytes, limits: HeadLimits, examined: int = 0) -> None:
    """Refuse a head that the table refuses.

    Args:
        head: the lines of the head, each ended by CRLF, and the empty line.
        examined: as above.
    Raises: ProtocolError.
    """
    examine_beginning(head, limits, examined)
    line, *header_lines = head[:-4].split(b"\r\n")
    if len(header_lines) > limits.headers:
        refuse("too-many-headers", f": {len(header_lines)}, limit {limits.headers}")
    _examine_framing(_examine_headers(header_lines), line[-1:])


def _examine_bytes(beginning: bytes, start: int) -> None:
    if _BARE_LF.search(beginning, start):
        refuse("bare-lf")
    if _BARE_CR.search(beginning, start):
        refuse("bare-cr")
    if _CONTROL.search(beginning, start):
        refuse("control-character")


def _examine_request_line(line: bytes, limits: HeadLimits) -> None:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        if re.fullmatch(rb"[A-Z]+ /[^ ]*", line):
            refuse("version")  # HTTP/0.9
        refuse("request-line")
    method, target, major, minor = match.groups()
    if (major, minor) not in ((b"1", b"1"), (b"1", b"0")):
        refuse("version")
    if not _METHOD.fullmatch(method):
        refuse("method")
    if len(target) > limits.target_bytes:
        refuse("target-too-long", f": {len(target)} bytes, limit {limits.target_bytes}")
    if method == b"CONNECT":
        refuse("connect")
    is_asterisk = target == b"*" and method == b"OPTIONS"
    if not (is_asterisk or _PATH.fullmatch(target) or _URL.fullmatch(target)):
        refuse("target")


def _examine_headers(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    """The fields whose meaning matters for framing: lower-case name to values."""
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            refuse("obs-fold")
        match = _HEADER.fullmatch(line)
        if match is None:
            refuse("header-name")
        name, space, value = match.groups()
        if space:
            refuse("space-before-colon")
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    return fields


def _examine_framing(fields: dict[bytes, list[bytes]], minor_version: bytes) -> None:
    hosts = fields.get(b"host", [])
    if not hosts and minor_version == b"1":
        refuse("no-host")
    if len(hosts) > 1:
        refuse("two-hosts")
    if hosts and not _HOST.fullmatch(hosts[0]):
        refuse("host")
    lengths = fields.get(b"content-length", [])
    codings = fields.get(b"transfer-encoding", [])
    if codings:
        if lengths:
            refuse("length-and-chunked")
        if minor_version == b"0":
            refuse("coding-1.0")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            refuse("coding")
    if lengths and (len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0])):
        refuse("length")
    expectations = fields.get(b"expect", [])
    if any(value.lower() != b"100-continue" for value in expectations):
        refuse("expectation")
