"""The store is TinyDB: its own reads over our storage, its methods with every change O(change)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb import Query, TinyDB, where
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from gsvr_tui.store import DocumentRefused, StoreReadOnly
from gsvr_tui.store.storage import JournalDB, JournalTable


@pytest.fixture
def database(tmp_path: Path) -> Iterator[JournalDB]:
    opened = JournalDB(tmp_path / "state")
    yield opened
    opened.close()


def journal(database: JournalDB) -> list[Any]:
    path = database.storage.files.journal(0)
    return [json.loads(line[9:])["o"] for line in path.read_bytes().splitlines()[1:]]


def both(database: JournalDB) -> tuple[JournalDB, TinyDB]:
    """Ours and the stock one, with the same content."""
    stock = TinyDB(storage=MemoryStorage)
    for one in (database, stock):
        one.table("t").insert_multiple({"n": n, "odd": bool(n % 2), "deep": {"list": [n]}} for n in range(6))
    return database, stock


def documents(one: TinyDB) -> dict[int, dict[str, Any]]:
    return {document.doc_id: dict(document) for document in one.table("t")}


def raise_n(document: Any) -> None:
    document["n"] += 10
    document["deep"]["list"].append("x")


ACTS = {
    "insert": lambda t: t.insert({"n": 7}),
    "insert a document with its id": lambda t: t.insert(Document({"n": 7}, doc_id=40)) and t.insert({"n": 8}),
    "insert many": lambda t: t.insert_multiple([{"n": 8}, Document({"n": 9}, doc_id=70), {"n": 10}]),
    "update all": lambda t: t.update({"new": 1}),
    "update by query": lambda t: t.update({"n": 0}, where("odd") == True),  # noqa: E712
    "update by ids": lambda t: t.update({"n": 0}, doc_ids=[1, 3, 99]),
    "update by call": lambda t: t.update(raise_n, doc_ids=[2, 4]),
    "update many": lambda t: t.update_multiple([({"a": 1}, where("n") > 3), (raise_n, where("odd") == False)]),  # noqa: E712
    "upsert found": lambda t: t.upsert({"n": 3, "up": 1}, where("n") == 3),
    "upsert new": lambda t: t.upsert({"n": 33}, where("n") == 33),
    "upsert by id": lambda t: t.upsert(Document({"z": 1}, doc_id=2)),
    "upsert a new id": lambda t: t.upsert(Document({"z": 1}, doc_id=50)),
    "remove by query": lambda t: t.remove(where("n") < 2),
    "remove by ids": lambda t: t.remove(doc_ids=[1, 6, 99]),
    "truncate": lambda t: t.truncate(),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_every_change_gives_what_stock_tinydb_gives_and_is_there_after_opening(
    database: JournalDB, act: Any, tmp_path: Path
) -> None:
    ours, stock = both(database)
    assert act(ours.table("t")) == act(stock.table("t"))
    assert documents(ours) == documents(stock)
    ours.close()
    again = JournalDB(tmp_path / "state")
    assert documents(again) == documents(stock)
    again.close()


def test_the_reads_are_tinydbs_own(database: JournalDB) -> None:
    ours, stock = both(database)
    for one in (ours.table("t"), stock.table("t")):
        assert len(one) == 6
        assert one.get(doc_id=2) == {"n": 1, "odd": True, "deep": {"list": [1]}}
        assert one.get(doc_id=99) is None
        assert one.get(where("n") == 4)["n"] == 4  # type: ignore[index]
        assert [document.doc_id for document in one.search(Query().odd == True)] == [2, 4, 6]  # noqa: E712
        assert one.contains(doc_id=1)
        assert not one.contains(where("n") == 99)
        assert one.count(where("n") > 2) == 3
        assert [document["n"] for document in one.get(doc_ids=[1, 3])] == [0, 2]
        assert [document["n"] for document in one.all()] == list(range(6))
    assert ours.tables() == {"t"}


def test_an_update_writes_one_short_line(database: JournalDB) -> None:
    ours, _ = both(database)
    ours.table("t").update({"n": 5}, doc_ids=[1])
    assert journal(ours)[-1] == [["u", "t", 1, {"n": 5}, []]]


def test_a_search_is_not_answered_from_before_a_change(database: JournalDB) -> None:
    table = both(database)[0].table("t")
    assert len(table.search(where("n") == 3)) == 1
    table.update({"n": 3}, doc_ids=[1])
    assert len(table.search(where("n") == 3)) == 2


def test_changing_a_fetched_document_does_not_change_the_store(database: JournalDB) -> None:
    table = both(database)[0].table("t")
    document = table.get(doc_id=1)
    assert isinstance(document, Document)
    document["deep"]["list"].append("mine")
    assert table.get(doc_id=1) == {"n": 0, "odd": False, "deep": {"list": [0]}}


@pytest.mark.parametrize("bad", [float("nan"), "\ud800", object()])
def test_a_document_that_cannot_be_written_is_refused_and_the_state_unchanged(database: JournalDB, bad: Any) -> None:
    table = both(database)[0].table("t")
    before, lines = documents(database), len(journal(database))
    with pytest.raises(DocumentRefused):
        table.insert({"x": bad})
    with pytest.raises(DocumentRefused):
        table.insert_multiple([{"x": 1}, {"x": bad}])
    with pytest.raises(DocumentRefused):
        table.update({"x": [bad]})
    assert documents(database) == before
    assert len(journal(database)) == lines
    assert table.insert({"x": 1}) == 7


def test_a_callable_that_fails_halfway_changes_nothing(database: JournalDB) -> None:
    table = both(database)[0].table("t")
    before = documents(database)

    def half(document: Any) -> None:
        document["n"] = -1
        if document["odd"]:
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        table.update(half)
    assert documents(database) == before


def test_an_id_that_is_taken_is_refused(database: JournalDB) -> None:
    table = both(database)[0].table("t")
    for document in (Document({}, doc_id=3),):
        with pytest.raises(ValueError, match="already exists"):
            table.insert(document)
    with pytest.raises(ValueError, match="already exists"):
        table.insert_multiple([Document({}, doc_id=90), Document({}, doc_id=90)])
    with pytest.raises(ValueError, match="not a Mapping"):
        table.insert([1])  # type: ignore[arg-type]
    assert len(table) == 6


def test_what_would_rewrite_everything_fails_loudly(database: JournalDB) -> None:
    table = database.table("t")
    assert isinstance(table, JournalTable)
    with pytest.raises(NotImplementedError):
        table._update_table(lambda documents: None)
    with pytest.raises(NotImplementedError):
        database.storage.write({})
    with pytest.raises(RuntimeError):
        table.remove()
    with pytest.raises(ValueError, match="doc_id"):
        table.upsert({})


def test_dropping_tables_is_one_record(database: JournalDB) -> None:
    ours, _ = both(database)
    ours.insert({"in": "the default table"})
    ours.drop_table("t")
    assert len(ours.table("t")) == 0
    assert len(ours) == 1
    ours.drop_tables()
    assert sorted(journal(ours)[-1]) == [["c", "_default"], ["c", "t"]]
    assert len(ours) == 0


def test_a_table_name_that_does_not_fit_the_journal_is_refused(database: JournalDB) -> None:
    with pytest.raises(DocumentRefused):
        database.table('a"b').insert({})


def test_a_database_for_reading_only_refuses_changes(database: JournalDB, tmp_path: Path) -> None:
    both(database)
    reader = JournalDB(tmp_path / "state", read_only=True)
    assert documents(reader) == documents(database)
    with pytest.raises(StoreReadOnly):
        reader.table("t").insert({})
    with pytest.raises(StoreReadOnly):
        reader.drop_tables()
    reader.close()
