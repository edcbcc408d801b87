"""Google's resumable upload protocol: start, upload, query, finalize, cancel. Bytes go straight to disk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gsvr_tui.emulator.clock import Clock
from gsvr_tui.emulator.errors import ApiError, invalid
from gsvr_tui.emulator.files import FileStore, StoredFile


@dataclass(slots=True)
class Upload:
    """One upload under way."""

    id: str
    project: str
    name: str
    display_name: str
    mime_type: str
    size: int | None  # declared; None: unknown until the end
    path: Path
    received: int = 0
    status: str = "active"  # active, final, cancelled
    busy: bool = False
    fails: bool = False
    stuck: bool = False
    hasher: Any = field(default_factory=hashlib.sha256)
    file: StoredFile | None = None


def _refused(code: int, status: str, message: str, detail: str) -> ApiError:
    return ApiError(code, status, message, detail=detail)


class Uploads:
    """All uploads by id. The id is the only credential of the second step, as with the service."""

    def __init__(self, store: FileStore, folder: Path, clock: Clock, random: Random) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._random = random
        self._uploads: dict[str, Upload] = {}

    def start(self, project: str, fields: dict[str, Any], size: int | None, mime_type: str, file_name: str) -> Upload:
        """Open an upload. Raises ApiError when the file can't be taken."""
        self._store.check_room(project, size or 0)
        upload_id = f"A{self._random.getrandbits(256):064x}"
        upload = Upload(
            id=upload_id,
            project=project,
            name=self._store.reserve_name(str(fields.get("name") or "")),
            display_name=str(fields.get("displayName") or file_name),
            mime_type=str(fields.get("mimeType") or mime_type or "application/octet-stream"),
            size=size,
            path=self._folder / upload_id,
        )
        self._uploads[upload_id] = upload
        return upload

    def find(self, upload_id: str) -> Upload:
        """The upload of that id. Raises ApiError (404)."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise _refused(404, "NOT_FOUND", "Upload session not found.", "upload_unknown")
        return upload

    async def receive(
        self, upload: Upload, offset: int, chunks: AsyncIterator[bytes], bytes_per_s: float, final: bool
    ) -> None:
        """Append the chunks; what arrived before a break stays and counts. Raises ApiError."""
        if upload.status != "active":
            raise _refused(400, "FAILED_PRECONDITION", f"Upload is {upload.status}.", "upload_not_active")
        if upload.busy:
            raise _refused(412, "FAILED_PRECONDITION", "Another piece is being received.", "upload_busy")
        if offset != upload.received:
            text = f"Upload offset {offset} does not match the {upload.received} bytes received."
            raise _refused(412, "FAILED_PRECONDITION", text, "upload_offset")
        granularity = self._store.rules.chunk_granularity
        upload.busy = True
        before = upload.received
        try:
            with upload.path.open("ab") as sink:
                async for chunk in chunks:
                    if upload.size is not None and upload.received + len(chunk) > upload.size:
                        raise invalid("More bytes than declared.", "upload_size")
                    sink.write(chunk)
                    upload.hasher.update(chunk)
                    upload.received += len(chunk)
                    if bytes_per_s > 0:
                        await self._clock.sleep(len(chunk) / bytes_per_s)
        finally:
            upload.busy = False
        if not final and (upload.received - before) % granularity:
            raise invalid(f"Chunks but the last must be multiples of {granularity} bytes.", "upload_granularity")

    async def finalize(self, upload: Upload) -> StoredFile:
        """The end of an upload: the file exists from now on. Raises ApiError when bytes are missing."""
        if upload.size is not None and upload.received != upload.size:
            text = f"{upload.received} of {upload.size} bytes received."
            raise invalid(text, "upload_incomplete")
        self._store.check_room(upload.project, upload.received)
        upload.path.touch()
        now = self._clock.wall()
        file = StoredFile(
            name=upload.name,
            project=upload.project,
            display_name=upload.display_name,
            mime_type=upload.mime_type,
            size=upload.received,
            sha256=upload.hasher.hexdigest(),
            created=now,
            expires=now + self._store.rules.expiry_s,
            fails=upload.fails,
            stuck=upload.stuck,
        )
        upload.status = "final"
        upload.file = file
        await self._store.add(file, upload.path)
        return file

    def cancel(self, upload: Upload) -> None:
        """Drop it and its bytes."""
        if upload.status == "active":
            upload.status = "cancelled"
            upload.path.unlink(missing_ok=True)
            self._store.release_name(upload.name)
