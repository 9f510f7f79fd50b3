"""The guide is true: its pages are run, each one as a module, in a folder of its own.

What the first line of a block says:

    python            is run, in the namespace of the page
    python raises     is run and has to raise, which counts as output: "TypeError: ..."
    python no-run     is not run; the page says why
    ... output        is what the blocks since the last output printed, or raised; "..." stands
                      for anything
    ... file=a/b.txt  is a file, which is there before the page is run; python is not run then
    console run       its `$ commands` are run as processes, and print what stands below them
"""

from __future__ import annotations

import ast
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md"))]

_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced block. Args: words: of its first line; line: of the page, of its first content."""

    words: list[str]
    text: str
    line: int

    @property
    def file(self) -> str:
        return next((word[5:] for word in self.words if word.startswith("file=")), "")


def blocks_of(page: Path) -> Iterator[Block]:
    block: Block | None = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if not line.lstrip().startswith("```"):
            if block is not None:
                block = block._replace(text=f"{block.text}{line}\n")
        elif block is None:
            block = Block(line.strip(" `").split(), "", number + 1)
        else:
            yield block
            block = None
    assert block is None, f"{page.name}: the last block has no end"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_true(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = list(blocks_of(page))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHOTON_DEV", raising=False)
    for block in blocks:
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text)
    module = ModuleType(f"guide_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where annotations are looked up
    # A page about testing has modules of its own.
    monkeypatch.syspath_prepend(tmp_path)
    printed = io.StringIO()
    for block in blocks:
        if block.words[:1] == ["python"] and not block.file and "no-run" not in block.words:
            with redirect_stdout(printed):
                run(page, block, module, printed)
        elif "output" in block.words:
            compare(page, block, block.text, printed.getvalue())
            printed.seek(printed.truncate(0))
        elif block.words[:2] == ["console", "run"]:
            run_commands(page, block, tmp_path)
    assert printed.getvalue() == "", f"{page.name} does not show what it printed last"


def run(page: Path, block: Block, module: ModuleType, printed: io.StringIO) -> None:
    """Run a block, its lines counted as those of the page."""
    tree = Telling().visit(ast.parse("\n" * (block.line - 1) + block.text, str(page)))
    code = compile(ast.fix_missing_locations(tree), str(page), "exec", dont_inherit=True)
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        if "raises" not in block.words:
            raise
        printed.write(f"{type(error).__name__}: {error}\n")
    else:
        assert "raises" not in block.words, f"{page.name}:{block.line}: nothing was raised"


class Telling(ast.NodeTransformer):
    """Has asserts that compare say what they found."""

    def visit_Assert(self, node: ast.Assert) -> Any:
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and node.msg is None:
            test.left = ast.NamedExpr(ast.Name("left_", ast.Store()), test.left)
            test.comparators = [ast.NamedExpr(ast.Name("right_", ast.Store()), test.comparators[0])]
            node.msg = ast.parse("f'{left_!r}\\n and {right_!r}'", mode="eval").body
            for part in ast.walk(node.msg):
                ast.copy_location(part, node)
        return node


def compare(page: Path, block: Block, want: str, got: str) -> None:
    is_same = doctest.OutputChecker().check_output(want, got, _OPTIONS)
    assert is_same, f"{page.name}:{block.line}: this was printed instead:\n{got}"


def run_commands(page: Path, block: Block, folder: Path) -> None:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, want = part.partition("\n")
        name, *arguments = shlex.split(command)
        environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-m", name, *arguments],
            check=False,  # what it prints is compared
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
        )
        compare(page, block, want, done.stdout)


def test_the_guide_names_all_its_pages() -> None:
    start = (ROOT / "docs/guide/index.md").read_text()
    assert [page.name for page in PAGES[1:] if f"({page.name})" not in start] == ["index.md"]


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_links_lead_to_what_is_there(page: Path) -> None:
    # Code has brackets of its own: open_channel[int](10).
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
