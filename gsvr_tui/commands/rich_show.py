"""A run on a terminal: a bar with what is in flight, money and the finishing time, and a line per finished job."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from gsvr_tui.commands.plain_show import closing_words, finished_words, wait_words
from gsvr_tui.commands.run_facts import Finished, Summary
from gsvr_tui.commands.say import mute
from gsvr_tui.core.messages import JobRow, Status
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.core.text import clean_text, format_duration, format_usd, middle_cut

_STYLES = {JobState.DONE: "green", JobState.PARTIAL: "yellow", JobState.FAILED: "red", JobState.CANCELLED: "dim"}
_LEVELS = {"warning": "yellow", "error": "red"}
_DOING = {
    Step.PROBE: "looking into",
    Step.UPLOAD: "uploading",
    Step.PROCESS: "waiting for",
    Step.GENERATE: "asking about",
}


FEWEST_FOR_A_GUESS = 2


class RichShow:
    """See the module."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[more]}", markup=False),
        )
        self._progress = Progress(*columns, console=self._console, refresh_per_second=8, transient=True)
        self._task: TaskID | None = None
        self._waiting = ""
        self._running: dict[str, JobRow] = {}
        self._began = 0.0

    def begin(self, total: int) -> None:
        """See Show."""
        self._began = time.time()
        self._task = self._progress.add_task("starting", total=total, more="")
        self._progress.start()

    def changed(self, row: JobRow) -> None:
        """See Show."""
        if row.state is JobState.RUNNING:
            self._running[row.id] = row
        else:
            self._running.pop(row.id, None)

    def finished(self, job: Finished) -> None:
        """See Show."""
        self._running.pop(job.row.id, None)
        self._say(finished_words(job), _STYLES.get(job.row.state, ""))
        if self._task is not None:
            self._progress.update(self._task, completed=job.number, total=job.total)

    def status(self, status: Status, done: int, total: int) -> None:
        """See Show."""
        words = wait_words(status)
        if words and words != self._waiting:
            self._say(words, "yellow")
        self._waiting = words
        if self._task is None:
            return
        more = [format_usd(status.spent_usd)]
        ends_at = status.ends_at or self._own_guess(done, total)
        if ends_at is not None:
            left = format_duration(max(0.0, ends_at - time.time()))
            more.append(f"done in {left} ({time.strftime('%H:%M', time.localtime(ends_at))})")
        self._progress.update(
            self._task, completed=done, total=total, description=self._doing(status), more="  ".join(more)
        )

    def _own_guess(self, done: int, total: int) -> float | None:
        """The end as the first jobs of this run suggest it, until the service has seen enough to say."""
        if not FEWEST_FOR_A_GUESS <= done < total or self._waiting:
            return None
        now = time.time()
        return now + (now - self._began) / done * (total - done)

    def _doing(self, status: Status) -> str:
        if self._waiting:
            return "waiting"
        if not self._running:
            return str(status.state)
        row = next(reversed(self._running.values()))
        more = f" +{len(self._running) - 1}" if len(self._running) > 1 else ""
        share = f" {row.progress:.0%}" if row.progress >= 0 else ""
        return f"{_DOING.get(row.step, 'checking')} {middle_cut(clean_text(row.name), 32)}{share}{more}"

    def note(self, text: str, level: str = "info") -> None:
        """See Show."""
        self._say(clean_text(text), _LEVELS.get(level, "dim"))

    def end(self, summary: Summary) -> None:
        """See Show."""
        self._progress.stop()
        self._say(closing_words(summary), "bold")

    def hang_up(self) -> None:
        """See Show."""
        self._console.quiet = True
        mute(sys.stdout)
        mute(sys.stderr)
        self._progress.stop()

    def _say(self, text: str, style: str) -> None:
        try:
            self._console.print(Text(text, style=style), soft_wrap=True)
        except OSError:  # the terminal is gone
            self.hang_up()
