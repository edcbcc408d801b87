"""Uploaded files of all projects: states, expiry, ownership. Bytes stay on disk only until they have been probed."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gsvr_tui.emulator.clock import Clock, timestamp
from gsvr_tui.emulator.errors import ApiError, file_denied, file_not_active, invalid
from gsvr_tui.emulator.probe import Probe, VideoFacts
from gsvr_tui.emulator.scenario import FileRules

_log = logging.getLogger(__name__)
_NAME = re.compile(r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class StoredFile:
    """A file as the service knows it."""

    name: str
    project: str
    display_name: str
    mime_type: str
    size: int
    sha256: str  # hex
    created: float
    expires: float
    facts: VideoFacts | None = None
    probed: bool = False
    ready_at: float = 0.0
    fails: bool = False
    stuck: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def is_video(self) -> bool:
        """True when the uploader said so."""
        return self.mime_type.startswith("video/")

    def state(self, now: float) -> str:
        """PROCESSING, ACTIVE or FAILED."""
        if self.stuck or (self.is_video and (not self.probed or now < self.ready_at)):
            return "PROCESSING"
        if self.fails or (self.is_video and self.facts is None):
            return "FAILED"
        return "ACTIVE"

    def resource(self, now: float, base_url: str, rules: FileRules) -> dict[str, Any]:
        """As `files.get` shows it."""
        state = self.state(now)
        digest = self.sha256.encode() if rules.sha256_of_hex else bytes.fromhex(self.sha256)
        shown: dict[str, Any] = {
            "name": self.name,
            "displayName": self.display_name,
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": timestamp(self.created),
            "updateTime": timestamp(self.created if state == "PROCESSING" else max(self.created, self.ready_at)),
            "expirationTime": timestamp(self.expires),
            "sha256Hash": base64.b64encode(digest).decode(),
            "uri": f"{base_url}/v1beta/{self.name}",
            "state": state,
            "source": "UPLOADED",
        }
        if not self.display_name:
            del shown["displayName"]
        if state == "ACTIVE" and self.facts is not None:
            shown["videoMetadata"] = {"videoDuration": f"{self.facts.duration_s:.9f}".rstrip("0").rstrip(".") + "s"}
        if state == "FAILED":
            shown["error"] = {"code": 13, "message": "The file could not be processed."}
        return shown


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


class FileStore:
    """All files by name."""

    def __init__(self, rules: FileRules, clock: Clock, probe: Probe, random: Random) -> None:
        self.rules = rules
        self._clock = clock
        self._probe = probe
        self._random = random
        self._files: dict[str, StoredFile] = {}
        self._reserved: set[str] = set()

    def reserve_name(self, wanted: str) -> str:
        """A free name, the wanted one if given. Raises ApiError for a bad or a taken one."""
        if wanted:
            if not _NAME.fullmatch(wanted):
                raise invalid(
                    "File name must be 'files/' and at most 40 lowercase letters, digits and inner dashes.", "file_name"
                )
            if wanted in self._reserved or wanted in self._files:
                text = f"Requested entity already exists: {wanted}"
                raise ApiError(409, "ALREADY_EXISTS", text, detail="file_exists")
            name = wanted
        else:
            name = "files/" + "".join(self._random.choice(_ID_ALPHABET) for _ in range(12))
        self._reserved.add(name)
        return name

    def release_name(self, name: str) -> None:
        """The upload that reserved it came to nothing."""
        self._reserved.discard(name)

    def check_room(self, project: str, size: int) -> None:
        """Raise ApiError when a file is too large, or the project's storage full."""
        if size > self.rules.max_file_bytes:
            raise invalid(f"The file size {size} exceeds the limit of {self.rules.max_file_bytes} bytes.", "file_size")
        stored = sum(file.size for file in self._of(project))
        if stored + size > self.rules.max_project_bytes:
            text = (
                "You exceeded your current quota, please check your plan and billing details. \n* Quota exceeded for "
                "metric: generativelanguage.googleapis.com/file_storage_bytes, limit: "
                f"{self.rules.max_project_bytes}"
            )
            violation = {
                "quotaMetric": "generativelanguage.googleapis.com/file_storage_bytes",
                "quotaId": "FileStorageBytesPerProject",
                "quotaValue": str(self.rules.max_project_bytes),
            }
            details = ({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},)
            raise ApiError(429, "RESOURCE_EXHAUSTED", text, details, outcome="rejected", detail="storage")

    async def add(self, file: StoredFile, path: Path) -> None:
        """Take over the bytes at `path`: they are probed in the background and then removed.

        With no processing time to imitate the file is ready on return.
        """
        self._reserved.discard(file.name)
        self._files[file.name] = file
        if not file.is_video:
            _remove(path)
            file.probed = True
            return
        task = asyncio.create_task(self._look(file, path))
        file.tasks.add(task)
        task.add_done_callback(file.tasks.discard)
        if self.rules.processing_s <= 0 and self.rules.processing_s_per_minute <= 0:
            await asyncio.shield(task)

    async def _look(self, file: StoredFile, path: Path) -> None:
        try:
            file.facts = await asyncio.to_thread(self._probe, path)
        except Exception:  # the probe's boundary: a file that breaks it is FAILED, like one that is no video
            _log.exception("the probe failed over %s", file.name)
        minutes = (file.facts.duration_s if file.facts else 0.0) / 60
        file.ready_at = file.created + self.rules.processing_s + self.rules.processing_s_per_minute * minutes
        file.probed = True
        _remove(path)

    def get(self, name: str, project: str) -> StoredFile:
        """The file if that project may see it. Raises ApiError (403) in every other case."""
        file = self._files.get(name)
        if file is None or file.project != project or self._clock.wall() >= file.expires:
            raise file_denied(name)
        return file

    def usable(self, name: str, project: str) -> StoredFile:
        """The same for a request that wants to read it: it must be ACTIVE."""
        file = self.get(name, project)
        if file.state(self._clock.wall()) != "ACTIVE":
            raise file_not_active(name)
        return file

    def delete(self, name: str, project: str) -> None:
        """Remove it. Raises ApiError (403)."""
        del self._files[self.get(name, project).name]

    def _of(self, project: str) -> Iterator[StoredFile]:
        now = self._clock.wall()
        return (file for file in self._files.values() if file.project == project and now < file.expires)

    def listed(self, project: str) -> list[StoredFile]:
        """The project's files, newest first."""
        return sorted(self._of(project), key=lambda file: (-file.created, file.name))

    def describe(self) -> list[dict[str, Any]]:
        """For the state page."""
        now = self._clock.wall()
        return [
            {
                "name": file.name,
                "project": file.project,
                "display_name": file.display_name,
                "sha256": file.sha256,
                "size": file.size,
                "state": "EXPIRED" if now >= file.expires else file.state(now),
                "duration_s": file.facts.duration_s if file.facts else None,
            }
            for file in self._files.values()
        ]
