"""The nouns of the house as documents and back. Defaults are left out, so that a queued job is a small document.

Text that UTF-8 cannot hold (names that are not UTF-8 come as lone surrogates) is kept in a field of its own,
`<field>_b64`; lists and mappings with such text in `<field>_json_b64`. Decoding gives back exactly what was encoded.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from dataclasses import MISSING, dataclass
from sys import intern
from typing import Any

from gsvr_tui.core.ids import id_text
from gsvr_tui.core.models import (
    Batch,
    Job,
    JobState,
    Priority,
    ProbeFacts,
    Reason,
    RemoteFile,
    RequestState,
    Segment,
    Step,
    Usage,
    Verdict,
)
from gsvr_tui.store.errors import DocumentRefused
from gsvr_tui.store.journal import Document, dump, load

SEGMENT_BITS = 12
MAX_SEGMENTS = 1 << SEGMENT_BITS


@dataclass(frozen=True, slots=True)
class UsageDay:
    """What one account of a project used of one model on one Pacific day (`YYYY-MM-DD`).

    `latency` is the distribution of seconds from send to answer, in a form of the service's own.
    """

    project: str
    model: str
    day: str
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    rejected: int = 0  # answered 429
    account: str = ""
    answered: int = 0
    failed: int = 0
    latency: str = ""


# ---------------------------------------------------------------- ids

_ID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{12}\Z")
_TO_BASE_32 = str.maketrans("0123456789abcdefghjkmnpqrstvwxyz", "0123456789abcdefghijklmnopqrstuv")


def number_of(text: str) -> int:
    """The document id of a batch or job. Raises ValueError for what is not an id in its one spelling."""
    if not _ID.match(text):
        raise ValueError(f"not an id: {text!r}")
    return int(text.translate(_TO_BASE_32), 32)  # what core.ids.id_number says, four times as fast


def segment_number(job_id: str, index: int) -> int:
    """The document id of a segment: the job's, then its index in twelve bits."""
    if not 0 <= index < MAX_SEGMENTS:
        raise ValueError(f"a job has at most {MAX_SEGMENTS} segments, not one numbered {index}")
    return number_of(job_id) << SEGMENT_BITS | index


# ---------------------------------------------------------------- text that is not UTF-8


def to_text(document: Document) -> bytes:
    """The stored form of a document. Raises DocumentRefused when there is none (NaN, foreign objects)."""
    try:
        return dump(document)
    except DocumentRefused as refused:
        if not isinstance(refused.__cause__, UnicodeEncodeError):
            raise
    return dump({key: value for item in document.items() for key, value in [_escape(*item)]})


def from_text(text: bytes) -> Document:
    """The document behind its stored form."""
    document = load(text)
    if b'_b64":"' in text:
        for key in [key for key in document if key.endswith("_b64")]:
            raw = base64.b64decode(document.pop(key)).decode("utf-8", "surrogatepass")
            if key.endswith("_json_b64"):
                document[key.removesuffix("_json_b64")] = json.loads(raw)
            else:
                document[key.removesuffix("_b64")] = raw
    return document


def _escape(key: str, value: Any) -> tuple[str, Any]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    raw = text.encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        suffix = "_b64" if isinstance(value, str) else "_json_b64"
        return key + suffix, base64.b64encode(raw).decode()
    return key, value


# ---------------------------------------------------------------- defaults


def _defaults(of: type, *left_out: str) -> tuple[tuple[str, Any], ...]:
    """Name and default of the fields that are written only when they differ from it."""
    return tuple(
        (field.name, field.default)
        for field in dataclasses.fields(of)
        if field.default is not MISSING and field.name not in left_out
    )


_JOB = _defaults(Job, "reason", "probe", "outputs")
_SEGMENT = _defaults(Segment, "usage")
_FACTS = _defaults(ProbeFacts)
_USAGE = _defaults(Usage)
_BATCH = _defaults(Batch, "formats", "fallback_models", "roots")
_FILE = _defaults(RemoteFile)
_DAY = _defaults(UsageDay)

_STATES = {str(state): state for state in JobState}
_STEPS = {str(step): step for step in Step}
_VERDICTS = {str(verdict): verdict for verdict in Verdict}
_REQUEST_STATES = {str(state): state for state in RequestState}
_PRIORITIES = {int(priority): priority for priority in Priority}


def _differing(value: object, defaults: tuple[tuple[str, Any], ...], document: Document) -> Document:
    for name, default in defaults:
        found = getattr(value, name)
        if found != default:
            document[name] = found
    return document


