"""Gate, report and files (being written)."""

from __future__ import annotations

from gsvr_tui.core.models import Verdict
from gsvr_tui.core.scheduling import Finished, StepFailed
from gsvr_tui.service.context import Context


class FinishStep:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, job_id: str) -> Finished | StepFailed:
        return Finished(job_id, Verdict.OK)
