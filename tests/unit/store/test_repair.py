"""Repair: everything is copied first, then the longest run of whole transactions is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.store import Store, StoreDamaged, StoreLocked, StoreTooNew, StoreUnusable, migrations, repair


@pytest.fixture
def filled(tmp_path: Path, quick_store: Any, make: Any, steps: Any) -> Path:
    """A folder of twelve transactions, all in the journal."""
    store = quick_store(tmp_path / "state")
    for step in steps(store, make):
        step().wait(10)
    store.close()
    return tmp_path / "state"


def damage(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_the_transactions_before_the_damage_are_saved_and_everything_is_copied(
    filled: Path, everything: Any, make: Any
) -> None:
    journal = filled / "state.json.journal.0"
    lines = journal.read_bytes().splitlines(keepends=True)
    damage(journal, sum(map(len, lines[:6])) + 30)
    with pytest.raises(StoreDamaged):
        Store.open(filled)
    broken = journal.read_bytes()
    report = repair(filled, wall=lambda: 0.0)
    assert report.source == "state.json"
    assert report.records == 5
    assert report.unread == (("state.json.journal.0", sum(map(len, lines[6:]))),)
    assert not report.lossless
    assert report.jobs == 4
    assert report.copy.name == "damaged-19700101-000000"
    assert (report.copy / "state.json.journal.0").read_bytes() == broken
    store = Store.open(filled)
    assert store.recovery.clean
    assert store.job_count() == 4
    assert everything(store)["meta"]
    transaction = store.begin()
    transaction.put_meta("after", {"x": 1})
    transaction.commit().wait(10)
    store.close()
    again = Store.open(filled)
    assert again.meta("after") == {"x": 1}
    again.close()


def test_a_damaged_snapshot_is_replaced_by_its_backup_and_the_journals_behind_it(
    tmp_path: Path, quick_store: Any, make: Any, everything: Any
) -> None:
    folder = tmp_path / "state"
    store = quick_store(folder, compact_bytes=2_000)
    while store._storage.writer.compactor.done < 2:
        transaction = store.begin()
        transaction.put_job(make.job())
        transaction.commit().wait(10)
    before = everything(store)
    store.close()
    damage(folder / "state.json", 40)
    with pytest.raises(StoreDamaged):
        Store.open(folder)
    report = repair(folder)
    assert report.source == "state.json.bak"
    assert report.lossless
    store = Store.open(folder)
    assert everything(store) == before
    store.close()


def test_a_missing_snapshot_is_made_again_from_the_whole_journal(filled: Path, quick_store: Any) -> None:
    (filled / "state.json").unlink()
    report = repair(filled)
    assert report.records == 12
    assert report.lossless
    store = quick_store(filled)
    assert store.job_count() == 5


def test_a_healthy_folder_stays_as_it_is_in_content(filled: Path, everything: Any, quick_store: Any) -> None:
    store = quick_store(filled)
    before = everything(store)
    store.close()
    assert repair(filled).lossless
    assert repair(filled).lossless
    assert everything(quick_store(filled)) == before


def test_a_folder_in_use_is_left_alone(filled: Path, quick_store: Any) -> None:
    quick_store(filled)
    with pytest.raises(StoreLocked):
        repair(filled)


def test_a_newer_state_is_left_alone(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "SCHEMA", 0)
    with pytest.raises(StoreTooNew):
        repair(filled)
    assert not list(filled.glob("damaged*"))


def test_when_nothing_can_be_read_that_is_said(tmp_path: Path, filled: Path) -> None:
    with pytest.raises(StoreUnusable, match="no state"):
        repair(tmp_path / "none")
    (filled / "state.json").write_bytes(b"{}")
    (filled / "state.json.journal.0").rename(filled / "state.json.journal.3")
    with pytest.raises(StoreUnusable, match="can be read"):
        repair(filled)
    assert (filled / "state.json").read_bytes() == b"{}"


def test_a_full_disk_while_copying_changes_nothing(filled: Path, faulty: Any) -> None:
    import errno

    before = (filled / "state.json.journal.0").read_bytes()
    fs = faulty()
    fs.break_now(errno.ENOSPC, "write", "mkdir")
    with pytest.raises(StoreUnusable):
        repair(filled, filesystem=fs)
    assert (filled / "state.json.journal.0").read_bytes() == before
    Store.open(filled).close()
