"""Reads what the Files API says about a file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import RemoteFile
from gsvr_tui.core.text import clean_text

KEPT_S = 48 * 3600.0


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> float | None:
    """Unix seconds of an RFC 3339 time; digits beyond microseconds are dropped."""
    text = _string(value).replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[: min(digits, 6)]:0<6}{tail[digits:]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def sha256_of(value: object) -> str:
    """The hex digest behind `sha256Hash`: base64 of the digest, or of its hex text; "" when it is neither."""
    try:
        data = base64.b64decode(_string(value), validate=True)
    except (binascii.Error, ValueError):
        return ""
    if len(data) == 32:
        return data.hex()
    if len(data) == 64:
        text = data.decode("ascii", "replace").lower()
        return text if all(char in "0123456789abcdef" for char in text) else ""
    return ""


def remote_file(raw: Mapping[str, Any], *, project: str, now: float, content_hash: str = "") -> RemoteFile | None:
    """The file a body describes; None when it does not describe one. `now` stands in for a missing creation time."""
    name, uri = _string(raw.get("name")), _string(raw.get("uri"))
    if not name.startswith("files/") or not uri:
        return None
    created = _moment(raw.get("createTime"))
    expires = _moment(raw.get("expirationTime"))
    size = str(raw.get("sizeBytes", ""))
    return RemoteFile(
        name=name,
        uri=uri,
        mime_type=_string(raw.get("mimeType")),
        project=project,
        content_hash=content_hash or sha256_of(raw.get("sha256Hash")),
        size_bytes=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0,
        expires_at=expires if expires is not None else (now if created is None else created) + KEPT_S,
        active=raw.get("state") == "ACTIVE",
    )


def file_failure(raw: Mapping[str, Any]) -> Failure | None:
    """What to do about a file that will never be ACTIVE; None for all others. The video is at fault, not the key."""
    if raw.get("state") != "FAILED":
        return None
    error = raw.get("error")
    said = clean_text(_string(error.get("message")))[:200] if isinstance(error, Mapping) else ""
    return Failure(
        FailureKind.ITEM,
        Scope.ITEM,
        "FILE_FAILED",
        "the service could not process the video" + (f": {said}" if said else ""),
        "Check that the video plays; converting it to mp4 (H.264) often helps",
    )
