"""A disk that fails at each single call: nothing acknowledged is lost, and work goes on by itself once it is cured."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.store import Store, StoreClosed, StoreLocked, StoreStatus, StoreUnsaved, StoreUnusable
from gsvr_tui.store.storage import JournalDB


def run(folder: Path, fs: Any, make: Any, steps: Any, everything: Any, on_status: Any = None) -> Any:
    """Open, do the twelve transactions one by one, close; returns the state after, or None if opening failed."""
    try:
        store = Store(
            JournalDB(folder, filesystem=fs, retry_s=(0.0005, 0.001), compact_bytes=1_500, on_status=on_status)
        )
    except StoreUnusable:
        return None
    for step in steps(store, make):
        assert step().wait(20)
    state = everything(store)
    store.close(20)
    return state


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_fault_at_any_call_loses_nothing_and_needs_no_restart(
    tmp_path: Path, faulty: Any, make: Any, steps: Any, everything: Any, number: int, count: int
) -> None:
    call = 0
    failed_opening = 0
    while True:
        call += 1 if count == 1 else 2
        folder = tmp_path / str(call)
        fs = faulty(call, number, count)
        state = run(folder, fs, type(make)(), steps, everything)
        if state is None:
            failed_opening += 1
            assert len(run(folder, faulty(), type(make)(), steps, everything)["jobs"]) == 5
        else:
            store = Store.open(folder)
            assert everything(store) == state, call
            assert len(state["jobs"]) == 5
            store.close()
        if not fs.failed:
            break
    assert call > 50
    assert failed_opening < 20


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=["full", "broken", "read-only"])
def test_a_fault_that_stays_is_waited_for_and_told(
    tmp_path: Path, faulty: Any, make: Any, steps: Any, everything: Any, number: int
) -> None:
    for call in range(1, 90, 3):
        fs = faulty(call, number, 1 << 60)
        told: list[StoreStatus] = []

        def listen(status: StoreStatus, fs: Any = fs, told: list[StoreStatus] = told) -> None:
            told.append(status)
            if len(told) == 3:  # after three vain tries somebody makes room
                fs.cure()

        folder = tmp_path / str(call)
        state = run(folder, fs, type(make)(), steps, everything, listen)
        fs.cure()
        if state is None:
            state = run(folder, fs, type(make)(), steps, everything)
        store = Store.open(folder)
        assert everything(store) == state, call
        store.close()
        if told:
            assert told[0].stalled
            assert told[0].pending > 0
            assert told[0].reason
            assert told[0].advice
            assert told[-1] == StoreStatus()


def test_while_stalled_changes_are_taken_and_seen_but_not_acknowledged(
    tmp_path: Path, faulty: Any, make: Any, quick_store: Any
) -> None:
    fs = faulty()
    stalled = threading.Event()
    store = quick_store(filesystem=fs, on_status=lambda status: stalled.set() if status.stalled else None)
    fs.break_now(errno.ENOSPC, "write")
    job = make.job()
    transaction = store.begin()
    transaction.put_job(job)
    ticket = transaction.commit()
    assert stalled.wait(10)
    assert store.job(job.id) == job
    assert not ticket.done
    assert not ticket.wait(0.01)
    assert store.status.stalled
    assert "No space left" in store.status.reason
    assert store.pending == 1
    fs.cure()
    assert ticket.wait(10)
    assert store.pending == 0


def test_a_failed_fsync_is_never_trusted_again_on_the_same_descriptor(tmp_path: Path, faulty: Any, make: Any) -> None:
    """After it the file is opened anew, cut to what is safe, and the bytes are written once more."""
    calls: list[str] = []

    class Recording(faulty):  # type: ignore[misc]
        def _fails(self, kind: str) -> OSError | None:
            calls.append(kind)
            error: OSError | None = super()._fails(kind)
            return error

    fs = Recording()
    store = Store(JournalDB(tmp_path, filesystem=fs, retry_s=(0.001, 0.001)))
    first = store.begin()
    first.put_meta("x", {"n": 1})
    first.commit().wait(10)
    with fs._lock:
        fs.kinds, fs.first, fs.number, fs.left = {"fsync"}, 1, errno.EIO, 1
    calls.clear()
    second = store.begin()
    second.put_meta("x", {"n": 2})
    assert second.commit().wait(10)
    assert calls == ["write", "fsync", "close", "open", "truncate", "write", "fsync"]
    store.close()
    again = Store.open(tmp_path)
    assert again.meta("x") == {"n": 2}
    again.close()


def test_closing_while_stalled_says_how_much_is_not_on_disk_and_can_be_waited_for(
    tmp_path: Path, faulty: Any, make: Any
) -> None:
    fs = faulty()
    store = Store(JournalDB(tmp_path, filesystem=fs, retry_s=(0.001, 0.002)))
    fs.break_now(errno.ENOSPC, "write", "fsync")
    for number in range(3):
        transaction = store.begin()
        transaction.put_meta("x", {"n": number})
        ticket = transaction.commit()
    with pytest.raises(StoreUnsaved) as caught:
        store.close(0.05)
    assert caught.value.records == 3
    assert "No space left" in caught.value.message
    transaction = store.begin()  # it is still open
    transaction.put_meta("x", {"n": 3})
    transaction.commit()
    fs.cure()
    store.close(10)
    assert ticket.done
    again = Store.open(tmp_path)
    assert again.meta("x") == {"n": 3}
    again.close()


async def test_giving_up_wakes_those_who_wait(tmp_path: Path, faulty: Any) -> None:
    fs = faulty()
    store = Store(JournalDB(tmp_path, filesystem=fs, retry_s=(0.001, 0.002)))
    kept = store.begin()
    kept.put_meta("x", {"n": 1})
    await kept.commit()
    fs.break_now(errno.EIO, "write", "fsync")
    transaction = store.begin()
    transaction.put_meta("x", {"n": 2})
    ticket = transaction.commit()
    store.close(0.02, give_up=True)
    with pytest.raises(StoreClosed):
        await ticket
    with pytest.raises(StoreClosed):
        ticket.wait(1)
    with pytest.raises(StoreClosed):
        store.begin().commit()
    again = Store.open(tmp_path)
    assert again.meta("x") == {"n": 1}
    again.close()


def test_a_disk_that_hangs_keeps_others_out_until_the_process_ends(tmp_path: Path, faulty: Any) -> None:
    release, hanging = threading.Event(), threading.Event()

    class Hanging(faulty):  # type: ignore[misc]
        hang = False

        def fsync(self, fd: int) -> None:
            if self.hang:
                hanging.set()
                release.wait(30)
            super().fsync(fd)

    fs = Hanging()
    database = JournalDB(tmp_path, filesystem=fs)
    store = Store(database)
    held = database.storage._lock
    assert held is not None
    fs.hang = True
    transaction = store.begin()
    transaction.put_meta("x", {})
    ticket = transaction.commit()
    assert hanging.wait(10)
    store.close(0.01, give_up=True)
    with pytest.raises(StoreClosed):
        ticket.wait(1)
    with pytest.raises(StoreLocked):
        Store.open(tmp_path)
    release.set()
    held.release()


def test_a_full_disk_gets_the_reserve_first(tmp_path: Path, faulty: Any) -> None:
    class Full(faulty):  # type: ignore[misc]
        """No room for anything while the reserve is there."""

        full = False

        def _fails(self, kind: str) -> OSError | None:
            if self.full and kind == "write" and (tmp_path / "state.json.reserve").exists():
                return OSError(errno.ENOSPC, "full")
            error: OSError | None = super()._fails(kind)
            return error

    told: list[StoreStatus] = []
    fs = Full()
    store = Store(JournalDB(tmp_path, filesystem=fs, on_status=told.append))
    first = store.begin()
    first.put_meta("x", {"n": 1})
    first.commit().wait(10)
    assert (tmp_path / "state.json.reserve").stat().st_size == 1 << 20
    fs.full = True
    second = store.begin()
    second.put_meta("x", {"n": 2})
    assert second.commit().wait(10)
    assert not (tmp_path / "state.json.reserve").exists()
    assert told == []
    store.close()


def test_a_listener_that_fails_does_not_stop_the_writer(tmp_path: Path, faulty: Any, caplog: Any) -> None:
    fs = faulty()
    heard = threading.Event()

    def listen(status: StoreStatus) -> None:
        heard.set()
        fs.cure()
        raise RuntimeError("a bug elsewhere")

    store = Store(JournalDB(tmp_path, filesystem=fs, retry_s=(0.001, 0.002), on_status=listen))
    fs.break_now(errno.EIO, "write")
    transaction = store.begin()
    transaction.put_meta("x", {})
    assert transaction.commit().wait(10)
    assert heard.is_set()
    store.close()


def test_a_compaction_that_fails_leaves_the_journal_growing(
    tmp_path: Path, faulty: Any, make: Any, everything: Any
) -> None:
    fs = faulty()
    store = Store(JournalDB(tmp_path, filesystem=fs, compact_bytes=1_000))
    fs.break_now(errno.EIO, "link", "rename")
    for job in make.jobs(60):
        transaction = store.begin()
        transaction.put_job(job)
        assert transaction.commit().wait(10)
    compactor = store._storage.writer.compactor  # type: ignore[union-attr]
    state = everything(store)
    store.close()
    assert compactor.failed >= 1
    assert compactor.done == 0
    again = Store.open(tmp_path)
    assert everything(again) == state
    again.close()


def test_every_write_of_an_answer_survives_a_fault_at_any_call(tmp_path: Path, faulty: Any) -> None:
    from gsvr_tui.store import AnswerHeader, AnswerStore

    header = AnswerHeader("r1", "j", 0, "k", "m", "p", "a", 1.0, 2.0)
    call = 0
    while True:
        call += 1
        fs = faulty(call, errno.ENOSPC, 2)
        told: list[StoreStatus] = []
        answers = AnswerStore(tmp_path / str(call) / "answers", fs, on_status=told.append, retry_s=(0.0005, 0.001))
        answers.write(header, "回答" * 100)
        fs.cure()
        assert answers.read("r1").text == "回答" * 100
        assert list((tmp_path / str(call)).rglob("*.tmp")) == []
        if not fs.failed:
            break
        if told:
            assert told[0].stalled
            assert not told[-1].stalled
    assert call > 5
