"""The programs that check what is generated for them.

Where one is missing, its tests are skipped and say so; with PHOTON_REQUIRE_DEPLOY_TOOLS they fail.
"""

from __future__ import annotations

import os
import shutil

import pytest

_PACKAGES = {"nginx": "nginx-light or nginx", "systemd-analyze": "systemd"}


def tool(name: str) -> str:
    """The path of a program, or a test that is skipped."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        reason = f"{name} is not there: apt-get install {_PACKAGES[name]}"
        if os.environ.get("PHOTON_REQUIRE_DEPLOY_TOOLS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
