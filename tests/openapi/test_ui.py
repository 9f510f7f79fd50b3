from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from photon.http.errors import HTTPError
from photon.http.response import Response
from photon.openapi.ui import DocsPage
from photon.openapi.ui_assets import VERSION
from photon.testing.wire import Wire
from tests.http.requests import make_request

DOCS = DocsPage("../openapi.json", title="The docs")


def ask(
    target: str,
    headers: dict[str, str] | None = None,
    *,
    docs: DocsPage = DOCS,
    root: str = "/docs",
    method: str = "GET",
) -> Response:
    """What the server would send."""
    request = make_request(target or "/", headers, method=method)
    request.root = root
    response = docs(request).for_request(request)
    response.close()
    return response


class Elements(HTMLParser):
    """The elements of a page: names and attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def urls(self) -> list[str]:
        found = []
        for _, attributes in self.found:
            for name in ("href", "src", "data-document"):
                url = attributes.get(name)
                if url is not None:
                    found.append(url)
        return found

    def document(self) -> str | None:
        (url,) = [a["data-document"] for _, a in self.found if "data-document" in a]
        return url


def script_of(docs: DocsPage) -> str:
    return ask("/page.js", docs=docs).body.decode()


def value_in(script: str, name: str) -> object:
    found = re.search(rf"const {name} = (.*);\n", script)
    assert found is not None
    return json.loads(found[1])


# The page...


def test_the_page() -> None:
    response = ask("/")
    assert response.status == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    page = Elements(response.body.decode())
    assert "The docs" in page.text
    assert page.document() == "/openapi.json"


@pytest.mark.parametrize("root", ["", "/docs", "/a/b/docs", "/d%C3%B6cs", "/shop's"])
def test_all_that_the_page_refers_to_is_there(root: str) -> None:
    page = Elements(ask("/", root=root).body.decode())
    urls = [url for url in page.urls() if url != page.document()]
    assert len(urls) == 6
    for url in urls:
        # Read from the page with and without the slash, and by one who knows the root.
        for address in (f"http://test{root}", f"http://test{root}/"):
            parts = urlsplit(urljoin(address, url))
            assert parts.netloc == "test"
            assert parts.path.startswith(f"{root}/")
            target = f"{parts.path.removeprefix(root)}?{parts.query}"
            response = ask(target, root=root)
            assert response.status == 200
            assert response.headers["cache-control"] == "max-age=31536000, immutable"


def test_the_page_is_at_the_mount_itself_too() -> None:
    request = make_request("/")
    # A mount that takes "/docs" off "/docs" may leave nothing.
    request = type(request)(type(request.head)("GET", "/docs", "", "", request.head.fields))
    request.root = "/docs"
    assert DOCS(request).body == ask("/").body


@pytest.mark.parametrize(
    ("document_url", "root", "expected"),
    [
        ("../openapi.json", "/docs", "/openapi.json"),
        ("../openapi.json", "/api/docs", "/api/openapi.json"),
        ("../../openapi.json", "/api/v1/docs", "/api/openapi.json"),
        ("../../../openapi.json", "/docs", "/openapi.json"),
        ("../../openapi.json", "", "/openapi.json"),
        ("?all", "/docs", "/docs/?all"),
        ("openapi.json", "/docs", "/docs/openapi.json"),
        ("openapi.json", "", "/openapi.json"),
        ("/openapi.json", "/api/docs", "/openapi.json"),
        ("../openapi.json?full=1&x", "/docs", "/openapi.json?full=1&x"),
        ("https://api.example.com/o.json", "/docs", "https://api.example.com/o.json"),
        ("//api.example.com/o.json", "/docs", "//api.example.com/o.json"),
        ("../öffentlich/o.json", "/docs", "/%C3%B6ffentlich/o.json"),
    ],
)
def test_where_the_document_is(document_url: str, root: str, expected: str) -> None:
    docs = DocsPage(document_url, title="x")
    assert Elements(docs.page(root)).document() == expected


@pytest.mark.parametrize(
    "root",
    [
        "//evil.example",
        "///evil.example/docs",
        "/\\evil.example",
        "\\\\evil.example",
        '/"><script>alert(1)</script>',
        "/' onload='x",
        "/a\r\nb: c",
        "javascript:alert(1)//",
        "https://evil.example",
        "/ü\ud800",
    ],
)
def test_a_root_that_a_proxys_header_made_up_stays_a_path_here(root: str) -> None:
    text = DOCS.page(root)
    page = Elements(text)
    assert [tag for tag, _ in page.found].count("script") == 2
    text.encode()
    for url in page.urls():
        parts = urlsplit(urljoin("https://here.example/", url.replace("\\", "/")))
        assert (parts.scheme, parts.netloc) == ("https", "here.example")


def test_the_title_is_text() -> None:
    docs = DocsPage("/openapi.json", title="</title><script>&amp;")
    page = Elements(docs.page())
    assert "</title><script>&amp;" in page.text
    assert [tag for tag, _ in page.found].count("script") == 2


# The policy...


def policy_of(docs: DocsPage) -> dict[str, str]:
    policy = ask("/", docs=docs).headers["content-security-policy"]
    directives = (directive.partition(" ") for directive in policy.split("; "))
    return {name: sources for name, _, sources in directives}


def test_nothing_from_elsewhere_and_nothing_inline() -> None:
    policy = policy_of(DOCS)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in str(policy)
    page = Elements(DOCS.page())
    for tag, attributes in page.found:
        assert tag != "style"
        assert tag != "script" or attributes["src"]
        assert not any(name == "style" or name.startswith("on") for name in attributes)


@pytest.mark.parametrize(
    ("document_url", "connect_to", "expected"),
    [
        ("/o.json", ["https://api.example.com"], "'self' https://api.example.com"),
        ("https://x.example:81/o.json", [], "'self' https://x.example:81"),
        ("//x.example/o.json", [], "'self' x.example"),
        ("https://x.example/o", ["https://x.example", "*"], "'self' https://x.example *"),
        ("/o.json", ["http://[::1]:80", "wss://*.a.example"], None),
    ],
)
def test_who_may_be_asked(document_url: str, connect_to: list[str], expected: str | None) -> None:
    docs = DocsPage(document_url, title="x", connect_to=connect_to)
    assert policy_of(docs)["connect-src"] == (expected or " ".join(["'self'", *connect_to]))


def test_the_page_that_authorization_servers_send_users_to_has_the_policy_too() -> None:
    response = ask("/oauth2-redirect.html")
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert ask("/oauth2-redirect.js").status == 200


# The script...


def test_options_are_what_the_script_says() -> None:
    script = script_of(DOCS)
    assert value_in(script, "config") == {
        "deepLinking": True,
        "layout": "BaseLayout",
        "validatorUrl": None,
        "queryConfigEnabled": False,
    }
    assert value_in(script, "oauth") is None
    docs = DocsPage("/o", title="x", options={"deepLinking": False, "a": [1]}, oauth={"b": "c"})
    script = script_of(docs)
    config = value_in(script, "config")
    assert isinstance(config, dict)
    assert (config["deepLinking"], config["a"], config["layout"]) == (False, [1], "BaseLayout")
    assert value_in(script, "oauth") == {"b": "c"}


def test_values_in_the_script_stay_values() -> None:
    nasty = "</script><!-- \u2028\u2029 \" \\ ' ` ${x} $config $oauth $$ \n"
    script = script_of(DocsPage("/o", title="x", options={"a": nasty}, oauth={"b": nasty}))
    config = value_in(script, "config")
    assert isinstance(config, dict)
    assert config["a"] == nasty
    assert value_in(script, "oauth") == {"b": nasty}
    assert "<" not in script
    assert len(script.splitlines()) == len(script_of(DOCS).splitlines())


def test_another_configuration_is_another_url() -> None:
    other = DocsPage("../openapi.json", title="The docs", options={"docExpansion": "none"})
    (old,) = [url for url in Elements(DOCS.page("/docs")).urls() if "page.js" in url]
    (new,) = [url for url in Elements(other.page("/docs")).urls() if "page.js" in url]
    assert old != new
    stale = ask(old.removeprefix("/docs"), docs=other)
    assert stale.headers["cache-control"] == "no-cache"


# Files...

FILES = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
    ("oauth2-redirect.html", "text/html; charset=utf-8"),
    ("oauth2-redirect.js", "text/javascript; charset=utf-8"),
    ("page.js", "text/javascript; charset=utf-8"),
    ("page.css", "text/css; charset=utf-8"),
    ("", "text/html; charset=utf-8"),
]


@pytest.mark.parametrize(("name", "media_type"), FILES)
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_each_file_has_its_type_and_a_strong_tag_and_is_not_sent_twice(
    name: str, media_type: str, coding: str
) -> None:
    headers = {"accept-encoding": coding}
    response = ask(f"/{name}", headers)
    assert response.content_type == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-cache"
    etag = response.headers["etag"]
    assert re.fullmatch(r'"[^"]+"', etag)

    again = ask(f"/{name}", {**headers, "if-none-match": f'"other", {etag}'})
    assert (again.status, again.body) == (304, b"")
    for field in ("etag", "cache-control", "vary"):
        assert again.headers.get(field) == response.headers.get(field)

    assert ask(f"/{name}", {**headers, "if-none-match": '"other"'}).status == 200
    with pytest.raises(HTTPError, match="412"):
        ask(f"/{name}", {**headers, "if-match": '"other"'})


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        (None, False),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_large_files_come_compressed_to_those_who_take_it(
    name: str, accepted: str | None, is_packed: bool
) -> None:
    headers = f"Accept-Encoding: {accepted}\r\n" if accepted is not None else ""
    with Wire(DOCS) as wire:
        wire.send(f"GET /{name} HTTP/1.1\r\nHost: test\r\n{headers}\r\n".encode())
        head, body = read(wire)
        wire.send(f"HEAD /{name} HTTP/1.1\r\nHost: test\r\n{headers}\r\n".encode())
        assert without_date(read(wire)[0]) == without_date(head)
    assert b"\r\nvary: accept-encoding\r\n" in head
    assert (b"\r\ncontent-encoding: gzip\r\n" in head) == is_packed
    assert (f'"{VERSION}-gzip"'.encode() in head) == is_packed
    content = gzip.decompress(body) if is_packed else body
    assert content.startswith((b"/*! For license", b".swagger-ui"))
    assert len(content) > 100_000


def read(wire: Wire) -> tuple[bytes, bytes]:
    """The head and the body of the next response; the latter may come from another thread."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    return head + b"\r\n", body


