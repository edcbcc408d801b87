"""The first screen: is it running, how far, when is it done, what needs me. And the list of all jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from gsvr_tui.core.messages import AddJobs, JobRow, RunState, WatchJob
from gsvr_tui.core.models import JobState
from gsvr_tui.ui import words
from gsvr_tui.ui.actions import Action, Scope, bindings
from gsvr_tui.ui.filters import parse
from gsvr_tui.ui.queue_view import QueueView, Sort
from gsvr_tui.ui.read_model import Change
from gsvr_tui.ui.safe import styled
from gsvr_tui.ui.screens import job_acts
from gsvr_tui.ui.screens.add_videos import AddVideosScreen
from gsvr_tui.ui.screens.base import ListScreen
from gsvr_tui.ui.screens.detail import DetailScreen
from gsvr_tui.ui.screens.job_text import empty_queue, summary
from gsvr_tui.ui.screens.queue_text import place, progress, trouble
from gsvr_tui.ui.widgets.bars import CHIPS, Line, chips
from gsvr_tui.ui.widgets.job_list import JobList
from gsvr_tui.ui.widgets.line_list import LineList
from gsvr_tui.ui.widgets.panel import Panel

_FEW_MARKS = 200
"""With more marks than this, whether a verb applies is not looked up for the key bar but when it is pressed."""
_FILTER_DELAY_S = 0.12
_WATCH_DELAY_S = 0.15


class QueueScreen(ListScreen):
    """Status, counts, the list, and beside it the job under the cursor."""

    SCOPE = Scope.QUEUE
    HELP = (
        "Every video is one line: its state, what it does now or why it stands.\n"
        "The line above says when all will be done. Verbs act on the marked jobs, else on the one under the cursor."
    )
    CSS_PATH = "../styles/queue.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.QUEUE)

    def __init__(self) -> None:
        super().__init__()
        self.view: QueueView
        self._delays: dict[str, Timer] = {}
        self._text_before = ""
        self._range_from = ""
        self._watched = ""

    def compose(self) -> ComposeResult:
        """From the top: tabs, status, bar, counts, list and side, trouble, place, keys."""
        self.view = QueueView(self.model)
        options = self.gsvr.options
        yield from self.compose_top()
        yield Line(id="progress")
        yield Line(id="chips")
        yield Line(id="head")
        with Horizontal(id="middle"):
            yield JobList(
                self.view,
                clock=options.clock,
                moved=self._refresh_cursor,
                zone=options.timezone,
                marks=self.marks,
                widget_id="jobs",
            )
            yield Panel(id="side")
        yield Static(id="empty")
        with Vertical(id="trouble"):
            yield Line(id="what")
            yield Line(id="advice")
        yield Line(id="place")
        yield Input(
            id="filter",
            placeholder="state:failed  why:quota  batch:spring  acct:lab  words of the name",
            compact=True,
            select_on_focus=False,
        )
        yield from self.compose_keys()

    def on_mount(self) -> None:
        """The list takes the keys; whatever the model knows already is shown."""
        self.jobs.focus()
        self.query_one("#filter").display = False
        self.view.rebuild()
        self.jobs.follow_view()

    @property
    def jobs(self) -> JobList:
        """The list."""
        return self.query_one("#jobs", JobList)

    @property
    def listing(self) -> LineList:
        """What the move keys act on."""
        return self.jobs

    # ------------------------------------------------------------ showing

    def model_changed(self, change: Change) -> None:
        """Rows, counts, status."""
        super().model_changed(change)
        if change.batches and any(key == "batch" for key, _ in self.view.query.keys):
            self._apply_filter()
        if change.jobs or change.everything:
            self.jobs.changed(change)
        if change.everything or change.jobs or change.status:
            self._refresh_frame()
        if change.detail or change.everything:
            self._refresh_side()

    def _resized(self) -> None:
        super()._resized()
        if self.is_mounted:
            self._refresh_frame()
            self._refresh_cursor()

    def _refresh_frame(self) -> None:
        width = self.size.width - 2
        model = self.model
        empty = not model.rows
        self.query_one("#middle").display = not empty
        self.query_one("#head").display = not empty
        hint = self.query_one("#empty", Static)
        hint.display = empty
        if empty:
            hint.update(empty_queue(loaded=model.loaded, accounts=len(model.accounts)))
        self.query_one("#progress", Line).show(progress(model.counts, width, self.marks))
        self.query_one("#chips", Line).show(chips(model.counts, self.view.chip, len(model.rows), width, self.marks))
        self._refresh_head()
        self._refresh_place()

    def _refresh_head(self) -> None:
        self.query_one("#head", Line).show(styled(self.jobs.head(self.jobs.scrollable_content_region.width), "$muted"))

    def _refresh_place(self) -> None:
        text = self.query_one("#filter", Input).value
        self.query_one("#place", Line).show(place(self.view, text, self.size.width - 2))

    def _refresh_cursor(self) -> None:
        status, zone = self.model.status, self.gsvr.options.timezone
        what, advice = trouble(self.view.row, status, self.now(), zone, self.marks, self.size.width - 2)
        self.query_one("#what", Line).show(what)
        self.query_one("#advice", Line).show(advice)
        self._refresh_place()
        self.refresh_keys()
        self._refresh_side()
        self._later("watch", _WATCH_DELAY_S, self._watch)

    def _refresh_side(self) -> None:
        row = self.view.row
        content = Content("")
        if row is not None:
            detail = self.model.detail
            known = detail if detail is not None and detail.row.id == row.id else None
            content = summary(row, known, self.now(), self.gsvr.options.timezone, self.marks)
        self.query_one("#side", Panel).show(content)

    def _watch(self) -> None:
        row = self.view.row
        job = row.id if row is not None and self.query_one("#side").display else ""
        if self.gsvr.screen is self and job != self._watched:
            self._watched = job
            self.gsvr.link.send(WatchJob(self.gsvr.link.new_id(), job), done=lambda _: None)

    def on_screen_resume(self) -> None:
        """Back from detail: watch what is under the cursor again."""
        self._watched = ""
        super().on_screen_resume()

    def _later(self, name: str, delay_s: float, act: Callable[[], None]) -> None:
        before = self._delays.pop(name, None)
        if before is not None:
            before.stop()
        self._delays[name] = self.set_timer(delay_s, act)

    @on(LineList.Resized)
    def _list_resized(self) -> None:
        self._refresh_head()

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        self.do_detail()

    # ------------------------------------------------------------ what can be done

    def why_not(self, name: str) -> str:
        """Verbs need a job they apply to."""
        view = self.view
        if name in _NEEDS_ROW and view.row is None:
            return "There is no job here"
        if name in _VERBS and not view.targets():
            return "There is no job to act on"
        if name == "open" and view.row is not None and view.row.state not in (JobState.DONE, JobState.PARTIAL):
            return f"No report yet: the job is {self.marks.jobs[view.row.state].word}"
        if name == "mark_all" and not len(view):
            return "The list is empty"
        if name in ("retry", "cancel", "hold") and len(view.marks) <= _FEW_MARKS:
            act = getattr(job_acts, name)(view.targets(), str)
            return act if isinstance(act, str) else ""
        if name == "add" and self.model.status.state in (RunState.STOPPING, RunState.STOPPED):
            return "The service is ending"
        return ""

    def label(self, action: Action) -> str:
        """Hold or release."""
        if action.id == "hold" and (row := self.view.row) is not None and row.state is JobState.HELD:
            return "Release"
        return action.title

    # ------------------------------------------------------------ marks

    def do_mark(self) -> None:
        """Mark and step down."""
        row = self.view.row
        if row is not None:
            self.view.mark(row.id)
            self._range_from = row.id
            self.jobs.refresh_index(self.jobs.cursor)
            self.jobs.go_to(self.jobs.cursor + 1)
            self._marks_changed()

    def do_range(self) -> None:
        """From the last mark to here."""
        start = self.view.index_of(self._range_from) if self._range_from else None
        if start is None:
            self.gsvr.tell("Mark one end with space first", "warning")
            return
        low, high = sorted((start, self.jobs.cursor))
        self.view.marks.update(row.id for index in range(low, high + 1) if (row := self.view.row_at(index)))
        self._marks_changed()

    def do_mark_all(self) -> None:
        """All the list shows."""
        self.view.marks.update(row.id for row in self.view.shown())
        self._marks_changed()

    def _marks_changed(self) -> None:
        self.jobs.refresh()
        self._refresh_place()
        self.refresh_keys()

    # ------------------------------------------------------------ filter and order

    def do_filter(self) -> None:
        """Open the filter line."""
        line = self.query_one("#filter", Input)
        self._text_before = line.value
        self.query_one("#place").display = False
        line.display = True
        line.focus()

    @on(Input.Changed, "#filter")
    def _typed(self) -> None:
        self._later("filter", _FILTER_DELAY_S, self._apply_filter)

    @on(Input.Submitted, "#filter")
    def _submitted(self) -> None:
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter").display = False
        self.query_one("#place").display = True
        self.jobs.focus()
        self._apply_filter()

    def _apply_filter(self) -> None:
        self.view.set_filter(chip=self.view.chip, query=parse(self.query_one("#filter", Input).value))
        self.jobs.follow_view()
        self._refresh_frame()

    def show_query(self, text: str) -> None:
        """Show the jobs a filter line names, in any state."""
        self.view.chip = None
        self.query_one("#filter", Input).value = text
        self._apply_filter()

    def show_job(self, job: str) -> None:
        """Put the cursor on a job, clearing the filter when it hides it."""
        if self.view.index_of(job) is None:
            self.show_query("")
        index = self.view.index_of(job)
        if index is not None:
            self.jobs.go_to(index)

    def action_chip(self, state: str) -> None:
        """Show only the jobs in one state; empty: all."""
        self.view.set_filter(chip=JobState(state) if state else None, query=self.view.query)
        self.jobs.follow_view()
        self._refresh_frame()

    def _step_chip(self, by: int) -> None:
        used = [state for state in CHIPS if state is None or self.model.counts[state] or state is self.view.chip]
        state = used[(used.index(self.view.chip) + by) % len(used)]
        self.action_chip(state.value if state else "")

    def do_chip_next(self) -> None:
        """The next state that has jobs."""
        self._step_chip(1)

    def do_chip_back(self) -> None:
        """The one before."""
        self._step_chip(-1)

    def do_sort(self) -> None:
        """The next order."""
        orders = list(Sort)
        self._sort(orders[(orders.index(self.view.sort) + 1) % len(orders)], False)

    def do_reverse(self) -> None:
        """The other way round."""
        self._sort(self.view.sort, not self.view.reverse)

    def _sort(self, sort: Sort, reverse: bool) -> None:
        self.view.set_sort(sort, reverse=reverse)
        self.jobs.follow_view()
        self._refresh_place()

    def do_back(self) -> None:
        """Clear marks first, then the filter."""
        line = self.query_one("#filter", Input)
        if line.has_focus:
            line.value = self._text_before
            self._close_filter()
        elif self.view.marks:
            self.view.marks.clear()
            self._marks_changed()
        elif self.view.filtered:
            self.show_query("")

    def do_side(self) -> None:
        """Show or hide the side panel."""
        self.toggle_class("-no-side")
        self.call_after_refresh(self._resized)

    # ------------------------------------------------------------ verbs

    def do_detail(self) -> None:
        """Everything about the job."""
        row = self.view.row
        if row is not None:
            self.gsvr.push_screen(DetailScreen(row.id, self._neighbour))

    def _neighbour(self, job: str, by: int) -> JobRow | None:
        index = self.view.index_of(job)
        if index is None or not 0 <= index + by < len(self.view):
            return None
        self.jobs.go_to(index + by)
        return self.view.row

    def do_cancel(self) -> None:
        """Cancel; undone with u."""
        self._act(job_acts.cancel(self.view.targets(), self.gsvr.link.new_id))

    def do_retry(self) -> None:
        """Queue again."""
        self._act(job_acts.retry(self.view.targets(), self.gsvr.link.new_id))

    def do_hold(self) -> None:
        """Hold or release."""
        self._act(job_acts.hold(self.view.targets(), self.gsvr.link.new_id))

    def do_priority_up(self) -> None:
        """Sooner."""
        self._act(job_acts.shift_priority(self.view.targets(), 1, self.gsvr.link.new_id))

    def do_priority_down(self) -> None:
        """Later."""
        self._act(job_acts.shift_priority(self.view.targets(), -1, self.gsvr.link.new_id))

    @work
    async def _act(self, act: job_acts.Act | str) -> None:
        if await self.gsvr.perform(act) and self.view.marks:
            self.view.marks.clear()
            self._marks_changed()

    @work
    async def do_open(self) -> None:
        """Open the report."""
        row = self.view.row
        if row is not None:
            await self.gsvr.open_report(row.id)

    def do_copy(self) -> None:
        """The error of a failed job, else its name."""
        row = self.view.row
        if row is not None:
            self.gsvr.copy_text_of(row)

    @work
    async def do_add(self) -> None:
        """Ask for videos and make a batch of them."""
        wanted = await self.gsvr.push_screen_wait(AddVideosScreen(self.model, self.gsvr.options))
        if wanted is not None and wanted.pop("plan", False):
            await self.gsvr.open_plan(wanted)
        elif wanted is not None:
            self.gsvr.link.send(
                AddJobs(self.gsvr.link.new_id(), **wanted),
                done=lambda answer: answer.message or f"Added {words.plural(answer.count, 'video')}",
            )


_NEEDS_ROW = frozenset({"detail", "mark", "open", "copy"})
_VERBS = frozenset({"hold", "retry", "cancel", "priority_up", "priority_down"})
