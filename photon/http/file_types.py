"""What a file is, by the end of its name: the same on every machine.

`mimetypes` of the standard library reads the machine's own files (/etc/mime.types, the registry),
so that a script is text/javascript here, application/javascript there, and text/plain where
somebody installed the wrong editor, which browsers refuse to run. This table is all there is.

Source: the IANA registry of media types; WHATWG MIME Sniffing §4.6 and RFC 9239 for JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN = "application/octet-stream"

_UTF8 = "; charset=utf-8"

TYPES: Mapping[str, str] = {
    # Pages and what they are made of...
    ".html": f"text/html{_UTF8}",
    ".htm": f"text/html{_UTF8}",
    ".xhtml": "application/xhtml+xml",
    ".css": f"text/css{_UTF8}",
    ".js": f"text/javascript{_UTF8}",
    ".mjs": f"text/javascript{_UTF8}",
    ".cjs": f"text/javascript{_UTF8}",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
    ".vtt": f"text/vtt{_UTF8}",
    # Data...
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".geojson": "application/geo+json",
    ".ndjson": "application/x-ndjson",
    ".xml": "application/xml",
    ".xsl": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
    ".txt": f"text/plain{_UTF8}",
    ".log": f"text/plain{_UTF8}",
    ".csv": f"text/csv{_UTF8}",
    ".tsv": f"text/tab-separated-values{_UTF8}",
    ".md": f"text/markdown{_UTF8}",
    ".ics": f"text/calendar{_UTF8}",
    ".vcf": f"text/vcard{_UTF8}",
    ".sql": "application/sql",
    ".sqlite": "application/vnd.sqlite3",
    ".parquet": "application/vnd.apache.parquet",
    # Pictures...
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".apng": "image/apng",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".jxl": "image/jxl",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".ico": "image/vnd.microsoft.icon",
    # Letters...
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".ttc": "font/collection",
    ".eot": "application/vnd.ms-fontobject",
    # Sound and film...
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".mid": "audio/midi",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".ogv": "video/ogg",
    ".mov": "video/quicktime",
    ".mpeg": "video/mpeg",
    ".mkv": "video/matroska",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    # Shapes...
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".obj": "model/obj",
    ".stl": "model/stl",
    # Documents...
    ".pdf": "application/pdf",
    ".rtf": "application/rtf",
    ".epub": "application/epub+zip",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    # Packages. Compressed files too are packages here, and nothing to be unpacked on the way.
    ".zip": "application/zip",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".tar": "application/x-tar",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".zst": "application/zstd",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".br": UNKNOWN,
    ".jar": "application/java-archive",
    ".apk": "application/vnd.android.package-archive",
    ".whl": "application/zip",
    ".bin": UNKNOWN,
    ".dat": UNKNOWN,
    ".exe": UNKNOWN,
    ".dmg": UNKNOWN,
    ".iso": UNKNOWN,
}


def suffix_of(name: str) -> str:
    """The end of a name from its last dot on, in lower case; "" for a name that has none.

    A dot file such as `.profile` has none.
    """
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def type_of(name: str, own: Mapping[str, str] | None = None) -> str:
    """The media type of a file of this name; application/octet-stream when nobody knows.

    Args: own: suffixes with their dot, in lower case, and types that go before those known here.
    """
    suffix = suffix_of(name)
    if own is not None and suffix in own:
        return own[suffix]
    return TYPES.get(suffix, UNKNOWN)
