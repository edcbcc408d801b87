"""Raw answers as files, one each, that say themselves what they are: they outlive any damage to the state.

`answers/<aa>/<request id>.json`: the first line is a JSON header, the rest the response as it came. A file is put in
place whole and on disk before `write` returns; pieces of a stream wait in `<request id>.part`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gsvr_tui.store.errors import AnswerDamaged, StoreClosed, StoreReadOnly
from gsvr_tui.store.filesystem import READ_WRITE, FileSystem, discard, write_all, write_atomic
from gsvr_tui.store.status import StoreStatus
from gsvr_tui.store.writer import RETRY_S, explain

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
_MAX_HEADER = 64 << 10
_APPEND = os.O_APPEND


@dataclass(frozen=True, slots=True)
class AnswerHeader:
    """What an answer answers. Times are Unix seconds."""

    request_id: str
    job_id: str
    segment: int
    work_key: str
    model: str
    project: str
    account: str
    asked_at: float
    answered_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer."""

    header: AnswerHeader
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")


class AnswerStore:
    """All methods may be called from any thread, none from an event loop: they wait for the disk."""

    def __init__(
        self,
        folder: Path,
        fs: FileSystem | None = None,
        *,
        lookup: Callable[[str], str | None] = lambda work_key: None,
        known: Callable[[], set[str]] = set,
        on_status: Callable[[StoreStatus], None] = lambda status: None,
        make_room: Callable[[Exception], bool] = lambda error: False,
        read_only: bool = False,
        retry_s: tuple[float, float] = RETRY_S,
    ) -> None:
        self._folder = folder
        self._fs = fs or FileSystem()
        self._lookup = lookup  # work key → request id, from the segments table
        self._known = known  # request ids the segments table has an answer for
        self._on_status = on_status
        self._make_room = make_room  # on a full disk: give back the reserve
        self._read_only = read_only
        self._retry_s = retry_s
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._orphans: dict[str, str] = {}  # work key → request id, of answers no segment knows
        self._orphans_read = False
        self._synced: set[Path] = set()  # folders whose own name is on disk

    # ------------------------------------------------------------ writing

    def write(self, header: AnswerHeader, body: str | bytes, *, give_up_after_s: float | None = None) -> Path:
        """Put an answer on disk and return its path; a second write of the same id replaces the first.

        A full or failing disk is waited for (it has been paid for), at most `give_up_after_s` seconds: then the
        OSError is raised. Raises StoreClosed when the store is closed meanwhile.
        """
        if self._read_only:
            raise StoreReadOnly
        path = self._path(header.request_id)
        content = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
        facts = dataclasses.asdict(header) | {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        first = json.dumps(facts, allow_nan=False).encode() + b"\n"
        self._persist(path, first, content, give_up_after_s)
        discard(self._fs, self._part(header.request_id))
        self.note(header.work_key, header.request_id, known=False)
        return path

    def _persist(self, path: Path, first: bytes, content: bytes, give_up_after_s: float | None) -> None:
        started = time.monotonic()
        wait_s, longest_s = self._retry_s
        stalled = False
        while True:
            try:
                self._make_folder(path.parent)
                write_atomic(self._fs, path, [first, content])
                break
            except OSError as error:
                if give_up_after_s is not None and time.monotonic() - started >= give_up_after_s:
                    raise
                if self._make_room(error):
                    continue
                stalled = True
                self._on_status(StoreStatus(True, *explain(error, str(self._folder)), pending=1))
                if self._closed.wait(wait_s):
                    raise StoreClosed("The store was closed before this answer was on disk.") from error
                wait_s = min(longest_s, wait_s * 1.5)
        if stalled:
            self._on_status(StoreStatus())

    def _make_folder(self, folder: Path) -> None:
        if folder in self._synced and folder.is_dir():
            return
        self._fs.mkdir(folder)
        self._fs.fsync_dir(self._folder)
        self._fs.fsync_dir(self._folder.parent)
        self._synced.add(folder)

    def append_part(self, request_id: str, piece: bytes) -> None:
        """Keep a piece of a stream. Not synced: a part is evidence of a payment, not an answer."""
        if self._read_only:
            raise StoreReadOnly
        path = self._part(request_id)
        self._make_folder(path.parent)
        fd = self._fs.open(path, READ_WRITE | _APPEND)
        try:
            write_all(self._fs, fd, piece)
        finally:
            self._fs.close(fd)

    def drop_part(self, request_id: str) -> None:
        """Forget the pieces of a stream."""
        discard(self._fs, self._part(request_id))

    # ------------------------------------------------------------ reading

    def read(self, request_id: str) -> Answer:
        """The answer. Raises KeyError when there is none, AnswerDamaged when it is not what was written."""
        path = self._path(request_id)
        try:
            with self._fs.reader(path) as file:
                first = file.readline(_MAX_HEADER)
                body = file.read()
        except FileNotFoundError:
            raise KeyError(request_id) from None
        header, size, digest = _parse(first, path)
        if size != len(body) or digest != hashlib.sha256(body).hexdigest():
            raise AnswerDamaged(f"The answer in {path} is not what was written.", "The request has to be made again.")
        return Answer(header, body)

    def header(self, request_id: str) -> AnswerHeader | None:
        """What an answer answers, or None when there is none (or its first line cannot be read)."""
        path = self._path(request_id)
        try:
            with self._fs.reader(path) as file:
                return _parse(file.readline(_MAX_HEADER), path)[0]
        except (FileNotFoundError, AnswerDamaged):
            return None

    def has(self, request_id: str) -> bool:
        """True when there is an answer."""
        return self._path(request_id).exists()

    def read_part(self, request_id: str) -> bytes | None:
        """The pieces of a stream that came, or None."""
        try:
            return self._part(request_id).read_bytes()
        except FileNotFoundError:
            return None

    def scan(self, ids: Iterable[str]) -> dict[str, AnswerHeader]:
        """The headers of those of `ids` that have an answer: what to adopt after a crash."""
        found = ((request_id, self.header(request_id)) for request_id in ids)
        return {request_id: header for request_id, header in found if header is not None}

    def request_ids(self) -> Iterator[str]:
        """All answers there are, in no order."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            if len(folder.name) == 2 and folder.is_dir():
                yield from (path.name[:-5] for path in folder.iterdir() if path.name.endswith(".json"))

    def find_by_work_key(self, work_key: str) -> str | None:
        """The request id of an answer to the same work, or None.

        Segments are asked first; then the answers no segment knows, whose first lines are read once.
        """
        if not work_key:
            return None
        known = self._lookup(work_key)
        if known is not None and self.has(known):
            return known
        if not self._orphans_read:
            read = self._read_orphans()  # not under the lock: it asks the segments, and they tell `note`
            with self._lock:
                self._orphans = read | self._orphans
                self._orphans_read = True
        with self._lock:
            found = self._orphans.get(work_key)
        return found if found is not None and self.has(found) else None

    def _read_orphans(self) -> dict[str, str]:
        known = self._known()
        headers = (self.header(request_id) for request_id in self.request_ids() if request_id not in known)
        return {header.work_key: header.request_id for header in headers if header is not None and header.work_key}

    def note(self, work_key: str, request_id: str, known: bool) -> None:
        """A segment knows this answer now, or none does any more."""
        with self._lock:
            if known:
                self._orphans.pop(work_key, None)
            elif work_key:
                self._orphans[work_key] = request_id

    def close(self) -> None:
        """Let writes that wait for the disk fail."""
        self._closed.set()

    # ------------------------------------------------------------ names

    def _path(self, request_id: str) -> Path:
        return self._stem(request_id).with_name(request_id + ".json")

    def _part(self, request_id: str) -> Path:
        return self._stem(request_id).with_name(request_id + ".part")

    def _stem(self, request_id: str) -> Path:
        if not _ID.match(request_id):
            raise ValueError(f"not a request id: {request_id!r}")
        return self._folder / hashlib.sha256(request_id.encode()).hexdigest()[:2] / request_id


def _parse(first: bytes, path: Path) -> tuple[AnswerHeader, int, str]:
    try:
        facts = json.loads(first)
        size, digest = int(facts.pop("size")), str(facts.pop("sha256"))
        return AnswerHeader(**facts), size, digest
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnswerDamaged(f"The first line of {path} cannot be read.", "The request has to be made again.") from error
