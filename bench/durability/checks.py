"""The verdicts, from outside: the emulator's log, the answer files and the state as a reader finds them."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.durability.world import Home
from gsvr_tui.core.models import JobState, RequestState
from gsvr_tui.store import Store
from gsvr_tui.store.errors import AnswerDamaged, StoreError

PAID = frozenset({"answered", "abandoned"})
"""Outcomes that a service charges for: it answered, or computed for a client that was gone."""


SEEN_LATE_S = 0.5
"""A busy service may see a request only after its sender was killed: so late at most. No start of the program sends
anything that soon."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader finds on disk after a kill. Videos by the hash of their content."""

    at: float
    jobs: Mapping[str, JobState]  # by path
    answered: frozenset[str]  # whole answer files
    reports: Mapping[str, str]  # of done jobs: path → hash of the content
    open_requests: int
    requests_counted: int  # by the ledger of use
    problem: str = ""


def look(home: Home, at: float) -> Sight:
    """Read the state as it lies there, changing nothing."""
    try:
        store = Store.open(home.path / "state", read_only=True)
    except StoreError as error:
        return Sight(at, {}, frozenset(), {}, 0, 0, str(error))
    try:
        jobs = {job.id: job for job in store.jobs()}
        answered = set()
        for request in store.answers.request_ids():
            try:
                header = store.answers.read(request).header
            except AnswerDamaged as damage:
                return Sight(at, {}, frozenset(), {}, 0, 0, str(damage))
            if header.job_id in jobs:
                answered.add(home.hashes[jobs[header.job_id].path])
        reports = {
            output: _digest(Path(output))
            for job in jobs.values()
            if job.state is JobState.DONE
            for output in job.outputs
        }
        return Sight(
            at,
            {job.path: job.state for job in jobs.values()},
            frozenset(answered),
            reports,
            len([s for s in store.open_requests() if s.request_state is RequestState.OPEN]),
            sum(day.requests for day in store.usage()),
        )
    finally:
        store.close()


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "missing"


@dataclass
class Verdict:
    """What was found wrong, in words; and the sums."""

    lost: list[str] = field(default_factory=list)
    redone: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    uncounted: list[str] = field(default_factory=list)  # requests the ledger of use does not know
    damaged: list[str] = field(default_factory=list)  # states that could not be opened after a kill
    in_flight_again: int = 0  # asked again because nobody could know
    answer_gaps_s: list[float] = field(default_factory=list)  # answered, killed before it was on disk: how long


def judge(home: Home, sights: list[Sight], entries: Iterable[Mapping[str, Any]], last: Sight) -> Verdict:
    """`sights` after each kill, `last` when everything has ended, `entries` of the emulator in this home's time."""
    verdict = Verdict()
    verdict.damaged += [f"after the kill at {sight.at:.3f}: {sight.problem}" for sight in sights if sight.problem]
    _lost(home, sights, last, verdict)
    requests = defaultdict(list)
    uploads = defaultdict(list)
    paid = 0
    for entry in entries:
        if (
            entry["kind"] == "generate" and entry["outcome"] in PAID and entry["file_sha256"]
        ):  # else it never came whole
            requests[entry["file_sha256"]].append(entry)
            paid += 1
        elif entry["kind"] == "upload_bytes" and entry["status"] == 200:
            uploads[entry["file_sha256"]].append(entry)
    for digest, asked in requests.items():
        _paid(digest, sorted(asked, key=lambda entry: entry["time"]), sights, verdict)
    _redone(home, sights, requests, uploads, last, verdict)
    if last.requests_counted < paid:
        verdict.uncounted.append(f"the state counts {last.requests_counted} requests, the service {paid}")
    return verdict


def _lost(home: Home, sights: list[Sight], last: Sight, verdict: Verdict) -> None:
    known: set[str] = set()
    for sight in [*sights, last]:
        if not sight.problem:
            verdict.lost += [f"{path} is not in the queue any more" for path in known - sight.jobs.keys()]
            known |= sight.jobs.keys()
    for path in home.hashes:
        state = last.jobs.get(path)
        if state is not JobState.DONE:
            verdict.lost.append(f"{path} ended as {state}")
    verdict.lost += [f"{path} is missing" for path, digest in last.reports.items() if digest == "missing"]


def _paid(digest: str, asked: list[Mapping[str, Any]], sights: list[Sight], verdict: Verdict) -> None:
    """Two requests for one piece of work need a kill between them that hit before the answer was on disk."""
    for first, second in itertools.pairwise(asked):
        since = first["time"] - (SEEN_LATE_S if first["outcome"] == "abandoned" else 0.0)
        between = [sight for sight in sights if since <= sight.at <= second["time"]]
        blind = [sight for sight in between if digest not in sight.answered]
        if len(blind) != len(between) or not between:
            verdict.paid_twice.append(f"{digest[:8]}: asked at {first['time']:.3f} and at {second['time']:.3f}")
            continue
        verdict.in_flight_again += 1
        if first["outcome"] == "answered":
            verdict.answer_gaps_s.append(max(0.0, blind[0].at - first["ended"]))


def _redone(
    home: Home,
    sights: list[Sight],
    requests: Mapping[str, list[Mapping[str, Any]]],
    uploads: Mapping[str, list[Mapping[str, Any]]],
    last: Sight,
    verdict: Verdict,
) -> None:
    for sight in sights:
        for path, state in sight.jobs.items():
            if state is not JobState.DONE:
                continue
            digest = home.hashes[path]
            if last.jobs.get(path) is not JobState.DONE:
                verdict.redone.append(f"{path} was done and is not any more")
            again = [entry for entry in (*requests[digest], *uploads[digest]) if entry["time"] > sight.at]
            verdict.redone += [f"{path}: {entry['kind']} after it was done" for entry in again]
        changed = [path for path, digest in sight.reports.items() if last.reports.get(path) != digest]
        verdict.redone += [f"{path} was written anew" for path in changed]
