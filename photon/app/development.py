"""Whether this process is for who writes the application: `photon dev` says so by PHOTON_DEV."""

from __future__ import annotations

import os
from collections.abc import Mapping

_NO = ("", "0", "false", "no", "off")


def is_development(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether errors may show source and values."""
    return environ.get("PHOTON_DEV", "").strip().lower() not in _NO
