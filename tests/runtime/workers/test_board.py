"""Rows in shared memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from photon.runtime.workers.board import (
    BEAT,
    BOOTING,
    CONNECTIONS,
    DRAINING,
    READY,
    ROWS,
    STATE,
    Board,
    now_us,
)
from tests.processes import ROOT


def test_a_row_is_taken_cleared_and_free_again() -> None:
    board = Board()
    first = board.take()
    board.row(first)[CONNECTIONS] = 12
    second = board.take(READY)
    assert first != second
    assert board.row(second)[STATE] == READY
    board.free(first)
    assert board.take() == first
    row = board.row(first)
    assert (row[STATE], row[CONNECTIONS]) == (BOOTING, 0)
    assert 0 <= now_us() - row[BEAT] < 1_000_000


def test_rows_are_found_by_their_state() -> None:
    board = Board()
    for state in (READY, DRAINING, READY):
        board.take(state)
    assert [row.obj is board.row(0).obj for row in board.rows_of(READY)] == [True, True]
    board.rows_of(READY)[0][CONNECTIONS] = 3
    assert board.row(0)[CONNECTIONS] == 3
    assert len(board.rows_of(DRAINING)) == 1
    board.free(1)
    assert board.rows_of(DRAINING) == []
    assert len(board.rows()) == 2


def test_there_is_an_end_to_rows_which_is_told() -> None:
    board = Board()
    for _ in range(ROWS):
        board.take()
    with pytest.raises(LookupError, match=f"{ROWS} workers at a time, those that drain included"):
        board.take()
    board.free(17)
    assert board.take() == 17


def test_another_program_that_has_its_descriptor_sees_the_same() -> None:
    board = Board()
    number = board.take(READY)
    board.row(number)[CONNECTIONS] = 41
    code = (
        "import sys; from photon.runtime.workers.board import *\n"
        "(row,) = Board(int(sys.argv[1])).rows_of(READY); row[CONNECTIONS] += 1"
    )
    os.set_inheritable(board.descriptor, True)
    subprocess.run(
        [sys.executable, "-c", code, str(board.descriptor)],
        cwd=ROOT,
        check=True,
        pass_fds=[board.descriptor],
    )
    assert board.row(number)[CONNECTIONS] == 42
