"""The name a client gave its file, made into one that is safe to create in a directory.

What is dangerous in such a name: directories (`../../etc/passwd`, `C:\\Windows`), what a shell or
a terminal reads as something else (line breaks, escapes, text that runs from right to left), what
a file system hides or gives a meaning (`.htaccess`, `NUL`), and length.
"""

from __future__ import annotations

import re
import unicodedata

# Most file systems take 255 bytes; this leaves room for a number that the user puts before it.
_LONGEST_BYTES = 200

_SEPARATORS = re.compile(r"[/\\]")

# Windows refuses these, and reads what follows a colon as another stream of the file.
_RESERVED = re.compile(r'[<>:"|?*]')

# Windows opens a device under these names, whatever the extension.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)

# Controls, formats (among them those that turn the direction of text), surrogates, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_name(filename: str, default: str = "file") -> str:
    """The last step of `filename`, without anything that has a meaning to a file system.

    Two files may get the same name, and a file of that name may exist: it is for reading, and for
    creating in a directory where nothing else is. Anywhere else choose a name of your own.

    Args: default: what is given when nothing is left.
    Returns: at most 200 bytes of UTF-8, with no separator, no control character and no leading
    dot or hyphen.
    """
    name = _SEPARATORS.split(filename[-4096:])[-1]
    name = unicodedata.normalize("NFC", name)
    name = "".join(c for c in name if unicodedata.category(c) not in _UNSEEN)
    name = _RESERVED.sub("_", name)
    # Windows drops dots and spaces at the end by itself, and finds another file then.
    name = name.lstrip(". -").rstrip(". ")
    if _DEVICES.match(name):
        name = f"_{name}"
    return _shortened(name) or default


def _shortened(name: str) -> str:
    """A name of at most 200 bytes, which keeps its extension if that is a short one."""
    if len(name.encode()) <= _LONGEST_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f".{extension}".encode() if dot and len(extension.encode()) <= 20 else b""
    begin = (stem if ending else name).encode()[: _LONGEST_BYTES - len(ending)]
    # A character that was cut in two is left out.
    return begin.decode(errors="ignore").rstrip(". ") + ending.decode()
