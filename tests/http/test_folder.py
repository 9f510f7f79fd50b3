"""Files below a directory: the ways out, all of them shut."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from photon.http import cached_names
from photon.http.folder import Folder
from photon.runtime.offload import offload


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with something beside it that nobody shall see."""
    root = tmp_path / "root"
    (root / "css").mkdir(parents=True)
    (root / "css" / "site.css").write_text("site")
    (root / "top.txt").write_text("top")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("key")
    return root


def descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    offload(int)  # gevent's threads, and what is loaded once, come before the count
    cached_names.open_cached("/")
    before = len(descriptors())
    yield
    assert len(descriptors()) == before


def read(folder: Folder, path: str) -> str:
    """What the walk opens, in a thread as ever: gevent closes directories later in the hub."""

    def reading() -> str:
        file = folder.open(path.split("/"))
        try:
            return os.read(file.fd, 100).decode()
        finally:
            file.close()

    return offload(reading)


def read_cached(folder: Folder, path: str) -> str | None:
    def reading() -> str | None:
        file = folder.open_cached(path.split("/"))
        if file is None:
            return None
        try:
            return os.read(file.fd, 100).decode()
        finally:
            file.close()

    return offload(reading)


def refused(folder: Folder, path: str) -> OSError:
    with pytest.raises(OSError, match="Errno") as error:
        read(folder, path)
    try:
        assert not is_file(folder, path.split("/"))
    except OSError:
        pass
    try:
        assert read_cached(folder, path) is None
    except FileNotFoundError:  # a directory
        pass
    return error.value


def is_file(folder: Folder, names: Sequence[str]) -> bool:
    (status,) = offload(folder.stat, names)
    assert status is not None
    return stat.S_ISREG(status.st_mode)


def test_files_are_found(root: Path) -> None:
    folder = Folder(str(root))
    assert read(folder, "top.txt") == "top"
    assert read(folder, "css/site.css") == "site"
    assert read_cached(folder, "css/site.css") in ("site", None)
    assert is_file(folder, ["css", "site.css"])
    assert not is_file(folder, ["css"])
    assert not is_file(folder, [])


@pytest.mark.parametrize("follows", [False, True])
def test_what_is_not_there_is_an_error(root: Path, follows: bool) -> None:
    folder = Folder(str(root), follow_symlinks=follows)
    below = ("top.txt/below", "top.txt/top.txt", "css/site.css/site.css")
    for path in ("nobody", "nobody/there", *below, "css", "x" * 300, "x" * 5000):
        assert refused(folder, path).errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
    with pytest.raises(ValueError, match="null"):
        read(folder, "to\0p.txt")


def test_links_within_are_followed(root: Path) -> None:
    (root / "css" / "up.txt").symlink_to("../top.txt")
    (root / "styles").symlink_to("css")
    (root / "absolute.css").symlink_to(root / "css" / "site.css")
    (root / "twice").symlink_to("styles/../styles/up.txt")
    (root / "self").symlink_to(root)
    folder = Folder(str(root))
    for path, content in [
        ("css/up.txt", "top"),
        ("styles/site.css", "site"),
        ("styles/up.txt", "top"),
        ("absolute.css", "site"),
        ("twice", "top"),
        ("self/self/top.txt", "top"),
    ]:
        assert read(folder, path) == content, path
        assert is_file(folder, path.split("/"))
        assert read_cached(folder, path) in (content, None)


def test_the_directory_itself_may_be_a_link_and_be_turned(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "top.txt").write_text("other")
    current = tmp_path / "current"
    current.symlink_to(root)
    (root / "absolute").symlink_to(root / "top.txt")
    folder = Folder(str(current))
    assert read(folder, "top.txt") == "top"
    assert read(folder, "absolute") == "top"
    current.unlink()
    current.symlink_to("other")
    assert read(folder, "top.txt") == "other"


@pytest.mark.parametrize(
    "target",
    [
        "../secret/key",
        "css/../../secret/key",
        "../root/../secret/key",
        "../root/top.txt",  # it comes back, and has been out
        "/etc/passwd",
        "{root}/../secret/key",
        "{root}-beside/key",
        "/proc/self/root/etc/passwd",
        "link",
        "other-link",
    ],
)
def test_links_that_lead_out_or_nowhere(root: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root-beside" / "key").write_text("key")
    (root / "link").symlink_to(target.format(root=root))
    (root / "other-link").symlink_to("link")
    (root / "link.gz").symlink_to(target.format(root=root))
    folder = Folder(str(root))
    refused(folder, "link")
    refused(folder, "other-link")
    (root / "link").unlink()
    (root / "link").write_text("itself")
    statuses = offload(folder.stat, ["link"], ".gz", ".br")
    assert [status is not None for status in statuses] in ([True, False, False],) or target in (
        "link",
        "other-link",
    )


def test_a_directory_that_is_a_link_leads_out_no_more_than_a_file(
    root: Path, tmp_path: Path
) -> None:
    (root / "away").symlink_to(tmp_path / "secret")
    folder = Folder(str(root))
    refused(folder, "away/key")
    with pytest.raises(FileNotFoundError, match="leads out"):
        read(folder, "away/key")
    assert read(Folder(str(root), follow_symlinks=True), "away/key") == "key"


def test_pipes_and_devices_are_not_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    (root / "device").symlink_to("/dev/zero")
    opened = []
    really_open = os.open

    def note(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        opened.append(name)
        return really_open(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", note)
    for follows in (False, True):
        folder = Folder(str(root), follow_symlinks=follows)
        for name in ("pipe", "device"):
            with pytest.raises(FileNotFoundError):
                read(folder, name)
    assert {os.path.basename(name) for name in opened} <= {"root"}


def test_a_link_that_takes_the_place_of_what_was_checked_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a name and its opening somebody swaps it."""
    really_stat = os.stat
    swaps = {"top.txt": tmp_path / "secret" / "key", "css": tmp_path / "secret"}

    def swap(name: str, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> object:
        status = really_stat(name, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if name in swaps and not follow_symlinks:
            os.rename(root / name, root / f"{name}-away")
            (root / name).symlink_to(swaps.pop(name))
        return status

    (tmp_path / "secret" / "site.css").write_text("key")
    monkeypatch.setattr(os, "stat", swap)
    folder = Folder(str(root))
    for path in ("top.txt", "css/site.css"):
        with pytest.raises(OSError, match="Errno") as refusal:
            read(folder, path)
        assert refusal.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert not swaps


def test_siblings_are_looked_for_beside_the_name(root: Path) -> None:
    (root / "store").mkdir()
    (root / "store" / "1").write_text("plain")
    (root / "store" / "2").write_text("packed")
    (root / "app.js").symlink_to("store/1")
    (root / "app.js.gz").symlink_to("store/2")
    folder = Folder(str(root))
    plain, packed, missing = offload(folder.stat, ["app.js"], ".gz", ".br")
    assert plain is not None
    assert packed is not None
    assert (plain.st_size, packed.st_size, missing) == (5, 6, None)
    both = Folder(str(root), follow_symlinks=True)
    sizes = [status and status.st_size for status in offload(both.stat, ["app.js"], ".gz", ".br")]
    assert sizes == [5, 6, None]
