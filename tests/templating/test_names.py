"""What names say."""

from __future__ import annotations

import pytest

from photon.templating.names import did_you_mean, escaping, extension, is_template, media_type


@pytest.mark.parametrize(
    ("name", "kind", "escaped", "sent_as"),
    [
        ("page.html", "html", "html", "text/html; charset=utf-8"),
        ("a/b.c/page.html.j2", "html", "html", "text/html; charset=utf-8"),
        ("PAGE.HTML.J2", "html", "html", "text/html; charset=utf-8"),
        ("mail/welcome.txt", "txt", "none", "text/plain; charset=utf-8"),
        ("mail/welcome.txt.j2", "txt", "none", "text/plain; charset=utf-8"),
        ("welcome.txt.jinja", "txt", "none", "text/plain; charset=utf-8"),
        ("welcome.txt.jinja2", "txt", "none", "text/plain; charset=utf-8"),
        ("README.md", "md", "none", "text/markdown; charset=utf-8"),
        ("feed.xml", "xml", "html", "application/xml"),
        ("logo.svg", "svg", "html", "image/svg+xml"),
        ("data.json", "json", "json", "application/json"),
        ("data.json.j2", "json", "json", "application/json"),
        # Nothing but the last extension makes values harmless.
        ("page.txt.html", "html", "html", "text/html; charset=utf-8"),
        ("txt", "", "html", "text/html; charset=utf-8"),
        ("a.txt/page", "", "html", "text/html; charset=utf-8"),
        (".txt.bak", "bak", "html", "text/html; charset=utf-8"),
        ("page.j2", "", "html", "text/html; charset=utf-8"),
        ("main.py.j2", "py", "html", "text/html; charset=utf-8"),
        ("", "", "html", "text/html; charset=utf-8"),
    ],
)
def test_the_extension_says_how_a_template_is_escaped_and_sent(
    name: str, kind: str, escaped: str, sent_as: str
) -> None:
    assert (extension(name), escaping(name), media_type(name)) == (kind, escaped, sent_as)


@pytest.mark.parametrize("name", ["a.html", "a/b.TXT", "a.j2", "Dockerfile.jinja", "a.conf.j2"])
def test_these_files_are_templates(name: str) -> None:
    assert is_template(name)


@pytest.mark.parametrize(
    "name",
    ["logo.png", ".DS_Store", "a.html~", ".a.html.swp", "#a.html#", ".git/a.html", "a", "a.pyc"],
)
def test_these_files_are_not(name: str) -> None:
    assert not is_template(name)


@pytest.mark.parametrize(
    ("name", "known", "says"),
    [
        ("idnex.html", ["index.html", "about.txt"], "; did you mean 'index.html'?"),
        ("row.html", ["shop/row.html.j2", "x.html"], "; did you mean 'shop/row.html.j2'?"),
        ("zzz", ["b.html", "a.html"], "; there are a.html, b.html"),
        ("zzz", [f"{n}.html" for n in range(9)], ", ..."),
        ("zzz", [], "; there are no templates at all"),
    ],
)
def test_a_message_names_what_may_be_meant(name: str, known: list[str], says: str) -> None:
    assert did_you_mean(name, known).endswith(says)
