"""What `photon dev` serves while no code works: why, to everybody, until it is mended."""

from __future__ import annotations

import re
from secrets import token_urlsafe

from photon.http.media import best_match
from photon.http.problems import PROBLEM, problem
from photon.http.request import Request
from photon.http.response import HTML, Response
from photon.telemetry.debug_page.markup import document, policy, told
from photon.telemetry.debug_page.secrets import Redactor
from photon.telemetry.debug_page.who import why_not

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST_TEXT = 30_000


class BrokenApplication:
    """Answers everything with 503 and why.

    Args: name: of the application, such as "app:app"; text: what was told when it could not be
        served: a traceback and a sentence.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = Redactor().clean(_COLOURS.sub("", text).strip()[-_MOST_TEXT:])

    def __call__(self, request: Request) -> Response:
        """The page, or a problem."""
        fields = {"retry-after": "1", "cache-control": "no-store"}
        detail = f"{self.name} cannot be served; this goes away when its code is mended"
        if why_not(request):
            return problem(503, headers=fields)
        wanted = best_match(
            request.headers.get("accept"), (PROBLEM, "application/json", "text/html")
        )
        if wanted != "text/html":
            return problem(503, detail, headers=fields, debug={"text": self.text.splitlines()})
        nonce = token_urlsafe(16)
        response = Response(
            self._page(nonce).encode("utf-8", "backslashreplace"), 503, fields, HTML
        )
        response.headers["content-security-policy"] = policy(nonce)
        return response

    def _page(self, nonce: str) -> str:
        text = self.text
        at = text.rfind("Error: ")
        at = text.rfind("\n", 0, at) + 1 if at >= 0 else len(text)
        above, last = text[:at].rstrip(), text[at:].strip()
        if above:  # a traceback, whose last line says more than "see above"
            last = above[above.rfind("\n") + 1 :].strip()
        head = (
            '<header><div class="bar"><span class="status s5">503</span><span class="asked">'
            f"<b>{told(self.name)}</b></span>"
            '<span class="tools"><button id="copy" type="button">Copy as text</button>'
            '<button id="theme" type="button" title="light or dark">◐</button></span></div>'
            "<h1>The application cannot be served</h1>"
        )
        body = [
            head,
            f'<p class="message">{told(last)}</p>' if last else "",
            '<p class="place">Mend it, and this page reloads itself.</p></header>',
            '<main><details class="section" open><summary><h2>What happened</h2></summary>',
            f'<pre id="text">{told(above or text)}</pre></details></main>',
        ]
        return document(f"{self.name} cannot be served", body, nonce)

    def __repr__(self) -> str:
        return f"<BrokenApplication {self.name}>"
