"""Seeds of runs and of tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from photon.testing.seeding import seed_of_run, seed_of_test, way_to_repeat


def test_a_number_is_itself_and_random_is_another_one_each_time() -> None:
    assert seed_of_run("0") == 0
    assert seed_of_run("12345678901234567890") == 12345678901234567890
    assert len({seed_of_run("random") for _ in range(5)}) > 1


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "Random", "1_000", "٣", "9" * 21])
def test_what_is_no_seed_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no seed: it is a whole number from 0 on, or the word"):
        seed_of_run(text)


def test_each_test_has_its_own() -> None:
    seeds = {
        seed_of_test(1, "tests/test_a.py::test_x"),
        seed_of_test(2, "tests/test_a.py::test_x"),
        seed_of_test(1, "tests/test_a.py::test_y"),
        seed_of_test(1, "tests/test_a.py::test_x[a/b::c]"),
        seed_of_test(1, "tests/test_b.py::test_x"),
    }
    assert len(seeds) == 5


def test_it_is_the_same_in_every_process_and_from_every_folder() -> None:
    code = "from photon.testing.seeding import seed_of_test as s; print(s(7, 'test_a.py::test_x'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert int(done.stdout) == seed_of_test(7, "deep/down/test_a.py::test_x")


def test_the_way_to_repeat_fits_into_a_shell() -> None:
    assert way_to_repeat("tests/test_a.py::test_x", 5) == (
        "pytest tests/test_a.py::test_x --photon-seed=5"
    )
    assert way_to_repeat("test_a.py::test_x[a b]", 5) == (
        "pytest 'test_a.py::test_x[a b]' --photon-seed=5"
    )
