"""Headers by which browsers take fewer chances. What a handler set itself is never changed.

The defaults are those of OWASP's Secure Headers project that break no page: they are stricter
than browsers are by themselves, and looser than helmet's, which suit one that is made for them.

Sources: https://owasp.org/www-project-secure-headers/, RFC 6797 (HSTS), CSP Level 3, RFC 7034.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.fields import add_missing
from photon.middleware.options import (
    Fields,
    called_elsewhere,
    checked_fields,
    checked_flag,
    checked_number,
    checked_strings,
)

Policy = str | Mapping[str, str | Iterable[str]]

_YEAR_S = 365 * 24 * 3600

_REFERRER_POLICIES = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
)


@called_elsewhere(
    csp="content_security_policy",
    hsts="hsts_s",
    frame_options="frame",
    x_frame_options="frame",
)
class SecurityHeaders:
    """Middleware that adds headers of security to responses that have them not.

    Each of them is left out for None, or False.

    Args:
        content_type_options: `nosniff`: a browser believes the media type.
        referrer_policy: how much of a page's URL other sites are told; or several, of which a
            browser takes the last one it knows.
        frame: who may show pages in a frame: "DENY" or "SAMEORIGIN".
        content_security_policy: from where a page may load what: text, or sources by directive,
            as in {"default-src": "'self'", "img-src": ["'self'", "https://img.example.com"]}.
            There is no default: a policy has to know the pages.
        content_security_policy_report_only: the same, told and not enforced.
        hsts_s: browsers use HTTPS alone for so many seconds; sent by HTTPS only (RFC 6797 §7.2).
        hsts_subdomains: for subdomains too. Mind those that have no HTTPS yet.
        hsts_preload: says that the domain may be built into browsers (https://hstspreload.org).
        opener_policy: who shares a process with windows it opens, or that opened it.
        embedder_policy, resource_policy: "require-corp" and "same-origin", or what their
            specifications have besides.
        permissions_policy: which features pages may use, as in "camera=(), geolocation=()".
        more: further headers, for the same care.
    Raises: TypeError, ValueError.
    """

    def __init__(
        self,
        *,
        content_type_options: bool = True,
        referrer_policy: str | Iterable[str] | None = "strict-origin-when-cross-origin",
        frame: Literal["DENY", "SAMEORIGIN"] | None = "SAMEORIGIN",
        content_security_policy: Policy | None = None,
        content_security_policy_report_only: Policy | None = None,
        hsts_s: int | None = _YEAR_S,
        hsts_subdomains: bool = False,
        hsts_preload: bool = False,
        opener_policy: str | None = "same-origin",
        embedder_policy: str | None = None,
        resource_policy: str | None = None,
        permissions_policy: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        values: dict[str, str | None] = {
            "x-content-type-options": _nosniff(content_type_options),
            "referrer-policy": _referrer(referrer_policy),
            "x-frame-options": _frame(frame),
            "content-security-policy": _csp("content_security_policy", content_security_policy),
            "content-security-policy-report-only": _csp(
                "content_security_policy_report_only", content_security_policy_report_only
            ),
            "cross-origin-opener-policy": opener_policy,
            "cross-origin-embedder-policy": embedder_policy,
            "cross-origin-resource-policy": resource_policy,
            "permissions-policy": permissions_policy,
        }
        values.update({name.lower(): value for name, value in (more or {}).items()})
        fields = {name: value for name, value in values.items() if value}
        self._plain: Fields = checked_fields("SecurityHeaders", fields)
        hsts = _hsts(hsts_s, hsts_subdomains, hsts_preload)
        self._https: Fields = (
            self._plain if hsts is None else (*self._plain, ("strict-transport-security", hsts))
        )

    def __call__(self, request: Request, application: Application) -> Response:
        """The application's response, with the headers it has not."""
        response = application(request)
        add_missing(response, self._https if request.scheme == "https" else self._plain)
        return response

    def __repr__(self) -> str:
        sent = "; ".join(f"{name}: {value}" for name, value in self._https)
        return f"<SecurityHeaders {sent or 'without any'}>"


def _nosniff(wanted: bool) -> str | None:
    wanted = checked_flag("SecurityHeaders", "content_type_options", wanted)
    return "nosniff" if wanted else None


def _referrer(policy: str | Iterable[str] | None) -> str | None:
    if not policy:
        return None
    names = [policy] if isinstance(policy, str) else list(policy)
    names = [name.strip() for each in names for name in each.split(",")]
    for name in names:
        if name not in _REFERRER_POLICIES:
            raise ValueError(
                f"SecurityHeaders(referrer_policy=...): there is no {name!r}; "
                f"there are {', '.join(_REFERRER_POLICIES)}"
            )
    return ", ".join(names)


def _frame(frame: str | None) -> str | None:
    if not frame:
        return None
    if frame.upper() not in ("DENY", "SAMEORIGIN"):
        raise ValueError(
            f"SecurityHeaders(frame={frame!r}): 'DENY', 'SAMEORIGIN' or None; to name sites use "
            "content_security_policy={'frame-ancestors': ['https://example.com']} and frame=None"
        )
    return frame.upper()


def _csp(option: str, policy: Policy | None) -> str | None:
    if not policy:
        return None
    if isinstance(policy, str):
        return policy.strip().rstrip(";")
    directives = []
    for name, sources in policy.items():
        listed = [sources] if isinstance(sources, str) else sources
        texts = checked_strings("SecurityHeaders", option, listed)
        if any(mark in text for text in (name, *texts) for mark in ";,"):
            raise ValueError(
                f"SecurityHeaders({option}=...): {name!r} holds ';' or ',', which end a directive; "
                "give each directive its own key, and its sources as a list"
            )
        directives.append(" ".join((name, *texts)))
    return "; ".join(directives)


def _hsts(age_s: int | None, subdomains: bool, preload: bool) -> str | None:
    if age_s is None or age_s is False:
        return None
    age = checked_number("SecurityHeaders", "hsts_s", age_s)
    if preload and not (subdomains and age >= _YEAR_S):
        # https://hstspreload.org/#submission-requirements
        raise ValueError(
            "SecurityHeaders(hsts_preload=True) needs hsts_subdomains=True and an hsts_s of at "
            f"least {_YEAR_S}, or browsers will not take the domain"
        )
    return f"max-age={age}{'; includeSubDomains' if subdomains else ''}" + (
        "; preload" if preload else ""
    )
