"""What applications may be mounted at; that they answer is told in `docs/guide/groups.md`."""

from __future__ import annotations

import pytest

from photon.app.photon import Photon


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [("admin", "'/admin'"), ("/admin/", "'/admin'"), ("/", "''"), ("//", "''")],
)
def test_a_prefix_that_will_not_do_is_told_with_one_that_does(prefix: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"write {wanted}$"):
        Photon().mount(prefix, Photon())
    Photon().mount(wanted.strip("'"), Photon())
