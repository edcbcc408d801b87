"""Uploads that were begun: after a kill, two gigabytes do not start again from nothing.

The address of an upload is as good as a key for that one file: it lies in the state (0600) and nowhere else, is never
logged or shown, and goes when the upload is over.
"""

from __future__ import annotations

from gsvr_tui.core.models import Job
from gsvr_tui.service.settings import Clock
from gsvr_tui.store.repository import Store
from gsvr_tui.store.status import Durability

PREFIX = "upload "
KEPT_S = 24 * 3600.0
"""How long the service keeps a session is not written anywhere; an older one is not worth a question."""


class UploadSessions:
    """Sessions by project and content."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tidied = False

    def find(self, project: str, job: Job) -> str:
        """The address of a session for exactly this file, or ""."""
        self._tidy()
        record = self._store.meta(_key(project, job.content_hash))
        if record is None or job.probe is None:
            return ""
        same = (record.get("size"), record.get("mtime_ns")) == (job.probe.size_bytes, job.probe.mtime_ns)
        url = record.get("url")
        return url if same and isinstance(url, str) else ""

    async def keep(self, project: str, job: Job, url: str) -> None:
        """Remember a session, on disk before a byte is sent to it."""
        if job.probe is None:
            raise AssertionError(f"upload before probe: {job.id}")
        transaction = self._store.begin()
        transaction.put_meta(
            _key(project, job.content_hash),
            {
                "url": url,
                "size": job.probe.size_bytes,
                "mtime_ns": job.probe.mtime_ns,
                "started": self._clock.now().wall,
            },
        )
        await transaction.commit(Durability.DURABLE)

    def forget(self, project: str, content_hash: str) -> None:
        """The upload is over."""
        transaction = self._store.begin()
        transaction.forget_meta(_key(project, content_hash))
        transaction.commit(Durability.SOON)

    def _tidy(self) -> None:
        """Once a run: drop what is too old, and what was finished by a run that died before it could drop it."""
        if self._tidied:
            return
        self._tidied = True
        now = self._clock.now().wall
        transaction = self._store.begin()
        for key in self._store.meta_keys(PREFIX):
            record = self._store.meta(key) or {}
            project, _, digest = key.removeprefix(PREFIX).rpartition(" ")
            age = now - float(record.get("started") or 0.0)
            if not 0 <= age < KEPT_S or self._store.remote_file(project, digest) is not None:
                transaction.forget_meta(key)
        transaction.commit(Durability.SOON)


def _key(project: str, content_hash: str) -> str:
    return f"{PREFIX}{project} {content_hash}"
