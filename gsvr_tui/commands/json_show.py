"""A run as JSON Lines on stdout: events as they happen, the summary as the last line. Words for people go to stderr.

Every line is an object with `event`: added, job, status, log, summary. Fields are only added from version to version.
"""

from __future__ import annotations

import sys
from typing import Any

from gsvr_tui.commands.run_facts import Finished, Summary
from gsvr_tui.commands.say import json_line, mute
from gsvr_tui.core.messages import JobRow, Status


class JsonShow:
    """See the module."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[object, ...]] = {}
        self._status: tuple[object, ...] = ()

    def begin(self, total: int) -> None:
        """See Show."""
        json_line({"event": "added", "jobs": total})

    def changed(self, row: JobRow) -> None:
        """See Show. Only changes of state or step are told, not each per cent."""
        facts = (row.state, row.step, row.note)
        if row.state.final or self._jobs.get(row.id) == facts:
            return
        self._jobs[row.id] = facts
        json_line(_job(row))

    def finished(self, job: Finished) -> None:
        """See Show."""
        json_line({**_job(job.row), "outputs": list(job.outputs), "number": job.number, "total": job.total})

    def status(self, status: Status, done: int, total: int) -> None:
        """See Show."""
        facts = (status.state, status.reason, status.until, done)
        if facts == self._status:
            return
        self._status = facts
        json_line(
            {
                "event": "status",
                "state": str(status.state),
                "code": status.code,
                "reason": status.reason,
                "advice": status.advice,
                "until": status.until,
                "done": done,
                "total": total,
                "in_flight": status.in_flight,
                "ends_at": status.ends_at,
                "spent_usd": status.spent_usd,
            }
        )

    def note(self, text: str, level: str = "info") -> None:
        """See Show."""
        json_line({"event": "log", "level": level, "message": text})

    def end(self, summary: Summary) -> None:
        """See Show."""
        json_line(
            {
                "event": "summary",
                "exit_code": int(summary.code),
                "counts": {str(state): count for state, count in summary.counts.items() if count},
                "left": summary.left,
                "left_out": summary.left_out,
                "seconds": round(summary.seconds, 3),
                "spent_usd": summary.spent_usd,
                "tokens_in": summary.tokens_in,
                "tokens_out": summary.tokens_out,
                "batches": list(summary.batches),
                "outputs": list(summary.outputs),
                "failures": [{"name": name, "reason": why, "advice": what} for name, why, what in summary.failures],
                "reason": summary.reason,
                "advice": summary.advice,
            }
        )

    def hang_up(self) -> None:
        """See Show."""
        mute(sys.stdout)
        mute(sys.stderr)


def _job(row: JobRow) -> dict[str, Any]:
    return {
        "event": "job",
        "id": row.id,
        "batch": row.batch_id,
        "name": row.name,
        "state": str(row.state),
        "step": str(row.step),
        "note": row.note,
        "advice": row.advice,
        "until": row.until,
        "verdict": str(row.verdict) if row.verdict is not None else None,
        "account": row.account,
        "project": row.project,
        "model": row.model,
        "cost_usd": row.cost_usd,
        "attempts": row.attempts,
    }
