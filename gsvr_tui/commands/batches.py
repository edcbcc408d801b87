"""The state as a reader sees it: batches by what a person would call them, and who is at work."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gsvr_tui.commands.guard import Complaint

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.core.models import Batch, Job
    from gsvr_tui.store.repository import Store

SHORTEST_START = 4


@contextmanager
def reading(places: Places) -> Iterator[Store]:
    """The store, open for reading; also while another process works with it."""
    from gsvr_tui.store.repository import Store

    store = Store.open(places.state, read_only=True)
    try:
        yield store
    finally:
        store.close()


def find_batch(store: Store, said: str) -> Batch:
    """The batch with this id, start of an id, or name (the newest of that name). Raises Complaint."""
    batches = store.batches()
    exact = [batch for batch in batches if batch.id == said.lower()]
    named = [batch for batch in batches if batch.name == said][-1:]
    starts = [batch for batch in batches if len(said) >= SHORTEST_START and batch.id.startswith(said.lower())]
    found = exact or named or starts
    if len(found) > 1:
        raise Complaint(f"{said} is the start of {len(found)} batches", "write more of the id; see: gsvr-tui status")
    if not found:
        raise Complaint(f"there is no batch {said}", "see: gsvr-tui status")
    return found[0]


def find_jobs(store: Store, said: tuple[str, ...]) -> list[Job]:
    """Jobs by id, name, path, or the id of their batch. Raises Complaint for one that is not there."""
    from gsvr_tui.core.ids import id_number

    found: dict[str, Job] = {}
    by_name: dict[str, list[Job]] | None = None
    batches = {batch.id for batch in store.batches()}
    for text in said:
        if text.lower() in batches:
            found |= {job.id: job for job in store.jobs_of(text.lower())}
            continue
        try:
            id_number(text)
            job = store.job(text.lower())
        except (KeyError, ValueError):
            if by_name is None:
                by_name = _by_name(store)
            matches = by_name.get(text) or by_name.get(os.path.abspath(text))  # noqa: PTH100 - links stay as named
            if not matches:
                raise Complaint(
                    f"there is no job {text}", "name its id, video or batch; see: gsvr-tui status --jobs"
                ) from None
            found |= {match.id: match for match in matches}
        else:
            found[job.id] = job
    return list(found.values())


def _by_name(store: Store) -> dict[str, list[Job]]:
    names: dict[str, list[Job]] = {}
    for job in store.jobs():
        names.setdefault(job.name, []).append(job)
        names.setdefault(job.path, []).append(job)
    return names


def holder(places: Places) -> str:
    """Who works with the state now, "" when nobody seems to. Looks at what the lock says; takes no lock itself."""
    from gsvr_tui.store.loading import Files

    try:
        facts = json.loads(Files(places.state).lock.read_text(encoding="utf-8"))
        pid, host, started = int(facts["pid"]), str(facts["host"]), float(facts["started"])
        if pid == os.getpid() or host != socket.gethostname() or not _alive(pid):
            return ""
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return ""
    return f"process {pid}, since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(started))}"


def _alive(pid: int) -> bool:
    """True when the process is there and, where that can be seen, is a Python program: numbers are used again."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"gsvr" in command or b"python" in command
