"""The snapshot: plain TinyDB JSON, one document a line, so that stock TinyDB and people can read it.

The last line is the table `_gsvr` with one document {format, schema, gen, seq, crc}; `crc` covers every byte before
its own value, so a changed bit in the header is seen as well.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from gsvr_tui.store.errors import StoreDamaged, StoreTooNew
from gsvr_tui.store.journal import Tables

FORMAT = 1
HEADER_TABLE = "_gsvr"
SLICE = 500  # documents per piece: about a millisecond of work between two chances for other threads
_TAIL_BYTES = 512
_HEADER = re.compile(rb'\n("_gsvr":\{"1":(\{[^{}\n]*"crc":")([0-9a-f]{8})("\})\}\}\n)\Z')
_DOCUMENT = re.compile(rb'"(\d+)":(\{.*\}),?\n\Z', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """Which state a snapshot holds: everything up to transaction `seq`; journals from `generation` on follow it."""

    schema: int
    generation: int
    seq: int


def encode_snapshot(header: Header, tables: Tables) -> Iterator[bytes]:
    """The file in pieces. `tables` must not change meanwhile (hand over a shallow copy)."""
    crc = 0
    for piece in _body(header, tables):
        crc = zlib.crc32(piece, crc)
        yield piece
    yield b'%08x"}}}\n' % crc


def _body(header: Header, tables: Tables) -> Iterator[bytes]:
    yield b"{\n"
    for name, table in tables.items():
        lead = json.dumps(name).encode() + b":{\n"
        documents = iter(table.items())
        while batch := list(islice(documents, SLICE)):
            yield lead + b",\n".join([b'"%d":%b' % item for item in batch])
            lead = b",\n"
        yield b"\n},\n" if table else lead + b"},\n"
    yield b'"%b":{"1":{"format":%d,"schema":%d,"gen":%d,"seq":%d,"crc":"' % (
        HEADER_TABLE.encode(),
        FORMAT,
        header.schema,
        header.generation,
        header.seq,
    )


def read_header(file: BinaryIO, path: Path, schema: int) -> Header:
    """The header, looked at before anything else. Raises StoreTooNew or StoreDamaged."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    match = _HEADER.search(tail)
    if match is None:
        raise StoreDamaged(str(path), size, "it does not end as a snapshot does")
    try:
        facts = json.loads(match[2] + match[3] + match[4][:2])
        found = Header(int(facts["schema"]), int(facts["gen"]), int(facts["seq"]))
        version = int(facts["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(str(path), size - len(match[1]), "its header cannot be read") from error
    if version > FORMAT or found.schema > schema:
        raise StoreTooNew(str(path), max(version, found.schema), schema)
    return found


def read_snapshot(file: BinaryIO, path: Path) -> Tables:
    """All documents, as text; checked against the CRC. Raises StoreDamaged with the state untouched."""
    file.seek(0)
    reader = _Lines(path)
    for line in file:
        reader.take(line)
    return reader.finish()


class _Lines:
    """Takes a snapshot line by line, so that never more than the documents themselves are in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: Tables = {}
        self._table: dict[int, bytes] | None = None
        self._crc = 0
        self._offset = 0
        self._ended = False

    def take(self, line: bytes) -> None:
        table = self._table
        if table is not None and line[:1] == b'"':
            match = _DOCUMENT.match(line)
            if match is None:
                raise self._damaged("not a document")
            table[int(match[1])] = match[2]
        elif table is not None and line == b"},\n":
            self._table = None
        elif table is not None and line == b"\n":
            raise self._damaged("an empty line")
        else:
            self._between(line)
        if not self._ended:
            self._crc = zlib.crc32(line, self._crc)
        self._offset += len(line)

    def _between(self, line: bytes) -> None:
        if self._ended:
            raise self._damaged("text after the end")
        if self._offset == 0 and line == b"{\n":
            return
        if line.startswith(b'"_gsvr":{"1":'):
            covered = line[: line.index(b'"crc":"') + 7]
            self._crc = zlib.crc32(covered, self._crc)
            if line[len(covered) :] != b'%08x"}}}\n' % self._crc:
                raise self._damaged("the checksum does not fit the content")
            self._ended = True
            return
        if not (line.startswith(b'"') and line.endswith(b":{\n")) or self._table is not None:
            raise self._damaged("not a table")
        try:
            name = json.loads(line[:-3])
        except ValueError as error:
            raise self._damaged("not the name of a table") from error
        self._table = self._tables.setdefault(name, {})

    def finish(self) -> Tables:
        if not self._ended:
            raise self._damaged("it ends too early")
        return self._tables

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(str(self._path), self._offset, what)
