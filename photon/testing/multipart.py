"""Forms with files, as a browser sends them.

Source: RFC 7578; the names are escaped as in the WHATWG's HTML, "multipart/form-data encoding".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from mimetypes import guess_type
from secrets import token_hex
from typing import IO, TypeAlias

Content: TypeAlias = bytes | str | IO[bytes] | IO[str]
File: TypeAlias = Content | tuple[str | None, Content] | tuple[str | None, Content, str]
Files: TypeAlias = Mapping[str, File | list[File]] | Iterable[tuple[str, File]]
"""Field names and files: the content alone, or (file name, content), or with a media type.

A list is several files of one name.
"""

_SHAPE = "it is given as content, (file name, content) or (file name, content, media type)"


def encode_multipart(fields: Iterable[tuple[str, str]], files: Files) -> tuple[bytes, str]:
    """A form as bytes, and its Content-Type.

    Args:
        fields: names and values, before the files.
        files: a file name of None makes it a field with a media type.
    Raises: TypeError.
    """
    boundary = token_hex(16)
    parts = [_part(boundary, name, value.encode()) for name, value in fields]
    for name, file in _singly(files):
        file_name, content, media_type = _taken_apart(name, file)
        parts.append(_part(boundary, name, content, file_name, media_type))
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _singly(files: Files) -> Iterator[tuple[str, File]]:
    for name, given in files.items() if isinstance(files, Mapping) else files:
        for file in given if isinstance(given, list) else (given,):
            yield name, file


def _part(
    boundary: str,
    name: str,
    content: bytes,
    file_name: str | None = None,
    media_type: str | None = None,
) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
    if file_name is not None:
        head += f'; filename="{_escaped(file_name)}"'
    if media_type is not None:
        head += f"\r\nContent-Type: {_one_line(media_type)}"
    return f"{head}\r\n\r\n".encode() + content + b"\r\n"


def _taken_apart(name: str, file: File) -> tuple[str | None, bytes, str | None]:
    """File name, content and media type."""
    media_type: str | None = None
    if not isinstance(file, tuple):
        content: Content = file
        file_name: str | None = os.path.basename(str(getattr(file, "name", ""))) or name
    elif len(file) == 2:
        file_name, content = file
    elif len(file) == 3:
        file_name, content, media_type = file
    else:
        raise TypeError(f"the file {name!r} has {len(file)} parts; {_SHAPE}")
    if media_type is None and file_name is not None:
        media_type = guess_type(file_name)[0] or "application/octet-stream"
    return file_name, _bytes_of(name, content), media_type


def _bytes_of(name: str, content: Content) -> bytes:
    data = content.read() if hasattr(content, "read") else content
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"the file {name!r} is {type(data).__name__}; {_SHAPE}")


def _escaped(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _one_line(media_type: str) -> str:
    if "\r" in media_type or "\n" in media_type:
        raise ValueError(f"the media type {media_type!r} has a line break")
    return media_type
