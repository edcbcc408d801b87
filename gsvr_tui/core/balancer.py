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
    """A project for a job: seconds from now until its answer is expected there; `score` also says why."""

    project: str
    model: str
    seconds: float
    why: str = ""


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

    def _starts_in(self, project: str, model: str, tokens: int, waiting: int, transfer_s: float, now: Now) -> float:
        """Seconds until a job could be sent on a project, behind the `waiting` ones; `inf`: never as things are."""
        slot = self._ledger.earliest(project, model, tokens, now)
        start = max(slot.at - now.mono, transfer_s)
        if waiting:
            rpm = self._ledger.limits(project, model, now).rpm
            start += waiting * (60.0 / rpm if rpm else self.service_s(model) / 8)
        return start

    def score(self, project: str, model: str, tokens: int, waiting: int, upload_bytes: int, now: Now) -> Choice:
        """How soon a job would be answered on a project with `waiting` jobs bound to it before this one."""
        start = self._starts_in(project, model, tokens, waiting, self.upload_s(upload_bytes), now)
        why = self._ledger.earliest(project, model, tokens, now).why or ("upload" if upload_bytes else "free")
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
        transfer_s = self.upload_s(upload_bytes)
        soonest, level = math.inf, []
        for project, ahead in waiting.items():
            start = self._starts_in(project, model, tokens, ahead, 0.0 if project in holds_file else transfer_s, now)
            start = round(start, 3)
            if start < soonest:
                soonest, level = start, [project]
            elif start == soonest:
                level.append(project)
        if math.isinf(soonest):
            return None
        if len(level) > 1:
            level.sort(key=lambda project: (-self._ledger.day_left(project, model, now), project))
        return Choice(level[0], model, soonest + self.service_s(model))
