"""The emulator's log: one entry per request, in memory and, if wanted, one JSON line each on disk. Never a key."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO


@dataclass(slots=True)
class LogEntry:
    """What one request was and how it ended."""

    n: int  # order of arrival, from 1
    time: float  # arrival, emulator Unix seconds
    method: str
    path: str
    kind: str  # upload_start, upload_bytes, upload_query, get_file, list_files, delete_file, generate, count_tokens, …
    version: str = ""
    ended: float = 0.0
    project: str = ""
    key_tail: str = ""
    model: str = ""
    model_version: str = ""
    streamed: bool = False
    status: int = 0
    file: str = ""  # files/…
    display_name: str = ""
    file_sha256: str = ""
    prompt_hash: str = ""
    start_offset_s: float | None = None
    end_offset_s: float | None = None
    counted_at: float | None = None  # when it was taken from the quota; None: it was not
    prompt_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    outcome: str = ""  # answered, rejected (by quota), failed, dropped, abandoned (by the client)
    detail: str = ""  # which quota, which fault
    response_id: str = ""
    logged: bool = field(default=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        shown = asdict(self)
        del shown["logged"]
        return shown


@dataclass
class RequestLog:
    """Entries in the order in which they ended."""

    path: Path | None = None
    entries: list[LogEntry] = field(default_factory=list)
    _count: int = 0
    _file: TextIO | None = None
    _lock: threading.Condition = field(default_factory=threading.Condition)

    def open(self, time: float, method: str, path: str, kind: str) -> LogEntry:
        """A new entry; it is in the log only once `close` was called."""
        with self._lock:
            self._count += 1
            return LogEntry(self._count, time, method, path, kind)

    def close(self, entry: LogEntry, time: float) -> None:
        """The request has ended: append the entry, flushed. A second call changes nothing."""
        with self._lock:
            if entry.logged:
                return
            entry.ended, entry.logged = time, True
            self.entries.append(entry)
            self._lock.notify_all()
            if self.path is None:
                return
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8")
            self._file.write(json.dumps(entry.as_dict(), ensure_ascii=False) + "\n")
            self._file.flush()

    def finish(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def snapshot(self) -> list[LogEntry]:
        """A copy of the entries so far."""
        with self._lock:
            return list(self.entries)

    def wait_for(self, condition: Callable[[list[LogEntry]], bool], timeout_s: float) -> list[LogEntry]:
        """Block until the entries are as wanted and return them. Raises TimeoutError."""
        with self._lock:
            if not self._lock.wait_for(lambda: condition(self.entries), timeout_s):
                raise TimeoutError(f"the log of {len(self.entries)} requests is not as wanted after {timeout_s} s")
            return list(self.entries)

    def stats(self) -> dict[str, Any]:
        """Counts by kind, outcome, status and project; token sums; how many good answers were given again."""
        entries = self.snapshot()
        generated = [entry for entry in entries if entry.kind == "generate"]
        answered = [entry for entry in generated if entry.outcome == "answered"]
        good = [entry for entry in answered if not entry.detail]  # an answer spoilt on purpose may be asked for again
        asked = Counter((e.file_sha256, e.prompt_hash, e.start_offset_s, e.end_offset_s, e.model) for e in good)
        return {
            "requests": len(entries),
            "by_kind": dict(Counter(entry.kind for entry in entries)),
            "by_status": {str(status): count for status, count in Counter(e.status for e in entries).items()},
            "generate": dict(Counter(entry.outcome for entry in generated)),
            "generate_by_project": dict(Counter(entry.project for entry in answered)),
            "rejected": sum(entry.outcome == "rejected" for entry in generated),
            "answered_more_than_once": sum(count - 1 for count in asked.values()),
            "prompt_tokens": sum(entry.prompt_tokens for entry in answered),
            "output_tokens": sum(entry.output_tokens + entry.thought_tokens for entry in answered),
        }