def _intern(document: Document, *names: str) -> None:
    for name in names:
        if name in document:
            document[name] = intern(document[name])


# ---------------------------------------------------------------- jobs


def encode_job(job: Job) -> bytes:
    """Without its id, which is the document's."""
    document = _differing(job, _JOB, {"batch_id": job.batch_id, "path": job.path, "created_at": job.created_at})
    if job.reason is not None:
        document["reason"] = [job.reason.code, job.reason.message, job.reason.advice]
    if job.probe is not None:
        document["probe"] = _encode_facts(job.probe)
    if job.outputs:
        document["outputs"] = list(job.outputs)
    return to_text(document)


def decode_job(doc_id: int, text: bytes) -> Job:
    """The job as it was put."""
    document = from_text(text)
    _intern(document, "batch_id", "project", "account", "model")
    if "state" in document:
        document["state"] = _STATES[document["state"]]
    if "step" in document:
        document["step"] = _STEPS[document["step"]]
    if "priority" in document:
        document["priority"] = _PRIORITIES[document["priority"]]
    if "verdict" in document:
        document["verdict"] = _VERDICTS[document["verdict"]]
    if "reason" in document:
        document["reason"] = Reason(*document["reason"])
    if "probe" in document:
        document["probe"] = _decode_facts(document["probe"])
    if "outputs" in document:
        document["outputs"] = tuple(document["outputs"])
    return Job(id=id_text(doc_id), **document)


def _encode_facts(facts: ProbeFacts) -> Document:
    return _differing(
        facts,
        _FACTS,
        {
            "duration_s": facts.duration_s,
            "size_bytes": facts.size_bytes,
            "mime_type": facts.mime_type,
            "container": facts.container,
            "video_codec": facts.video_codec,
        },
    )


def _decode_facts(document: Document) -> ProbeFacts:
    _intern(document, "mime_type", "container", "video_codec", "audio_codec")
    return ProbeFacts(**document)


# ---------------------------------------------------------------- segments


def encode_segment(segment: Segment) -> bytes:
    """With its job's id and index, for people who read the file."""
    document = _differing(
        segment,
        _SEGMENT,
        {
            "job_id": segment.job_id,
            "index": segment.index,
            "start_s": segment.start_s,
            "end_s": segment.end_s,
        },
    )
    if segment.usage is not None:
        document["usage"] = _differing(segment.usage, _USAGE, {})
    return to_text(document)


def decode_segment(text: bytes) -> Segment:
    """The segment as it was put."""
    document = from_text(text)
    _intern(document, "project", "account", "model")
    if "request_state" in document:
        document["request_state"] = _REQUEST_STATES[document["request_state"]]
    if "usage" in document:
        document["usage"] = Usage(**document["usage"])
    return Segment(**document)


# ---------------------------------------------------------------- the small tables


def encode_batch(batch: Batch) -> bytes:
    """Without its id, which is the document's."""
    document = _differing(
        batch,
        _BATCH,
        {
            "name": batch.name,
            "created_at": batch.created_at,
            "template": batch.template,
            "template_version": batch.template_version,
            "model": batch.model,
            "output_dir": batch.output_dir,
            "formats": list(batch.formats),
            "parameters": dict(batch.parameters),
            "fallback_models": list(batch.fallback_models),
            "roots": list(batch.roots),
        },
    )
    return to_text(document)


def decode_batch(doc_id: int, text: bytes) -> Batch:
    """The batch as it was put."""
    document = from_text(text)
    for name in ("formats", "fallback_models", "roots"):
        document[name] = tuple(document[name])
    return Batch(id=id_text(doc_id), **document)


def encode_remote_file(file: RemoteFile) -> bytes:
    """All fields; the defaults left out."""
    document: Document = {
        name: getattr(file, name)
        for name in ("name", "uri", "mime_type", "project", "content_hash", "size_bytes", "expires_at")
    }
    return to_text(_differing(file, _FILE, document))


def decode_remote_file(text: bytes) -> RemoteFile:
    """The file as it was put."""
    return RemoteFile(**from_text(text))


def encode_usage(usage: UsageDay) -> bytes:
    """All fields; the defaults left out."""
    return to_text(_differing(usage, _DAY, {"project": usage.project, "model": usage.model, "day": usage.day}))


def decode_usage(text: bytes) -> UsageDay:
    """The day as it was put."""
    return UsageDay(**from_text(text))
