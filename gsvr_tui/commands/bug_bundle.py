"""What goes into a bug report: facts from an allow-list, with the names of people's things taken out of every text."""

from __future__ import annotations

import contextlib
import getpass
import json
import re
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsvr_tui.config.schema import Config
    from gsvr_tui.secrets.redact import Redactor
    from gsvr_tui.store.repository import Store

MOST_LINES = 2_000
MOST_CRASHES = 3
MOST_NAMES = 50_000
LONGEST = 4_000
CAPS = ("max_cost_usd", "per_day_usd", "per_month_usd")
LOG_FIELDS = ("at", "level", "source", "message", "error", "run", "thread")

_OURS = re.compile(r"(?:/|[A-Za-z]:\\)[^\s\"'<>|]*?((?:gsvr_tui|site-packages|lib[/\\]python3)[/\\][^\s\"'<>|]*)")
_NOT_IN_URLS = r"(?<![\w.<])(?<!https:)(?<!http:)(?<!https:/)(?<!http:/)"
_PATH = re.compile(_NOT_IN_URLS + r"(?:~?/[^\s\"'<>|:,;()]+|[A-Za-z]:\\[^\s\"'<>|,;()]+)")
_URL = re.compile(r"(https?://)([^\s\"'<>/?#]+)([^\s\"'<>]*)")
_GOOGLE = (".googleapis.com", ".google.com", ".google.dev")


class Scrubber:
    """Takes names out of texts: of videos, folders, accounts, this machine and its user; then secrets."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.too_many = False

    def learn(self, kind: str, names: Iterable[str]) -> None:
        """Names that become `<kind 1>`, `<kind 2>`, …"""
        number = 0
        for name in names:
            if len(name) < 3 or name in self._names:
                continue
            if len(self._names) >= MOST_NAMES:
                self.too_many = True
                return
            number += 1
            self._names[name] = f"<{kind} {number}>"
        self._pattern = None

    def clean(self, text: str) -> str:
        """`text` with nothing of the user's in it."""
        if self._pattern is None and self._names:
            longest_first = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._names[match.group()], text)
        text = _URL.sub(_host_only, text)
        text = _OURS.sub(lambda match: match.group(1), text)
        text = _PATH.sub("<path>", text)
        text = self._redactor.redact(text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _host_only(match: re.Match[str]) -> str:
    host = match.group(2).rsplit("@")[-1].lower()
    bare = host.rsplit(":", 1)[0]
    known = f".{bare}".endswith(_GOOGLE) or bare in ("127.0.0.1", "localhost", "[::1]")
    return f"{match.group(1)}{bare}" if known else f"{match.group(1)}<host>"


def learn_surroundings(scrubber: Scrubber, config: Config | None) -> None:
    """Names of this machine, its user, the folders and the accounts."""
    scrubber.learn("folder", [str(Path.home())])
    with contextlib.suppress(OSError, KeyError, ImportError):  # an account that has no name
        scrubber.learn("user", [getpass.getuser()])
    scrubber.learn("host", [socket.gethostname()])
    if config is not None:
        scrubber.learn("account", [account.name for account in config.accounts])
        scrubber.learn("project", [account.project for account in config.accounts if account.project])


def learn_store(scrubber: Scrubber, store: Store) -> None:
    """Names of batches, folders and videos."""
    batches = store.batches()
    scrubber.learn("folder", [name for batch in batches for name in (batch.output_dir, *batch.roots)])
    scrubber.learn("batch", [batch.name for batch in batches])
    names: dict[str, None] = {}
    for job in store.jobs():
        file = Path(job.path)
        names |= dict.fromkeys((job.path, job.name, file.name, file.stem, *job.outputs))
        names |= dict.fromkeys(Path(output).stem for output in job.outputs)
        if len(names) > MOST_NAMES:
            break
    scrubber.learn("video", names)


def shape_of_config(config: Config | None) -> dict[str, Any]:
    """Which settings there are; of accounts, how many and of what kind. No value that anybody typed in freely."""
    if config is None:
        return {"readable": False}
    return {
        "readable": True,
        "accounts": [
            {
                "key": account.key.kind,
                "tier": account.tier,
                "enabled": account.enabled,
                "own_address": bool(account.base_url),
                "limits_given": sorted(account.limits),
            }
            for account in config.to_accounts()
        ],
        "model": config.model,
        "fallback_models": list(config.fallback_models or ()),
        "workers": config.workers,
        "formats": list(config.output.formats),
        "output_given": bool(config.output.directory),
        "caps_given": [
            name
            for name in ("max_cost_usd", "per_day_usd", "per_month_usd")
            if getattr(config.budget, name) is not None
        ],
        "log_level": config.log.level,
    }


def queue_facts(store: Store) -> dict[str, Any]:
    """The queue in numbers."""
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    containers: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for job in store.jobs():
        states[f"{job.state}/{job.step}"] += 1
        attempts[str(job.attempts)] += 1
        if job.reason is not None:
            reasons[job.reason.code] += 1
        if job.probe is not None:
            containers[f"{job.probe.container} {job.probe.video_codec} {job.probe.audio_codec or 'silent'}"] += 1
        for segment in store.segments(job.id):
            requests[str(segment.request_state or "none")] += 1
    recovery = store.recovery
    return {
        "batches": len(store.batches()),
        "jobs_by_state_and_step": dict(states),
        "jobs_by_reason": dict(reasons),
        "jobs_by_attempts": dict(attempts),
        "jobs_by_container": dict(containers),
        "requests_by_state": dict(requests),
        "uploads_known": len(store.remote_files()),
        "torn_bytes": recovery.torn_bytes,
        "records_replayed": recovery.replayed,
        "generation": recovery.generation,
    }


def log_lines(files: Iterable[Path], scrubber: Scrubber) -> list[dict[str, Any]]:
    """The newest lines of the log, field by field from the allow-list. `files`: oldest first."""
    lines: list[str] = []
    for file in files:
        try:
            lines += file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
    found = []
    for line in lines[-MOST_LINES:]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, Mapping):
            found.append(_record(record, scrubber))
    return found


def _record(record: Mapping[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    kept: dict[str, Any] = {name: record[name] for name in LOG_FIELDS if isinstance(record.get(name), str)}
    for name in ("message", "error"):
        if name in kept:
            # with more names than can be looked for, only the shape of what happened is told
            kept[name] = "(left out: too many names)" if scrubber.too_many else scrubber.clean(kept[name])
    return {name: value if name in ("message", "error") else scrubber.clean(value) for name, value in kept.items()}


def crash_texts(folder: Path, scrubber: Scrubber) -> dict[str, str]:
    """The newest crash reports."""
    found = sorted(folder.glob("crash-*.txt"), key=lambda path: path.name)[-MOST_CRASHES:]
    texts = {}
    for number, path in enumerate(found, 1):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        texts[f"crash-{number}.txt"] = "\n".join(scrubber.clean(line) for line in text.splitlines()) + "\n"
    return texts
