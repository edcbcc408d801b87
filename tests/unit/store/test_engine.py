"""Whatever is done in whatever order: what the journal gives back is what was in memory."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.store.engine import Engine
from gsvr_tui.store.indexes import Indexes
from gsvr_tui.store.journal import Change, Clear, Delete, Put, Tables, dump, header_line, read_journal
from gsvr_tui.store.loading import Replayer
from gsvr_tui.store.snapshot import Header, encode_snapshot, read_header, read_snapshot
from gsvr_tui.store.status import Durability

values = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 0.0, "", "甲", [1], [1.0], {"a": True}])
documents = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)
tables = st.sampled_from(["jobs", "other"])
ids = st.integers(0, 3)
changes = st.one_of(
    st.builds(lambda table, doc_id, doc: Put(table, doc_id, dump(doc)), tables, ids, documents),
    st.builds(Delete, tables, ids),
    st.builds(Clear, tables),
)
transactions = st.lists(st.tuples(st.lists(changes, max_size=4), st.sampled_from(Durability)), max_size=12)


def decoded(of: Tables) -> dict[str, dict[int, str]]:
    """Comparable, with 1, 1.0 and True told apart."""
    return {
        name: {doc_id: json.dumps(json.loads(doc), sort_keys=True) for doc_id, doc in table.items()}
        for name, table in of.items()
        if table
    }


def model_of(done: list[list[Change]]) -> dict[str, dict[int, str]]:
    """The same by the plainest means."""
    state: Tables = {}
    for transaction in done:
        for change in transaction:
            table = state.setdefault(change.table, {})
            if isinstance(change, Put):
                table[change.doc_id] = change.doc
            elif isinstance(change, Delete):
                table.pop(change.doc_id, None)
            else:
                table.clear()
    return decoded(state)


@settings(max_examples=300)
@given(transactions, st.integers(0, 12))
def test_the_journal_gives_back_what_was_in_memory_wherever_the_batches_are_cut(
    done: list[tuple[list[Change], Durability]], cut: int
) -> None:
    engine = Engine({}, 0)
    data = header_line(0, 0, 1)
    for number, (transaction, level) in enumerate(done):
        engine.commit(transaction, level)
        if number == cut:
            batch = engine.take(copy=True)
            assert batch is not None
            assert batch.tables is not None
            assert decoded(batch.tables) == decoded(engine.tables)
            data += batch.data
            engine.progress.reach(batch.seq)
    engine.stop()
    while (last := engine.take()) is not None:
        data += last.data
        engine.progress.reach(last.seq)
    replayed: Tables = {}
    replayer = Replayer(replayed)
    replay = read_journal(BytesIO(data), Path("j"), seq=0, generation=0, schema=1, last=True, apply=replayer.apply)
    replayer.settle()
    assert replay.torn == b""
    assert replay.seq == engine.seq
    assert decoded(replayed) == decoded(engine.tables) == model_of([transaction for transaction, _ in done])
    assert engine.pending == 0


@given(st.dictionaries(st.sampled_from(["jobs", "a b", "表", "_x"]), st.dictionaries(ids, documents, max_size=3)))
def test_a_snapshot_gives_back_what_was_in_memory(content: dict[str, dict[int, Any]]) -> None:
    state = {name: {doc_id: dump(doc) for doc_id, doc in table.items()} for name, table in content.items()}
    data = b"".join(encode_snapshot(Header(1, 7, 99), state))
    file = BytesIO(data)
    assert read_header(file, Path("s"), 1) == Header(1, 7, 99)
    assert read_snapshot(file, Path("s")) == state
    plain = json.loads(data)
    assert plain.pop("_gsvr")["1"]["seq"] == 99
    assert plain == {name: {str(doc_id): doc for doc_id, doc in table.items()} for name, table in content.items()}


def test_a_big_table_is_written_in_slices() -> None:
    state = {"jobs": {number: dump({"n": number}) for number in range(2_345)}}
    pieces = list(encode_snapshot(Header(1, 0, 0), state))
    assert len(pieces) > 4
    assert max(map(len, pieces)) < 20_000
    assert read_snapshot(BytesIO(b"".join(pieces)), Path("s")) == state


job_docs = st.builds(
    lambda batch, name: dump({"batch_id": batch, "name": name}), st.sampled_from("AB"), st.text(max_size=5)
)
segment_docs = st.builds(
    lambda state, key: dump({"work_key": key, "request_state": state, "account": "ü", "request_id": "r"}),
    st.sampled_from(["answered", "answered", "open", "failed"]),
    st.sampled_from(["k1", "k1", "k2", ""]),
)
segment_ids = st.sampled_from([0, 1, 3, 4096, 4097])
indexed = st.one_of(
    st.builds(Put, st.just("jobs"), ids, job_docs),
    st.builds(Put, st.just("segments"), segment_ids, segment_docs),
    st.builds(Delete, st.just("jobs"), ids),
    st.builds(Delete, st.just("segments"), segment_ids),
    st.builds(Clear, st.sampled_from(["jobs", "segments"])),
)


@settings(max_examples=200)
@given(st.lists(st.lists(indexed, max_size=4), max_size=10))
def test_the_indexes_say_what_a_scan_of_everything_says(done: list[list[Change]]) -> None:
    engine = Engine({}, 0)
    indexes = Indexes(engine.tables)
    engine.watcher = indexes.watch
    for transaction in done:
        engine.commit(transaction)
    jobs = {number: json.loads(doc) for number, doc in engine.tables.get("jobs", {}).items()}
    segments = {number: json.loads(doc) for number, doc in engine.tables.get("segments", {}).items()}
    for batch in "AB":
        assert list(indexes.jobs_of(batch)) == sorted(n for n, job in jobs.items() if job["batch_id"] == batch)
    for job in range(4):
        assert indexes.segments_of(job) == sorted(number for number in segments if number >> 12 == job)
    is_open = {number for number, segment in segments.items() if segment["request_state"] == "open"}
    assert set(indexes.open_segments()) == is_open
    for key in ("k1", "k2"):
        fits = {
            n for n, segment in segments.items() if (segment["work_key"], segment["request_state"]) == (key, "answered")
        }
        found = indexes.answered(key)
        assert found in fits if found is not None else not fits
