"""One writer per folder."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from gsvr_tui.store import StoreLocked, StoreUnusable, lock
from gsvr_tui.store.lock import FolderLock


def test_a_released_lock_can_be_taken_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = FolderLock(path, 1_800_000_000.0)
    facts = json.loads(path.read_text())
    assert facts["pid"] == os.getpid()
    assert facts["started"] == 1_800_000_000.0
    first.release()
    first.release()
    assert path.exists()
    FolderLock(path, 0.0).release()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"pid":1}', b"\xff", b'{"pid":"x","host":"h","started":1}'])
def test_a_holder_that_left_no_readable_name_is_still_a_holder(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "lock"
    held = FolderLock(path, 0.0)
    path.write_bytes(text)
    with pytest.raises(StoreLocked) as caught:
        FolderLock(path, 0.0)
    assert caught.value.holder == "it did not leave its name"
    held.release()


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    held = FolderLock(tmp_path / "lock", 0.0)
    assert held._fd is not None
    assert not os.get_inheritable(held._fd)
    held.release()


def test_a_file_system_without_locks_is_not_taken_for_a_second_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", refuse)
    with pytest.raises(StoreUnusable, match="cannot be locked"):
        FolderLock(tmp_path / "lock", 0.0)