def without_date(head: bytes) -> bytes:
    return re.sub(rb"\r\ndate: [^\r]*", b"", head, flags=re.IGNORECASE)


def test_the_version_is_that_of_the_files() -> None:
    bundle = ask("/swagger-ui-bundle.js").body
    assert f'PACKAGE_VERSION:"{VERSION}"'.encode() in bundle


@pytest.mark.parametrize(
    "target",
    [
        "/README.md",
        "/swagger-ui.css.gz",
        "/swagger-ui.css/",
        "//swagger-ui.css",
        "//",
        "/../ui.py",
        "/..%2Fui.py",
        "/assets/swagger-ui.css",
        "/SWAGGER-UI.CSS",
        "/index.html",
    ],
)
def test_nothing_else_is_there(target: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(HTTPError, match="404 Not Found: the docs have no such file"):
            ask(target, method=method)


@pytest.mark.parametrize("target", ["/", "/page.js", "/swagger-ui.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_files_are_only_read(target: str, method: str) -> None:
    with pytest.raises(HTTPError, match="405 Method Not Allowed: the docs are only read") as caught:
        ask(target, method=method)
    assert caught.value.headers == {"allow": "GET, HEAD"}


# What users get wrong...


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "/x"}, "'url' among the options .* is what `document_url` says"),
        ({"urls": []}, "make a DocsPage for each"),
        ({"spec": {}}, "is what `document_url` says"),
        ({"dom_id": "#x"}, "the page's own matter"),
        ({"plugins": []}, "JavaScript"),
        ({"layout": "StandaloneLayout"}, "not shipped with the docs page: use BaseLayout"),
    ],
)
def test_options_that_cannot_be(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DocsPage("/openapi.json", title="x", options=options)


def test_options_are_json() -> None:
    with pytest.raises(TypeError, match="options of the docs page must be JSON, as they are sent"):
        DocsPage("/openapi.json", title="x", options={"requestInterceptor": print})
    with pytest.raises(TypeError, match="oauth of the docs page must be JSON"):
        DocsPage("/openapi.json", title="x", oauth={"clientId": object()})


@pytest.mark.parametrize(
    ("document_url", "says"),
    [
        ("", "'' is no URL of a document: give a path such as '/openapi.json'"),
        ("file:///openapi.json", "is no URL of a document"),
        ("javascript:alert(1)", "is no URL of a document"),
        ("https://me:secret@x.example/o.json", "a password in it, and browsers refuse that"),
        ("https://bücher.example/o.json", "is no origin: write scheme and host in ASCII"),
        ("https://x.example;/o.json", "is no origin"),
    ],
)
def test_document_urls_that_cannot_be(document_url: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        DocsPage(document_url, title="x")


@pytest.mark.parametrize(
    "origin",
    [
        "https://x.example/v1",
        "x; script-src *",
        "https://a https://b",
        "'unsafe-inline'",
        "",
        "a\r\nb",
    ],
)
def test_origins_that_cannot_be(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin: write scheme and host"):
        DocsPage("/openapi.json", title="x", connect_to=[origin])


def test_one_origin_is_a_list_of_one() -> None:
    with pytest.raises(TypeError, match=re.escape("a list of origins: ['https://x.example']")):
        DocsPage("/openapi.json", title="x", connect_to="https://x.example")


def test_repr() -> None:
    assert repr(DOCS) == "<DocsPage 'The docs' of ../openapi.json>"
