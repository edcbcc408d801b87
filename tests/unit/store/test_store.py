"""The operations the service works with."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.core.models import JobState, RemoteFile, RequestState
from gsvr_tui.store import DocumentRefused, Durability, Store, StoreError, UsageDay


@pytest.fixture
def store(quick_store: Any) -> Store:
    opened: Store = quick_store()
    return opened


def put(store: Store, *values: Any, level: Durability = Durability.DURABLE) -> None:
    transaction = store.begin()
    for value in values:
        kind = type(value).__name__
        {
            "Batch": transaction.put_batch,
            "Job": transaction.put_job,
            "Segment": transaction.put_segment,
            "RemoteFile": transaction.put_remote_file,
            "UsageDay": transaction.put_usage,
        }[kind](value)
    assert transaction.commit(level).wait(10)


def journal_records(store: Store) -> list[dict[str, Any]]:
    lines = (store.folder / "state.json.journal.0").read_bytes().splitlines()[1:]
    return [json.loads(line[9:]) for line in lines]


def test_nothing_is_visible_before_the_commit_and_everything_after(store: Store, make: Any) -> None:
    job = make.job()
    transaction = store.begin()
    transaction.put_batch(make.first_batch)
    transaction.put_job(job)
    transaction.put_segment(make.segment(job))
    assert store.batches() == []
    assert store.job_ids() == []
    with pytest.raises(KeyError):
        store.job(job.id)
    transaction.commit()
    assert store.batches() == [make.first_batch]
    assert store.batch(make.first_batch.id) == make.first_batch
    assert store.job(job.id) == job
    assert store.segments(job.id) == (make.segment(job),)


def test_a_transaction_is_committed_once(store: Store) -> None:
    transaction = store.begin()
    transaction.commit()
    with pytest.raises(StoreError):
        transaction.commit()


def test_jobs_come_in_the_order_of_their_ids_however_they_were_put(store: Store, make: Any) -> None:
    jobs = make.jobs(20)
    put(store, *jobs[10:])
    put(store, *reversed(jobs[:10]))
    assert list(store.jobs()) == jobs
    assert store.job_ids() == [job.id for job in jobs]
    assert list(store.jobs_of(make.first_batch.id)) == jobs
    assert store.job_count() == 20


def test_the_jobs_of_a_batch_follow_moves_and_removals(store: Store, make: Any) -> None:
    jobs = make.jobs(6)
    other = make.batch()
    put(store, *jobs)
    put(store, dataclasses.replace(jobs[2], batch_id=other.id))
    transaction = store.begin()
    transaction.delete_job(jobs[4].id)
    transaction.commit()
    assert [job.id for job in store.jobs_of(make.first_batch.id)] == [jobs[n].id for n in (0, 1, 3, 5)]
    assert [job.id for job in store.jobs_of(other.id)] == [jobs[2].id]
    assert list(store.jobs_of("nobody")) == []


def test_a_changed_job_writes_only_its_changed_fields(store: Store, make: Any) -> None:
    job = make.job(name="第一讲.mp4", size_bytes=1000)
    put(store, job)
    put(store, dataclasses.replace(job, state=JobState.RUNNING, size_bytes=0))
    (op,) = journal_records(store)[-1]["o"]
    assert op[0] == "u"
    assert op[3:] == [{"state": "running"}, ["size_bytes"]]


def test_putting_the_same_again_writes_nothing(store: Store, make: Any) -> None:
    job = make.job()
    put(store, job)
    before = len(journal_records(store))
    put(store, job)
    assert len(journal_records(store)) == before


def test_an_unknown_job_is_a_key_error_and_a_wrong_id_is_no_crash(store: Store, make: Any) -> None:
    for name in (make.id(), "nonsense", ""):
        with pytest.raises(KeyError):
            store.job(name)
        with pytest.raises(KeyError):
            store.batch(name)


def test_a_job_that_cannot_be_written_is_refused_and_nothing_of_its_transaction_stays(store: Store, make: Any) -> None:
    good, bad = make.job(), make.job(cost_usd=float("nan"))
    transaction = store.begin()
    transaction.put_job(good)
    with pytest.raises(DocumentRefused):
        transaction.put_job(bad)
    assert store.job_ids() == []
    assert store.pending == 0


def test_a_document_too_big_for_a_line_is_refused_with_the_state_unchanged(store: Store, make: Any) -> None:
    transaction = store.begin()
    transaction.put_job(make.job())
    transaction.put_meta("big", {"text": "x" * (9 << 20)})
    with pytest.raises(DocumentRefused):
        transaction.commit()
    assert store.job_ids() == []
    assert store.meta("big") is None


def test_open_requests_are_found_by_their_own_index(store: Store, make: Any, quick_store: Any) -> None:
    jobs = make.jobs(5)
    segments = [make.segment(job, request_id=make.id(), request_state=RequestState.OPEN) for job in jobs]
    put(store, *jobs, *segments)
    assert store.open_requests() == segments
    put(store, dataclasses.replace(segments[1], request_state=RequestState.ANSWERED, work_key="k"))
    put(store, dataclasses.replace(segments[3], request_state=RequestState.UNKNOWN))
    assert store.open_requests() == [segments[0], segments[2], segments[4]]
    store.close()
    again = quick_store()
    assert again.open_requests() == [segments[0], segments[2], segments[4]]
    found = again.segment_by_work_key("k")
    assert found is not None
    assert found.job_id == jobs[1].id


def test_only_an_answered_segment_serves_its_work_key(store: Store, make: Any) -> None:
    job = make.job()
    open_segment = make.segment(job, request_state=RequestState.OPEN, work_key="same")
    put(store, open_segment)
    assert store.segment_by_work_key("same") is None
    answered = dataclasses.replace(open_segment, request_state=RequestState.ANSWERED)
    put(store, answered)
    assert store.segment_by_work_key("same") == answered
    assert store.segment_by_work_key("") is None
    put(store, dataclasses.replace(answered, work_key="other"))
    assert store.segment_by_work_key("same") is None
    transaction = store.begin()
    transaction.delete_segments(job.id)
    transaction.commit()
    assert store.segment_by_work_key("other") is None


@pytest.mark.parametrize("first", [0, 1, 2])
def test_work_done_once_and_used_thrice_is_found_until_the_last_user_is_gone(
    store: Store, make: Any, first: int
) -> None:
    jobs = make.jobs(3)
    for job in jobs:
        put(store, make.segment(job, request_id="r", request_state=RequestState.ANSWERED, work_key="same"))
    for gone in [jobs[first], *[job for job in jobs if job is not jobs[first]]]:
        found = store.segment_by_work_key("same")
        assert found is not None
        assert store.segments(found.job_id) == (found,)
        transaction = store.begin()
        transaction.delete_job(gone.id)
        transaction.commit()
    assert store.segment_by_work_key("same") is None


def test_segments_come_by_index_also_with_holes_and_go_together(store: Store, make: Any) -> None:
    job, other = make.jobs(2)
    segments = [make.segment(job, index) for index in (0, 1, 5, 17)]
    put(store, *reversed(segments), make.segment(other))
    assert store.segments(job.id) == tuple(segments)
    transaction = store.begin()
    transaction.put_segment(make.segment(job, 30))
    transaction.delete_segments(job.id)
    transaction.put_segment(segments[1])
    transaction.commit()
    assert store.segments(job.id) == (segments[1],)
    assert store.segments(other.id) == (make.segment(other),)
    transaction = store.begin()
    transaction.delete_job(job.id)
    transaction.commit()
    assert store.segments(job.id) == ()


def test_a_segment_index_out_of_range_is_refused(store: Store, make: Any) -> None:
    with pytest.raises(ValueError, match="4096"):
        store.begin().put_segment(make.segment(make.job(), 4096))


def file_in(project: str, content: str) -> RemoteFile:
    return RemoteFile(f"files/{project}-{content}", "https://x", "video/mp4", project, content, 10, 2e9, active=True)


def test_remote_files_are_kept_per_project_and_content(store: Store, quick_store: Any) -> None:
    files = [file_in(project, content) for project in ("p1", "p2") for content in ("aa", "bb")]
    put(store, *files)
    put(store, dataclasses.replace(files[0], name="files/new"))
    assert store.remote_file("p1", "aa") == dataclasses.replace(files[0], name="files/new")
    transaction = store.begin()
    transaction.forget_remote_file("p1", "bb")
    transaction.forget_remote_file("p1", "never there")
    transaction.commit()
    assert store.remote_file("p1", "bb") is None
    assert store.remote_file("p2", "bb") == files[3]
    assert len(store.remote_files()) == 3
    store.close()
    again = quick_store()
    assert again.remote_file("p2", "aa") == files[2]
    put(again, files[2])
    assert len(again.remote_files()) == 3


def test_keys_with_the_same_hash_are_kept_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsvr_tui.store.indexes._hash", lambda *key: 7)
    put(store, file_in("p1", "aa"), file_in("p2", "aa"), UsageDay("p", "m", "2026-11-24"))
    assert store.remote_file("p1", "aa") == file_in("p1", "aa")
    assert store.remote_file("p2", "aa") == file_in("p2", "aa")
    transaction = store.begin()
    transaction.forget_remote_file("p1", "aa")
    transaction.commit()
    assert store.remote_files() == [file_in("p2", "aa")]


def test_usage_is_one_record_per_project_model_and_day(store: Store) -> None:
    day = UsageDay("p", "m", "2026-11-24", requests=3, tokens_in=10, tokens_out=2, cost_usd=0.5, rejected=1)
    put(store, day, dataclasses.replace(day, day="2026-11-23"), dataclasses.replace(day, model="n"))
    put(store, dataclasses.replace(day, requests=4))
    assert [(used.day, used.model, used.requests) for used in store.usage()] == [
        ("2026-11-23", "m", 3),
        ("2026-11-24", "m", 4),
        ("2026-11-24", "n", 3),
    ]


def test_meta_is_replaced_whole_and_what_is_given_out_is_a_copy(store: Store) -> None:
    transaction = store.begin()
    transaction.put_meta("limits", {"a": {"rpm": 5}, "b": 1})
    transaction.commit()
    given = store.meta("limits")
    assert given is not None
    given["a"]["rpm"] = 99
    assert store.meta("limits") == {"a": {"rpm": 5}, "b": 1}
    transaction = store.begin()
    transaction.put_meta("limits", {"b": 2})
    transaction.commit()
    assert store.meta("limits") == {"b": 2}
    assert store.meta("unknown") is None


def test_meta_is_found_by_prefix_and_can_be_forgotten(store: Store, quick_store: Any) -> None:
    transaction = store.begin()
    for key in ("upload:b", "upload:a", "view"):
        transaction.put_meta(key, {})
    assert store.meta_keys() == []
    transaction.commit()
    assert store.meta_keys("upload:") == ["upload:a", "upload:b"]
    transaction = store.begin()
    transaction.forget_meta("upload:a")
    transaction.forget_meta("never there")
    transaction.commit().wait(10)
    store.close()
    assert quick_store().meta_keys() == ["upload:b", "view"]


def test_asking_for_what_is_not_there_leaves_no_trace(store: Store) -> None:
    for number in range(50):
        assert store.remote_file("p", str(number)) is None
        assert store.meta(str(number)) is None
    assert store._indexes.keys("uploads") == store._indexes.keys("meta") == []
    assert store._indexes._slots == {"uploads": {}, "usage": {}, "meta": {}}


def test_many_jobs_in_one_transaction_are_written_in_parts_and_are_whole_after_opening(
    store: Store, make: Any, quick_store: Any
) -> None:
    jobs = make.jobs(12_000, name="x" * 100)
    transaction = store.begin()
    transaction.put_jobs(jobs)
    assert transaction.commit().wait(20)
    records = journal_records(store)
    assert len(records) > 2
    assert records[-1]["commit"] == len(records) - 1
    lines = (store.folder / "state.json.journal.0").read_bytes().splitlines()
    assert max(map(len, lines)) <= 8 << 20
    store.close()
    again = quick_store()
    assert list(again.jobs()) == jobs


def test_many_threads_get_all_their_changes_in(store: Store, make: Any, quick_store: Any) -> None:
    jobs = make.jobs(8)
    put(store, *jobs)

    def work(job: Any) -> None:
        for attempt in range(1, 60):
            job = dataclasses.replace(job, attempts=attempt)
            transaction = store.begin()
            transaction.put_job(job)
            transaction.put_meta(job.id, {"attempts": attempt})
            ticket = transaction.commit()
            assert store.job(job.id) == job
        assert ticket.wait(10)

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    store.close()
    again = quick_store()
    assert [job.attempts for job in again.jobs()] == [59] * 8
    assert [again.meta(job.id) for job in jobs] == [{"attempts": 59}] * 8


def test_compaction_goes_on_under_load_and_loses_nothing(
    make: Any, quick_store: Any, everything: Any, tmp_path: Path
) -> None:
    store = quick_store(tmp_path / "busy", compact_bytes=20_000)
    compactor = store._storage.writer.compactor
    jobs = make.jobs(200)
    put(store, *jobs)
    attempts = 0
    while compactor.done < 4:
        attempts += 1
        assert attempts < 2_000
        for job in jobs:
            transaction = store.begin()
            transaction.put_job(dataclasses.replace(job, attempts=attempts))
            ticket = transaction.commit()
        assert ticket.wait(10)
    store.close()
    before = everything(store)
    assert {document["attempts"] for document in before["jobs"].values()} == {attempts}
    again = quick_store(tmp_path / "busy")
    assert everything(again) == before
    assert again.recovery.clean
    assert again.recovery.generation >= 4
    assert len(list((tmp_path / "busy").glob("*.journal.*"))) <= 3


async def test_a_ticket_can_be_awaited_by_many_at_once(store: Store, make: Any) -> None:
    import asyncio

    tickets = []
    for job in make.jobs(50):
        transaction = store.begin()
        transaction.put_job(job)
        tickets.append(transaction.commit())

    async def wait_for(ticket: Any) -> None:
        await ticket

    await asyncio.wait_for(asyncio.gather(*map(wait_for, tickets)), 10)
    assert all(ticket.done for ticket in tickets)
    await tickets[0]


def test_a_change_that_may_wait_is_on_disk_within_its_time(store: Store, make: Any) -> None:
    transaction = store.begin()
    transaction.put_job(make.job())
    ticket = transaction.commit(Durability.SOON)
    assert store.job_count() == 1
    assert ticket.wait(5)


def test_a_durable_change_takes_those_that_may_wait_along(store: Store, make: Any) -> None:
    transaction = store.begin()
    transaction.put_job(make.job())
    waiting = transaction.commit(Durability.SOON)
    put(store, make.job())
    assert waiting.done


def test_lossy_changes_of_a_job_are_merged_into_one_record(store: Store, make: Any, quick_store: Any) -> None:
    job = make.job()
    put(store, job)
    before = len(journal_records(store))
    for size in range(100):
        transaction = store.begin()
        transaction.put_job(dataclasses.replace(job, size_bytes=size))
        ticket = transaction.commit(Durability.LOSSY)
    assert store.job(job.id).size_bytes == 99
    put(store, make.job())
    assert ticket.wait(10)
    after = journal_records(store)
    assert len(after) == before + 2
    assert sum(op[3] == {"size_bytes": 99} for record in after for op in record["o"]) == 1
    store.close()
    assert quick_store().job(job.id).size_bytes == 99


def test_a_durable_change_after_a_lossy_one_writes_both(store: Store, make: Any, quick_store: Any) -> None:
    job = make.job()
    put(store, job)
    transaction = store.begin()
    transaction.put_job(dataclasses.replace(job, size_bytes=5))
    transaction.commit(Durability.LOSSY)
    last = dataclasses.replace(job, size_bytes=5, state=JobState.RUNNING)
    put(store, last)
    assert journal_records(store)[-1]["o"][0][3] == {"size_bytes": 5, "state": "running"}
    store.close()
    assert quick_store().job(job.id) == last


def test_a_lossy_change_that_is_taken_back_still_frees_who_waits_for_it(store: Store, make: Any) -> None:
    job = make.job()
    put(store, job)
    for size in (5, 0):
        transaction = store.begin()
        transaction.put_job(dataclasses.replace(job, size_bytes=size))
        ticket = transaction.commit(Durability.LOSSY)
    put(store, make.job())
    assert ticket.wait(10)


def test_a_job_removed_after_a_lossy_change_stays_removed(store: Store, make: Any, quick_store: Any) -> None:
    job = make.job()
    put(store, job)
    transaction = store.begin()
    transaction.put_job(dataclasses.replace(job, size_bytes=5))
    transaction.commit(Durability.LOSSY)
    transaction = store.begin()
    transaction.delete_job(job.id)
    transaction.commit().wait(10)
    store.close()
    assert quick_store().job_ids() == []


def test_indexes_after_opening_are_those_before_closing(store: Store, make: Any, steps: Any, quick_store: Any) -> None:
    for step in steps(store, make):
        step()
    before = (store._indexes._by_batch, list(store._indexes._open), store._indexes._answered)
    store.close()
    after = quick_store()._indexes
    assert (after._by_batch, list(after._open), after._answered) == before
