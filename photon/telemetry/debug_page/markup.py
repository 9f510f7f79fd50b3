"""Small pieces of HTML: what every page here is made of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path

from photon.telemetry.debug_page.asked import Rows

_HERE = Path(__file__).parent


def told(text: str) -> str:
    """Any text as HTML: escaped, and with all that cannot be seen, or turns writing around, shown
    as Python writes it."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)
    return escape(text)


def table(rows: Rows) -> str:
    """Rows of name and value."""
    cells = "".join(
        f"<tr><th>{told(name)}</th><td><code>{told(value)}</code></td></tr>" for name, value in rows
    )
    return f"<table>{cells}</table>"


def section(title: str, inner: str, *, is_open: bool = True) -> str:
    """A part of the page that can be folded."""
    return (
        f'<details class="section"{" open" if is_open else ""}>'
        f"<summary><h2>{told(title)}</h2></summary>{inner}</details>"
    )


def document(title: str, body: Iterable[str], nonce: str) -> str:
    """A whole page, which needs nothing from elsewhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="robots" content="noindex">'
        '<link rel="icon" href="data:,">'
        f"<title>{told(title)}</title>"
        f'<style nonce="{nonce}">{asset("page.css")}</style></head>\n<body>'
        f"{''.join(body)}"
        f'\n<script nonce="{nonce}">{asset("page.js")}</script>\n</body></html>\n'
    )


def policy(nonce: str) -> str:
    """A Content-Security-Policy under which nothing runs but what was written here."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def asset(name: str) -> str:
    """A file that stands beside this one."""
    return (_HERE / name).read_text("utf-8")
