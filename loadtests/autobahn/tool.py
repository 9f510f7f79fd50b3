"""Installs Autobahn's test suite into `.peers/autobahn`, as Python 3.

fissix (lib2to3, which went on) converts the syntax. Strings keep the meaning that they had: the
source is read as Latin-1, so that each byte of a literal is one character, as it was in a `str` of
Python 2; `client` turns them into bytes where they leave. What no fixer knows is in CHANGES.
"""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from loadtests.peers import ROOT

HOME = ROOT / "autobahn"
PYTHON = HOME / "bin" / "python"
SUITE = HOME / "suite"  # what is put on the path: the converted package is in it
STAMP = HOME / ".installed"

# The Autobahn and txaio that the suite asks for in its own requirements.txt; the others are
# younger than those, because the old ones do not run on a Python of today.
PINNED = ("autobahntestsuite==25.10.1", "autobahn==0.10.9", "txaio==2.1.0")
NEEDED = (
    "six",
    "Twisted",
    "pyopenssl",
    "service_identity",
    "jinja2",
    "wsaccel",  # masks in C; 16 MiB take half a minute without
    "setuptools<81",  # pkg_resources
    "fissix",
)

# (file, what stands there, what takes its place, how often)
CHANGES = (
    # A class of Python 2 says that it is a new one; in Python 3 all are, and the order is wrong.
    ("case/case6_x_x.py", r"\(object, Case,\s*\)", "(Case, )", 1),
    ("case/case7_7_X.py", r"\(object, Case,\s*\)", "(Case, )", 1),
    ("case/case7_9_X.py", r"\(object, Case,\s*\)", "(Case, )", 1),
    ("case/case9_7_X.py", r"\(object, Case,\s*\)", "(Case, )", 1),
    ("case/case12_x_x.py", r"\(object, Case,\s*\)", "(Case, )", 2),
    # A number of frames: the division of integers.
    ("case/case10_1_1.py", r"\) / self", ") // self", 1),
    # zope's decorator took the place of a call in the class body.
    ("case/case9_9_1.py", r"implements\(interfaces\.IPushProducer\)", "", 1),
    ("case/case9_9_1.py", r"from zope\.interface import implements", "", 1),
)

# Of the suite only the fuzzing client is wanted: its front door opens all of its tools.
FRONT_DOOR = "from ._version import __version__\n\nversion = __version__\n"


class ToolFailed(Exception):
    """The suite could not be installed, or is not what was expected."""


def make() -> None:
    """Install what is missing.   Raises: ToolFailed."""
    if is_made():
        return
    STAMP.unlink(missing_ok=True)
    print(f"autobahn: installing {', '.join(PINNED)} into {HOME}", flush=True)
    try:
        venv.create(HOME, with_pip=True, symlinks=True)
        # Its sources are no Python 3 yet: compiling them would only print errors.
        _pip("--no-deps", "--no-compile", *PINNED)
        _pip(*NEEDED)
        convert()
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolFailed(f"Autobahn's test suite could not be installed: {error}") from error
    STAMP.write_text(_contents())


def is_made() -> bool:
    return STAMP.is_file() and STAMP.read_text() == _contents()


def _contents() -> str:
    """A changed list, conversion or interpreter installs again."""
    return "\n".join((sys.version.split()[0], *PINNED, *NEEDED, repr(CHANGES), FRONT_DOOR))


def _pip(*arguments: str) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments], check=True)


# Conversion...


def convert() -> None:
    """Raises: ToolFailed, OSError, CalledProcessError."""
    package = SUITE / "autobahntestsuite"
    shutil.rmtree(SUITE, ignore_errors=True)
    shutil.copytree(_installed(), package)
    for path in package.rglob("*.py"):
        path.write_text(path.read_bytes().decode("latin-1"), encoding="utf-8")
    fissix = [str(PYTHON), "-m", "fissix", "--write", "--nobackups", "--no-diffs", "--fix", "all"]
    done = subprocess.run([*fissix, str(package)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolFailed(f"the conversion to Python 3 failed:\n{done.stderr[-2000:]}")
    for name, old, new, times in CHANGES:
        path = package / name
        text, changed = re.subn(old, new, path.read_text(encoding="utf-8"))
        if changed != times:
            raise ToolFailed(f"{name}: {old!r} was expected {times} times, found {changed} times")
        path.write_text(text, encoding="utf-8")
    (package / "__init__.py").write_text(FRONT_DOOR)


def _installed() -> Path:
    found = list(HOME.glob("lib/python*/site-packages/autobahntestsuite"))
    if len(found) != 1:
        raise ToolFailed(f"autobahntestsuite was installed, but {len(found)} of it are there")
    return found[0]
