"""The line format: a cut anywhere leaves whole transactions, a changed bit is seen."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.store.errors import DocumentRefused, StoreDamaged, StoreTooNew
from gsvr_tui.store.journal import (
    Replay,
    clear_op,
    delete_op,
    dump,
    header_line,
    parse_line,
    patch_op,
    put_op,
    read_journal,
    transaction_lines,
)
from gsvr_tui.store.loading import Replayer

PATH = Path("state.json.journal.0")


def read(data: bytes, *, last: bool = True, seq: int = 0) -> tuple[Replay, dict[str, dict[int, Any]]]:
    tables: dict[str, dict[int, bytes]] = {}
    replayer = Replayer(tables)
    replay = read_journal(BytesIO(data), PATH, seq=seq, generation=0, schema=1, last=last, apply=replayer.apply)
    replayer.settle()
    return replay, {name: {n: json.loads(doc) for n, doc in table.items()} for name, table in tables.items()}


def journal() -> tuple[bytes, list[int], list[dict[str, dict[int, Any]]]]:
    """A journal, the offset after each transaction, and the state there."""
    old, new = dump({"名": "甲", "n": 1}), dump({"名": "乙\n", "n": 1})
    transactions = [
        [put_op("jobs", 1, old)],
        [put_op("jobs", 2, old), put_op("batches", 1, b'{"x":[1,2]}')],
        [patch_op("jobs", 1, old, new)],
        [put_op("jobs", n, dump({"text": "长" * 40, "n": n})) for n in range(10, 20)],  # in parts, see below
        [delete_op("jobs", 2)],
        [put_op("usage", 1, old), clear_op("usage"), put_op("usage", 3, new)],
    ]
    data, seq, ends = header_line(0, 0, 1), 0, []
    ends.append(len(data))
    for ops in transactions:
        lines = transaction_lines(seq + 1, ops, part_bytes=400)
        seq += len(lines)
        data += b"".join(lines)
        ends.append(len(data))
    states = [read(data[:end])[1] for end in ends]
    return data, ends, states


def test_a_journal_gives_back_what_was_written() -> None:
    data, ends, states = journal()
    replay, state = read(data)
    assert replay.length == len(data) == ends[-1]
    assert replay.torn == b""
    assert replay.records == 6
    assert state["jobs"][1] == {"名": "乙\n", "n": 1}
    assert 2 not in state["jobs"]
    assert state["usage"] == {3: {"名": "乙\n", "n": 1}}
    assert len({json.dumps(state, sort_keys=True) for state in states}) == len(states)


def test_a_cut_at_any_byte_leaves_exactly_the_whole_transactions_before_it() -> None:
    data, ends, states = journal()
    for cut in range(len(data)):
        replay, state = read(data[:cut])
        whole = sum(end <= cut for end in ends)  # 0: not even the header
        assert replay.length == (ends[whole - 1] if whole else 0), cut
        assert replay.torn == data[replay.length : cut]
        assert state == (states[whole - 1] if whole else {})


def test_a_flipped_bit_is_refused_or_costs_at_most_the_last_transaction() -> None:
    data, ends, states = journal()
    tail = ends[-2] - 1  # from the line break before the last line on, a flip cannot be told from a torn write
    for bit in range(0, len(data) * 8, 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            _, state = read(bytes(flipped))
        except StoreDamaged:
            continue
        assert bit // 8 >= tail, bit
        assert state in (states[-2], states[-3])


def test_a_bad_tail_is_damage_when_a_newer_journal_exists() -> None:
    data, ends, _ = journal()
    with pytest.raises(StoreDamaged) as caught:
        read(data[: ends[-1] - 3], last=False)
    assert caught.value.offset == ends[-2]
    assert caught.value.file == str(PATH)


def test_a_missing_line_is_damage() -> None:
    data, _, _ = journal()
    lines = data.splitlines(keepends=True)
    with pytest.raises(StoreDamaged, match="record 2 is missing"):
        read(b"".join(lines[:2] + lines[3:]))


def test_parts_without_their_commit_are_dropped() -> None:
    ops = [put_op("jobs", n, b'{"text":"%b"}' % (b"x" * 50)) for n in range(20)]
    lines = transaction_lines(1, ops, part_bytes=200)
    assert len(lines) > 5
    replay, state = read(header_line(0, 0, 1) + b"".join(lines[:-1]))
    assert state == {}
    assert replay.torn == b"".join(lines[:-1])
    assert len(read(header_line(0, 0, 1) + b"".join(lines))[1]["jobs"]) == 20


def test_parts_with_one_missing_are_damage() -> None:
    ops = [put_op("jobs", n, b'{"text":"%b"}' % (b"x" * 50)) for n in range(20)]
    first = transaction_lines(1, ops, part_bytes=200)[:3]
    after = transaction_lines(4, [put_op("jobs", 1, b"{}")])
    with pytest.raises(StoreDamaged, match="not finished"):
        read(header_line(0, 0, 1) + b"".join(first + after))


def test_a_journal_of_a_newer_schema_is_refused() -> None:
    with pytest.raises(StoreTooNew):
        read(header_line(0, 0, 2))


@pytest.mark.parametrize("header", [header_line(0, 1, 1), header_line(5, 0, 1)])
def test_a_journal_of_another_snapshot_is_damage(header: bytes) -> None:
    with pytest.raises(StoreDamaged, match="does not follow"):
        read(header)


def test_a_patch_of_a_document_that_is_not_there_is_damage() -> None:
    line = transaction_lines(1, [b'["u","jobs",1,{"a":1},[]]'])
    with pytest.raises(StoreDamaged, match="does not fit"):
        read(header_line(0, 0, 1) + b"".join(line))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\udc80", {1, 2}, object()])
def test_what_json_or_utf8_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(DocumentRefused):
        dump({"x": value})


def test_a_patch_tells_numbers_of_different_kinds_apart() -> None:
    old, new = dump({"a": 1, "b": [1], "c": "long" * 20}), dump({"a": 1.0, "b": [True], "c": "long" * 20})
    op = json.loads(patch_op("t", 1, old, new))
    assert op[0] == "u"
    assert [type(value) for value in op[3].values()] == [float, list]
    assert op[3]["b"][0] is True


def test_a_patch_that_would_be_longer_than_the_document_is_a_put() -> None:
    assert json.loads(patch_op("t", 1, b'{"a":1}', b'{"b":2}'))[0] == "p"


@pytest.mark.parametrize("line", [b"", b"\n", b"00000000 {}\n", b"zzzzzzzz {}\n", b"x" * 40, b"12345678 \n"])
def test_what_is_not_a_line_is_not_taken_for_one(line: bytes) -> None:
    assert parse_line(line) is None
