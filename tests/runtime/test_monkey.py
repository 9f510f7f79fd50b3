"""The patch, in processes of its own."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from photon.runtime import monkey


def run(code: str) -> list[str]:
    """The lines that a fresh interpreter prints for `code`; warnings go there too."""
    program = dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_a_patch_that_comes_first_is_quiet() -> None:
    assert run("""
        from photon.runtime import monkey
        print(monkey.is_patched(), monkey.patch(), monkey.is_patched(), monkey.patch())
        import msgspec, h11, urllib.request, http.client, ssl, subprocess, logging.handlers
        import photon.app.photon, photon.http.server.serving
    """) == ["False () True ()"]


HOLDERS = [
    "from socket import socket",
    "from time import sleep",
    "from threading import Lock",
    "from subprocess import Popen",
    "from select import select",
    "from ssl import SSLContext as Context",
    "import queue; Queue = queue.SimpleQueue",
]


@pytest.mark.parametrize("line", HOLDERS)
def test_a_module_that_holds_a_blocking_original_is_named(line: str) -> None:
    lines = run(f"""
        import sys, types
        early = types.ModuleType("shop.early")
        exec({line!r}, vars(early))
        sys.modules["shop.early"] = early
        from photon.runtime import monkey
        print(monkey.patch())
    """)
    assert "('shop',)" in lines
    (warning,) = [text for text in lines if "PatchedTooLate" in text]
    assert "shop: imported before" in warning
    assert "python -m photon run" in warning


def test_a_module_that_looks_its_names_up_each_time_is_not_named() -> None:
    assert run("""
        import sys, types
        late = types.ModuleType("late")
        exec("import socket, time, threading, subprocess, ssl, select, queue, os", vars(late))
        sys.modules["late"] = late
        from photon.runtime import monkey
        print(monkey.patch())
    """) == ["()"]


def test_a_module_that_decides_at_import_is_named_for_having_been_imported() -> None:
    lines = run("""
        import sys, types
        sys.modules["psycopg"] = types.ModuleType("psycopg")
        from photon.runtime import monkey
        print(monkey.patch())
    """)
    assert "('psycopg',)" in lines


def test_what_is_known_to_be_harmless_is_not_named() -> None:
    assert run("""
        import sys, types
        from time import sleep
        tool = types.ModuleType("tool.inner")
        tool.sleep = sleep
        sys.modules["tool.inner"] = tool
        del sleep
        from photon.runtime import monkey
        print(monkey.patch(harmless=["tool"]))
    """) == ["()"]


def test_names_of_several_modules_are_sorted() -> None:
    lines = run("""
        import sys, types, time
        for name in ("zoo", "bar.one", "bar.two"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].sleep = time.sleep
        from photon.runtime import monkey
        print(monkey.patch())
    """)
    assert "('bar', 'zoo')" in lines


def test_blocking_calls_park_after_the_patch() -> None:
    assert run("""
        from photon.runtime import monkey
        monkey.patch()
        import time
        from photon.runtime.greenlets import spawn
        story = []
        def work(name):
            story.append(name)
            time.sleep(0.01)
            story.append(name)
        handles = [spawn(work, 1), spawn(work, 2)]
        for handle in handles:
            handle.join()
        print(story)
    """) == ["[1, 2, 1, 2]"]


def test_the_tests_themselves_are_patched() -> None:
    assert monkey.is_patched()
    assert monkey.patch() == ()
