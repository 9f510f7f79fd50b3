"""What must not be shown: passwords, tokens and the like, by their names and wherever they recur.

A debug page is copied into tickets and shown on projectors. So what has the name of a secret is
left out, and once its text is known it is left out everywhere else, too: in the message of an
exception, in another variable, in the body.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

REDACTED = "[redacted]"

# Prior art: Django's HIDDEN_SETTINGS, Sentry's DEFAULT_DENYLIST.
_STRONG = r"passw|passwd|passphrase|pwd|secret|api_?-?key|apikey|credit|cvv|cvc|ssn|private_?-?key"
_ANY = (
    rf"{_STRONG}|token|authoriz|^auth$|[-_]auth$|cookie|session|sessid|csrf|xsrf|credential|"
    r"card_?-?n|bearer|signature|signing|jwt|^pin$|iban|otp$"
)
_SECRET_NAME = re.compile(_ANY, re.IGNORECASE)

# A value in a text, behind its name. Only what stands behind a quoted name or an equals sign: a
# sentence such as "unexpected token: }" is worth reading.
_VALUE = r"""b?"(?:[^"\\]|\\.){0,4000}"?|b?'(?:[^'\\]|\\.){0,4000}'?|[^\s,;&<>(){}\[\]"']{1,4000}"""
_NAMED = re.compile(
    rf"((?:{_STRONG}|token|authorization|cookie|session|csrf|xsrf|credential|signature|jwt)"
    rf"[\w-]{{0,40}}(?:[\"']\s{{0,3}}[:=]|\s{{0,3}}=(?!=))\s{{0,3}}"
    rf"|(?:{_STRONG})[\w-]{{0,40}}:\s{{0,3}})({_VALUE})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)(\s{1,3})[\w.~+/=-]{8,}", re.IGNORECASE)
# Up to the last at-sign: a password may have one, though it should be written as %40.
_URL = re.compile(r"(://[^\s/:@'\"]{0,200}):([^\s/'\"]{1,400})@")

# Such values say nothing, whatever they are called.
_HARMLESS = (type(None), bool, type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)

# What shells set: no passwords, whatever their names look like. With the current folder left out
# no path on the page could be read.
_OF_SHELLS = frozenset(("PWD", "OLDPWD"))

_MOST_KNOWN = 64
_MOST_TEXT = 4096


def is_secret_name(name: str) -> bool:
    """Whether what is called so must not be shown."""
    return _SECRET_NAME.search(name) is not None


def without_url_passwords(text: str, mark: str = REDACTED) -> str:
    """A text in which URLs have no passwords.   Args: mark: what stands in their place."""
    return _URL.sub(rf"\1:{mark}@", text) if "://" in text else text


class Redactor:
    """Leaves secrets out of names and texts, and remembers them.

    Args: environment: whose secrets are known from the beginning; None for this process's.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._known: set[str] = set()
        for name, value in (os.environ if environment is None else environment).items():
            if is_secret_name(name) and name not in _OF_SHELLS:
                self.remember(value)
            for found in _URL.finditer(value[:_MOST_TEXT]):
                self.remember(found[2])

    def hides(self, name: str, value: Any) -> bool:
        """Whether a value of that name must not be shown; if so it is remembered."""
        if not is_secret_name(name) or isinstance(value, _HARMLESS):
            return False
        self.remember(value)
        return True

    def remember(self, value: Any) -> None:
        """Have a secret left out wherever it recurs, if it is one that could be told from words."""
        if type(value) is bytes:
            value = value[:_MOST_TEXT].decode("utf-8", "replace")
        if type(value) is not str or len(self._known) >= _MOST_KNOWN:
            return
        value = value.strip()
        if _is_telling(value):
            self._known.add(value)
            self._known.add(repr(value)[1:-1])  # as it stands in the repr of something else

    def clean(self, text: str) -> str:
        """A text without what looks like a secret, and without those that are known."""
        text = _NAMED.sub(_without_value, text)
        text = _BEARER.sub(rf"\1\2{REDACTED}", text)
        return self.without_known(text)

    def without_known(self, text: str) -> str:
        """A text without passwords in URLs and known secrets: for source, which has its own."""
        text = without_url_passwords(text)
        for secret in sorted(self._known, key=len, reverse=True):
            if secret in text:
                text = text.replace(secret, REDACTED)
        return text


def _without_value(found: re.Match[str]) -> str:
    value = found[2].removeprefix("b")
    if value in ("None", "True", "False", "null", "true", "false", REDACTED, "redacted"):
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found[1]}{quote}{REDACTED}{quote}"


def _is_telling(text: str) -> bool:
    """Whether a text is no plain word: to leave "postgres" out of all paths would help nobody."""
    if not 6 <= len(text) <= _MOST_TEXT:
        return False
    is_word = text.isalpha() and (text.islower() or text.isupper() or text.istitle())
    return not is_word or len(text) >= 20
