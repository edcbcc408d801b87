"""What happened in a run, read out of the emulator's log, and the middle of several runs."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.balance.bound import service_share
from bench.balance.scenes import Scene


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. Seconds are the emulator's, except for the CPU."""

    scene: str
    contestant: str
    jobs: int
    bound_s: float
    service_s: float  # the shortest, which is in the bound
    seconds: float  # until the last job was done
    done: int  # jobs, as the contestant says
    rejected: int  # requests answered 429
    rejected_most: int  # of them on one project and dimension
    failed: int  # requests that ended otherwise than answered or 429
    exceptions: int  # raised in the caller, or jobs that failed
    attempted_again: int  # jobs with more than one request
    answered_again: int  # paid for more than once
    uploads_again: int  # transfers of a video beyond the first
    cpu_s: float
    spent_usd: float | None = None
    cap_usd: float | None = None
    factor: float = 1.0
    notes: tuple[str, ...] = field(default=())

    @property
    def finished(self) -> bool:
        """All jobs were done."""
        return self.done >= self.jobs

    @property
    def share(self) -> float | None:
        """Of the bound; None when jobs stayed undone."""
        return service_share(self.bound_s, self.seconds) if self.finished else None

    @property
    def rejected_per_100(self) -> float:
        """429s per 100 jobs."""
        return 100.0 * self.rejected / self.jobs


def _again(counts: Mapping[str, int]) -> int:
    return sum(1 for count in counts.values() if count > 1)


def read_run(scene: Scene, contestant: str, log: Iterable[Mapping[str, Any]], result: Mapping[str, Any]) -> Figures:
    """The figures of a run. `log` is the emulator's, `result` the contestant's own word."""
    entries = list(log)
    asked = [entry for entry in entries if entry["kind"] == "generate"]
    answered = [entry for entry in asked if entry["outcome"] == "answered" and entry["status"] == 200]
    rejected = [entry for entry in asked if entry["status"] == 429]
    by_video = Counter(entry["file_sha256"] for entry in asked if entry["file_sha256"])
    paid = Counter(entry["file_sha256"] for entry in answered)
    whole = [entry["prompt_tokens"] for entry in answered]
    usual = round(statistics.fmean(whole)) if whole else 0
    tokens = (whole + [usual] * scene.jobs)[: scene.jobs]
    uploads = [e for e in entries if e["kind"] == "upload_bytes" and e["outcome"] == "answered"]
    if uploads:
        again = len(uploads) - len({entry["display_name"] for entry in uploads})
    else:
        again = sum(by_video.values()) - len(by_video)  # inside the request
    places = Counter((entry["project"], entry["model"], entry["detail"]) for entry in rejected)
    return Figures(
        scene=scene.name,
        contestant=contestant,
        jobs=scene.jobs,
        bound_s=scene.bound(tokens),
        service_s=scene.shortest_service_s,
        seconds=result["ended"] - result["started"],
        done=result["done"],
        rejected=len(rejected),
        rejected_most=max(places.values(), default=0),
        failed=sum(1 for e in asked if e["status"] not in (200, 429)),
        exceptions=result["exceptions"],
        attempted_again=_again(by_video),
        answered_again=sum(count - 1 for count in paid.values()),
        uploads_again=again,
        cpu_s=result["cpu_s"],
        spent_usd=result.get("spent_usd"),
        cap_usd=scene.cap_usd if "spent_usd" in result else None,
        factor=scene.factor,
        notes=tuple(result.get("notes", ())),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """The middle of the runs of one contestant in one scene; `low` and `high` are of the share."""

    scene: str
    contestant: str
    runs: int
    jobs: int
    done: float
    bound_s: float
    seconds: float
    share: float | None
    low: float | None
    high: float | None
    rejected_per_100: float
    rejected_most: int
    exceptions: float
    attempted_again: float
    uploads_again: float
    cpu_s: float
    spent_usd: float | None
    cap_usd: float | None


def middle(runs: Sequence[Figures]) -> Row:
    """Medians over the runs. The share is None where a run left jobs undone, money the largest of all."""
    shares = [run.share for run in runs]
    known = sorted(share for share in shares if share is not None)
    complete = len(known) == len(runs)
    spent = [run.spent_usd for run in runs if run.spent_usd is not None]

    def median(name: str) -> float:
        return float(statistics.median(getattr(run, name) for run in runs))

    first = runs[0]
    return Row(
        scene=first.scene,
        contestant=first.contestant,
        runs=len(runs),
        jobs=first.jobs,
        done=median("done"),
        bound_s=median("bound_s"),
        seconds=median("seconds"),
        share=statistics.median(known) if complete else None,
        low=known[0] if complete else None,
        high=known[-1] if complete else None,
        rejected_per_100=median("rejected_per_100"),
        rejected_most=max(run.rejected_most for run in runs),
        exceptions=median("exceptions"),
        attempted_again=median("attempted_again"),
        uploads_again=median("uploads_again"),
        cpu_s=median("cpu_s"),
        spent_usd=max(spent) if spent else None,
        cap_usd=first.cap_usd,
    )


def speed_up(one: Row, many: Row) -> float | None:
    """How many times as many jobs a minute as with one project."""
    if one.share is None or many.share is None:
        return None
    return (many.jobs / many.seconds) / (one.jobs / one.seconds)
