"""The journal: one line per transaction, `<crc32 as 8 hex digits> <json>\\n`, with contiguous sequence numbers.

The JSON is `{"s":seq,"o":[op,…]}`. Ops: `["p",table,id,doc]` put, `["u",table,id,{changed},[removed]]` patch,
`["d",table,id]` delete, `["c",table]` clear. A transaction too big for one line is written as parts
`{"s":seq,"tx":first,"o":[…]}` closed by `{"s":seq,"tx":first,"commit":parts}`; parts without their commit are dropped.
The first line of a file, `{"s":base,"g":generation,"v":schema}`, says where it belongs.

Every op is a pure function of the state before it, never "add 1".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from gsvr_tui.store.errors import DocumentRefused, StoreDamaged, StoreTooNew

Document = dict[str, Any]
Tables = dict[str, dict[int, bytes]]
"""All state: table name → document id → the document as JSON text. Values are replaced, never changed in place."""

PART_BYTES = 1 << 20  # a transaction above this is written in parts of about this size
MAX_DOCUMENT_BYTES = 8 << 20

_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Put(NamedTuple):
    """The document `doc_id` of `table` becomes `doc` (JSON text)."""

    table: str
    doc_id: int
    doc: bytes


class Delete(NamedTuple):
    """The document goes."""

    table: str
    doc_id: int


class Clear(NamedTuple):
    """All documents of the table go."""

    table: str


Change = Put | Delete | Clear


def dump(value: Any) -> bytes:
    """JSON text of a document or value. Raises DocumentRefused for what JSON or UTF-8 cannot hold."""
    try:
        return _encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DocumentRefused(f"This cannot be written to the state: {error}.") from error


def load(doc: bytes) -> Document:
    """A fresh copy of a stored document; the caller may do with it what it likes."""
    # json.loads of bytes guesses the encoding and looks for white space first: twice the time of the parsing itself
    document: Document = _decode(doc.decode())[0]
    return document


def put_op(table: str, doc_id: int, doc: bytes) -> bytes:
    """The JSON of one op."""
    return b'["p","%b",%d,%b]' % (table.encode(), doc_id, doc)


def patch_op(table: str, doc_id: int, old: bytes, new: bytes) -> bytes:
    """The smallest op that makes `new` of `old`: a patch of the changed fields, or a put."""
    before, after = load(old), load(new)
    changed = {key: value for key, value in after.items() if key not in before or not _same(before[key], value)}
    removed = [key for key in before if key not in after]
    op = b'["u","%b",%d,%b,%b]' % (table.encode(), doc_id, dump(changed), dump(removed))
    return op if len(op) < len(new) else put_op(table, doc_id, new)


def _same(a: Any, b: Any) -> bool:
    # 1 == 1.0 == True in Python, but not in a file
    if type(a) is not type(b) or a != b:
        return False
    return not isinstance(a, dict | list) or repr(a) == repr(b)


def delete_op(table: str, doc_id: int) -> bytes:
    """The JSON of one op."""
    return b'["d","%b",%d]' % (table.encode(), doc_id)


def clear_op(table: str) -> bytes:
    """The JSON of one op."""
    return b'["c","%b"]' % table.encode()


def _line(payload: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(payload), payload)


def header_line(seq: int, generation: int, schema: int) -> bytes:
    """The first line of a journal whose first transaction will be `seq + 1`."""
    return _line(b'{"s":%d,"g":%d,"v":%d}' % (seq, generation, schema))


def transaction_lines(seq: int, ops: Sequence[bytes], part_bytes: int = PART_BYTES) -> list[bytes]:
    """The lines of one transaction whose first line gets number `seq`; each line uses one number."""
    if len(ops) == 1 or sum(map(len, ops)) <= part_bytes:
        return [_line(b'{"s":%d,"o":[%b]}' % (seq, b",".join(ops)))]
    lines: list[bytes] = []
    for part in _parts(ops, part_bytes):
        lines.append(_line(b'{"s":%d,"tx":%d,"o":[%b]}' % (seq + len(lines), seq, b",".join(part))))
    lines.append(_line(b'{"s":%d,"tx":%d,"commit":%d}' % (seq + len(lines), seq, len(lines))))
    return lines


def _parts(ops: Iterable[bytes], part_bytes: int) -> Iterable[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for op in ops:
        if part and size + len(op) > part_bytes:
            yield part
            part, size = [], 0
        part.append(op)
        size += len(op)
    if part:
        yield part


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Replay:
    """What reading one journal gave."""

    seq: int  # of the last whole transaction
    length: int  # bytes up to and including it
    records: int  # transactions applied
    torn: bytes = b""  # what lies behind `length`


def parse_line(line: bytes) -> Document | None:
    """The record in a line, or None if the line is not whole and unharmed."""
    if len(line) < 11 or line[8:9] != b" " or not line.endswith(b"\n"):
        return None
    payload = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(payload):
        return None
    try:
        record = load(payload)
    except ValueError:  # UnicodeDecodeError is one
        return None
    return record if isinstance(record, dict) and isinstance(record.get("s"), int) else None


def read_journal(
    file: BinaryIO,
    path: Path,
    *,
    seq: int,
    generation: int,
    schema: int,
    last: bool,
    apply: Callable[[list[Any]], None],
    salvage: bool = False,
) -> Replay:
    """Apply every whole transaction after `seq`. `last`: no newer journal exists, so the tail may be torn.

    A torn tail is a bad line with no good line after it, or parts without their commit, at the end of the last
    journal. Anything else that is not as it was written raises StoreDamaged; with `salvage` everything from there on
    counts as torn.
    """
    reader = _Reader(file, path, seq, generation, schema, last, apply)
    try:
        return reader.read()
    except StoreDamaged:
        if not salvage:
            raise
        return reader.with_tail()


class _Reader:
    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        seq: int,
        generation: int,
        schema: int,
        last: bool,
        apply: Callable[[list[Any]], None],
    ) -> None:
        self._file, self._path, self._last, self._apply = file, path, last, apply
        self._generation, self._schema = generation, schema
        self._seq = seq  # of the last line read
        self._done = Replay(seq, 0, 0)
        self._offset = 0
        self._parts: list[list[Any]] = []
        self._tx: int | None = None

    def read(self) -> Replay:
        for line in self._file:
            record = parse_line(line)
            if record is None:
                self._require_tail(line)
                break
            if self._offset == 0:
                self._check_header(record)
                self._end_of(line, records=0)
                continue
            if record["s"] != self._seq + 1:
                raise self._damaged(f"record {self._seq + 1} is missing")
            self._take(record, line)
        if self._offset == self._done.length:
            return self._done
        if not self._last:
            raise self._damaged("a transaction is not finished, but a newer journal exists")
        return self.with_tail()

    def _take(self, record: Document, line: bytes) -> None:
        self._seq += 1
        tx = record.get("tx")
        if tx is None:
            if self._tx is not None:
                raise self._damaged("a transaction is not finished, but others follow")
            self._run(record["o"])
            self._end_of(line)
        elif "commit" in record:
            if self._tx != tx or len(self._parts) != record["commit"]:
                raise self._damaged("parts of a transaction are missing")
            for ops in self._parts:
                self._run(ops)
            self._parts, self._tx = [], None
            self._end_of(line)
        else:
            if self._tx is None:
                self._tx = tx
            elif self._tx != tx:
                raise self._damaged("a transaction is not finished, but others follow")
            self._parts.append(record["o"])
            self._offset += len(line)

    def _run(self, ops: list[Any]) -> None:
        try:
            self._apply(ops)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise self._damaged(f"a change that does not fit the state before it ({error!r})") from error

    def _end_of(self, line: bytes, records: int = 1) -> None:
        self._offset += len(line)
        self._done = Replay(self._seq, self._offset, self._done.records + records)

    def _check_header(self, record: Document) -> None:
        if int(record.get("v", 0)) > self._schema:
            raise StoreTooNew(str(self._path), int(record["v"]), self._schema)
        if record.get("g") != self._generation or record["s"] != self._seq:
            raise self._damaged("it does not follow the snapshot")

    def _require_tail(self, line: bytes) -> None:
        """A bad line: torn, or damage?"""
        if not self._last:
            raise self._damaged("a line is not as it was written")
        for later in self._file:
            if parse_line(later) is not None:
                raise self._damaged("a line is not as it was written, and good ones follow")
        self._offset += len(line)  # differs from the last good length from here on

    def with_tail(self) -> Replay:
        """What was read so far, and everything behind it as torn."""
        self._file.seek(self._done.length)
        return Replay(self._done.seq, self._done.length, self._done.records, self._file.read())

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(str(self._path), self._offset, what)
