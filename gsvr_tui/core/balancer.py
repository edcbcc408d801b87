"""LoadBalancer: which project a job goes to, by the earliest time it would be answered there.

One number in seconds makes the choice explainable: first moment the quota has room behind what is bound there already,
plus the upload if the file is not there, plus the usual service time. Ties go to the project with most of its day left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gsvr_tui.core.ledger import Ledger
from gsvr_tui.core.models import Now

USUAL_SERVICE_S = 30.0
USUAL_BYTES_PER_S = 2_000_000.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A project for a job: seconds from now until its answer is expected there, and why."""

    project: str
    model: str
    seconds: float
    why: str


class LoadBalancer:
    """Learns service time and upload rate (exponentially weighted) and scores projects."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._service_s: dict[str, float] = {}
        self._bytes_per_s = USUAL_BYTES_PER_S

    def learn_service(self, model: str, seconds: float) -> None:
        """A request took `seconds` from send to answer."""
        before = self._service_s.get(model)
        self._service_s[model] = seconds if before is None else before + 0.2 * (seconds - before)

    def learn_upload(self, size_bytes: int, seconds: float) -> None:
        """An upload of `size_bytes` took `seconds`."""
        if seconds > 0 and size_bytes > 0:
            self._bytes_per_s += 0.2 * (size_bytes / seconds - self._bytes_per_s)

    def service_s(self, model: str) -> float:
        """Usual seconds from send to answer."""
        return self._service_s.get(model, USUAL_SERVICE_S)

    def upload_s(self, size_bytes: int) -> float:
        """Usual seconds to upload so many bytes."""
        return size_bytes / max(1.0, self._bytes_per_s)

    def score(self, project: str, model: str, tokens: int, waiting: int, upload_bytes: int, now: Now) -> Choice:
        """How soon a job would be answered on a project with `waiting` jobs bound to it before this one."""
        slot = self._ledger.earliest(project, model, tokens, now)
        if math.isinf(slot.at):
            return Choice(project, model, math.inf, slot.why)
        start = max(slot.at - now.mono, self.upload_s(upload_bytes))
        if waiting:
            rpm = self._ledger.limits(project, model, now).rpm
            start += waiting * (60.0 / rpm if rpm else self.service_s(model) / 8)
        why = slot.why or ("upload" if upload_bytes else "free")
        return Choice(project, model, start + self.service_s(model), why)

    def choose(
        self,
        waiting: Mapping[str, int],
        model: str,
        tokens: int,
        upload_bytes: int,
        now: Now,
        holds_file: frozenset[str] = frozenset(),
    ) -> Choice | None:
        """The best of the projects, or None when none of them can ever take the job.

        `waiting` maps each project to the jobs bound to it already.
        """
        scored = [
            self.score(project, model, tokens, ahead, 0 if project in holds_file else upload_bytes, now)
            for project, ahead in waiting.items()
        ]
        soonest = round(min((choice.seconds for choice in scored), default=math.inf), 3)
        if math.isinf(soonest):
            return None
        level = [choice for choice in scored if round(choice.seconds, 3) == soonest]
        if len(level) == 1:
            return level[0]
        return min(level, key=lambda c: (-self._ledger.day_left(c.project, c.model, now), c.project))
