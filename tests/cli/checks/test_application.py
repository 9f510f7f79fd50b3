"""An application in an interpreter of its own."""

from __future__ import annotations

from pathlib import Path

from photon.cli.checks.application import Probe, application, probe
from photon.cli.checks.drivers import DRIVERS, drivers, imported_drivers


def test_an_import_without_end_is_left(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import time\ntime.sleep(600)\n")
    seen = probe("stuck", str(tmp_path), False, start=False, patience_s=1)
    assert seen.error is not None
    assert seen.error["message"] == "stuck:app was not there after 1s"


def test_what_takes_long_is_named_with_its_modules() -> None:
    seen = Probe(import_s=2.0, times=[("heavy", 1.5), ("light", 0.01)])
    found = {each.about: each for each in application("shop", seen)}
    assert found["application"].state == "warn"
    assert found["application"].details[0].split() == ["1.50", "s", "heavy"]


def test_the_application_itself_is_among_the_modules(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def app(request): ...\n")
    seen = probe("mine", str(tmp_path), False, start=False)
    assert seen.error is None
    assert "mine" in [name for name, _ in seen.times]
    assert "mine" in seen.modules
    assert seen.memory_bytes > 1 << 20


def test_every_driver_has_a_way_out() -> None:
    assert all(driver.waits and driver.way_out.endswith((".", ")")) for driver in DRIVERS)
    assert len({driver.module for driver in DRIVERS}) == len(DRIVERS)


def test_a_driver_whose_state_cannot_be_seen_is_told() -> None:
    assert imported_drivers(["psycopg2", "json"]) == ["psycopg2"]


def test_what_computes_is_a_hint() -> None:
    (finding,) = drivers([], ["numpy", "json"])
    assert (finding.state, finding.details[0].startswith("numpy: ")) == ("ok", True)
