"""Opening a state folder: what a crash leaves is mended and told, what no crash leaves is refused untouched."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from gsvr_tui.core.ids import id_number
from gsvr_tui.store import Store, StoreDamaged, StoreLocked, StoreReadOnly, StoreTooNew, StoreUnusable, migrations
from gsvr_tui.store.journal import header_line


def filled(folder: Path, make: Any, steps: Any) -> Store:
    store = Store.open(folder)
    for step in steps(store, make):
        step().wait(10)
    return store


def compacted(folder: Path, quick_store: Any, make: Any) -> None:
    """A folder with a snapshot that holds jobs, a backup, and a journal behind it."""
    store = quick_store(folder, compact_bytes=2_000)
    compactor = store._storage.writer.compactor
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        transaction = store.begin()
        transaction.put_job(make.job())
        transaction.commit().wait(10)
        if compactor._thread is not None:
            compactor._thread.join(10)
        if compactor.done >= 2:
            break
    assert compactor.done >= 2
    store.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and "lock" not in path.name}


def test_a_new_folder_is_private_and_what_was_put_is_there_again(
    tmp_path: Path, make: Any, steps: Any, everything: Any
) -> None:
    folder = tmp_path / "a" / "state"
    old_mask = os.umask(0)
    try:
        store = filled(folder, make, steps)
    finally:
        os.umask(old_mask)
    assert store.recovery.fresh
    before = everything(store)
    store.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    again = Store.open(folder)
    assert everything(again) == before
    assert again.recovery.clean
    assert again.recovery.replayed == 12
    again.close()


def test_a_folder_that_is_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Store.open(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_torn_tail_is_cut_kept_and_reported(tmp_path: Path, make: Any, steps: Any, everything: Any) -> None:
    store = filled(tmp_path, make, steps)
    before = everything(store)
    store.close()
    with (tmp_path / "state.json.journal.0").open("ab") as file:
        file.write(b'0123abcd {"s":13,"o":[["p","jo')
    store = Store.open(tmp_path)
    assert everything(store) == before
    assert store.recovery.torn_bytes == 30
    assert not store.recovery.clean
    assert store.recovery.torn_file is not None
    assert store.recovery.torn_file.read_bytes() == b'0123abcd {"s":13,"o":[["p","jo'
    transaction = store.begin()
    transaction.put_meta("after", {"x": 1})
    transaction.commit().wait(10)
    store.close()
    again = Store.open(tmp_path)
    assert again.meta("after") == {"x": 1}
    assert again.recovery.clean
    again.close()


def test_damage_in_the_middle_is_refused_with_file_and_byte_and_nothing_is_changed(
    tmp_path: Path, make: Any, steps: Any
) -> None:
    filled(tmp_path, make, steps).close()
    path = tmp_path / "state.json.journal.0"
    data = bytearray(path.read_bytes())
    third = [n for n, byte in enumerate(data) if byte == 10][2] + 1
    data[third + 20] ^= 4
    path.write_bytes(data)
    before = contents(tmp_path)
    with pytest.raises(StoreDamaged) as caught:
        Store.open(tmp_path)
    assert caught.value.file == str(path)
    assert caught.value.offset == third
    assert "repair" in caught.value.advice
    assert contents(tmp_path) == before


def test_any_flipped_bit_of_a_snapshot_is_refused(tmp_path: Path, quick_store: Any, make: Any) -> None:
    compacted(tmp_path / "good", quick_store, make)
    good = (tmp_path / "good" / "state.json").read_bytes()
    assert len(good) > 1_000
    folder = tmp_path / "bad"
    shutil.copytree(tmp_path / "good", folder)
    header = good.rindex(b"\n", 0, -1)
    bits = [*range(0, header * 8, 29), *range(header * 8, len(good) * 8)]  # every bit of the header
    for bit in bits:
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        (folder / "state.json").write_bytes(flipped)
        with pytest.raises((StoreDamaged, StoreTooNew)):
            Store.open(folder, read_only=True)


def test_a_cut_snapshot_is_refused(tmp_path: Path, quick_store: Any, make: Any) -> None:
    compacted(tmp_path, quick_store, make)
    path = tmp_path / "state.json"
    good = path.read_bytes()
    for cut in range(0, len(good), 197):
        path.write_bytes(good[:cut])
        with pytest.raises(StoreDamaged):
            Store.open(tmp_path)


def test_a_missing_snapshot_with_a_journal_is_damage_not_a_fresh_start(tmp_path: Path, make: Any, steps: Any) -> None:
    filled(tmp_path, make, steps).close()
    (tmp_path / "state.json").unlink()
    with pytest.raises(StoreDamaged, match="missing"):
        Store.open(tmp_path)


def test_a_missing_journal_behind_a_snapshot_is_damage(tmp_path: Path, quick_store: Any, make: Any) -> None:
    compacted(tmp_path, quick_store, make)
    for path in tmp_path.glob("state.json.journal.*"):
        path.unlink()
    with pytest.raises(StoreDamaged, match="missing"):
        Store.open(tmp_path)


def test_a_missing_journal_between_two_is_damage(tmp_path: Path, make: Any, steps: Any) -> None:
    filled(tmp_path, make, steps).close()
    (tmp_path / "state.json.journal.2").write_bytes(
        header_line(12, 2, 1) + (tmp_path / "state.json.journal.0").read_bytes()
    )
    with pytest.raises(StoreDamaged, match=r"journal\.1"):
        Store.open(tmp_path)


@pytest.mark.parametrize("left", [b"", b"00", header_line(12, 1, 1), header_line(3, 1, 1)])
def test_a_journal_that_was_made_and_never_used_is_no_damage(
    tmp_path: Path, make: Any, steps: Any, everything: Any, left: bytes
) -> None:
    store = filled(tmp_path, make, steps)
    before = everything(store)
    store.close()
    (tmp_path / "state.json.journal.1").write_bytes(left)
    store = Store.open(tmp_path)
    assert everything(store) == before
    store.close()


def test_the_second_instance_is_told_who_holds_the_folder_and_may_read(tmp_path: Path, make: Any, steps: Any) -> None:
    first = filled(tmp_path, make, steps)
    with pytest.raises(StoreLocked) as caught:
        Store.open(tmp_path)
    assert f"process {os.getpid()} on " in caught.value.holder
    assert str(tmp_path) in caught.value.message
    reader = Store.open(tmp_path, read_only=True)
    assert list(reader.jobs()) == list(first.jobs())
    transaction = reader.begin()
    transaction.put_meta("x", {})
    with pytest.raises(StoreReadOnly):
        transaction.commit()
    reader.close()
    first.close()
    Store.open(tmp_path).close()


def test_reading_only_leaves_a_torn_tail_alone(tmp_path: Path, make: Any, steps: Any) -> None:
    filled(tmp_path, make, steps).close()
    with (tmp_path / "state.json.journal.0").open("ab") as file:
        file.write(b"torn")
    before = contents(tmp_path)
    reader = Store.open(tmp_path, read_only=True)
    assert len(list(reader.jobs())) == 5
    assert reader.recovery.torn_bytes == 4
    reader.close()
    assert contents(tmp_path) == before


def test_reading_only_makes_no_folder(tmp_path: Path) -> None:
    reader = Store.open(tmp_path / "none", read_only=True)
    assert reader.batches() == []
    reader.close()
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable) as caught:
        Store.open(tmp_path / "file" / "state")
    assert str(tmp_path / "file" / "state") in caught.value.message
    assert caught.value.advice


def test_stock_tinydb_opens_the_snapshot(tmp_path: Path, quick_store: Any, make: Any) -> None:
    compacted(tmp_path, quick_store, make)
    database = TinyDB(tmp_path / "state.json", access_mode="r", encoding="utf-8")
    documents = database.table("jobs").all()
    assert len(documents) > 5
    assert database.table("_gsvr").get(doc_id=1)["format"] == 1
    database.close()
    store = Store.open(tmp_path)
    for document in documents:
        job = next(job for job in store.jobs() if id_number(job.id) == document.doc_id)
        assert document == {"batch_id": job.batch_id, "path": job.path, "created_at": job.created_at}
    store.close()


def test_the_backup_and_its_journals_are_a_second_whole_state(
    tmp_path: Path, quick_store: Any, make: Any, everything: Any
) -> None:
    compacted(tmp_path, quick_store, make)
    store = Store.open(tmp_path)
    before = everything(store)
    store.close()
    (tmp_path / "state.json.bak").replace(tmp_path / "state.json")
    store = Store.open(tmp_path)
    assert everything(store) == before
    store.close()


def test_a_newer_schema_is_refused_untouched(tmp_path: Path, make: Any, steps: Any) -> None:
    filled(tmp_path, make, steps).close()
    before = contents(tmp_path)
    known, migrations.SCHEMA = migrations.SCHEMA, 0
    try:
        with pytest.raises(StoreTooNew) as caught:
            Store.open(tmp_path)
    finally:
        migrations.SCHEMA = known
    assert "Update gsvr-tui" in caught.value.advice
    assert contents(tmp_path) == before


def test_an_older_schema_is_migrated_and_the_old_snapshot_kept(
    tmp_path: Path, make: Any, steps: Any, everything: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path, make, steps)
    before = everything(store)
    store.close()
    old_snapshot = (tmp_path / "state.json").read_bytes()

    def rename_field(tables: dict[str, dict[int, dict[str, Any]]]) -> None:
        for job in tables["jobs"].values():
            job["source"] = job.pop("path")

    def add_table(tables: dict[str, dict[int, dict[str, Any]]]) -> None:
        tables["extra"] = {1: {"new": True}}

    monkeypatch.setattr(migrations, "SCHEMA", 3)
    monkeypatch.setattr(migrations, "MIGRATIONS", {1: rename_field, 2: add_table})
    for _ in range(2):  # the second time there is nothing left to do
        store = Store.open(tmp_path)
        jobs = everything(store)["jobs"]
        assert [job["source"] for job in jobs.values()] == [job["path"] for job in before["jobs"].values()]
        assert everything(store)["extra"] == {1: {"new": True}}
        store.close()
    assert store.recovery.migrated_from is None
    assert (tmp_path / "state.json.v1.bak").read_bytes() == old_snapshot
    assert json.loads((tmp_path / "state.json").read_bytes())["_gsvr"]["1"]["schema"] == 3


def test_a_schema_nobody_knows_how_to_migrate_is_refused(
    tmp_path: Path, make: Any, steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, make, steps).close()
    before = contents(tmp_path)
    monkeypatch.setattr(migrations, "SCHEMA", 2)
    with pytest.raises(StoreDamaged):
        Store.open(tmp_path)
    assert contents(tmp_path) == before
