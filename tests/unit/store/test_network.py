"""A state folder on a network drive is noticed."""

from __future__ import annotations

from pathlib import Path

from gsvr_tui.store.network import network_kind


def test_the_deepest_mount_decides(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    share = tmp_path / "my share"
    share.mkdir()
    escaped = str(share).replace(" ", "\\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\nbroken\n")
    assert network_kind(share / "state", mounts) == "nfs4"
    assert network_kind(tmp_path, mounts) == ""


def test_where_it_cannot_be_told_it_is_taken_for_local(tmp_path: Path) -> None:
    assert network_kind(tmp_path, tmp_path / "none") == ""
