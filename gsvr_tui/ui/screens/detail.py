"""One job in full: overview, report, raw answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from markdown_it import MarkdownIt
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Markdown, Static

from gsvr_tui.core.messages import JobDetail, JobRow, WatchJob
from gsvr_tui.core.models import JobState
from gsvr_tui.ui.actions import Action, Scope, bindings
from gsvr_tui.ui.read_model import Change
from gsvr_tui.ui.safe import quiet_markdown, safe, styled
from gsvr_tui.ui.screens import job_acts
from gsvr_tui.ui.screens.base import TableScreen
from gsvr_tui.ui.screens.job_text import overview
from gsvr_tui.ui.widgets.bars import Line

_PARTS = (("overview", "Overview"), ("report", "Report"), ("answer", "Raw answer"))
_LONGEST = 200_000
"""Characters of a report or answer shown; the files have all of it."""

Neighbour = Callable[[str, int], JobRow | None]


def quiet_parser() -> MarkdownIt:
    """A parser that makes no links, no images and no HTML: a report can't act."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])


class DetailScreen(TableScreen):
    """Follows one job; `neighbour(job, by)` gives the job beside it in the list."""

    SCOPE = Scope.DETAIL
    HELP = "Everything known of one job: its steps, checks, history and files, the report and the raw answer."
    CSS_PATH = "../styles/detail.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DETAIL)

    def __init__(self, job: str, neighbour: Neighbour) -> None:
        super().__init__()
        self._job, self._neighbour = job, neighbour
        self._report: str | None = None
        self._answer: str | None = None

    def compose(self) -> ComposeResult:
        """Header, parts, the part shown, keys."""
        yield from self.compose_top()
        yield Line(id="parts")
        with ContentSwitcher(id="part", initial="overview"):
            with VerticalScroll(id="overview"):
                yield Static(id="overview-text")
            with VerticalScroll(id="report"):
                yield Markdown(parser_factory=quiet_parser, open_links=False, id="report-text")
            with VerticalScroll(id="answer"):
                yield Static(id="answer-text")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        """Ask for the details."""
        self._watch()
        self.query_one("#overview").focus()

    def _watch(self) -> None:
        self.gsvr.link.send(WatchJob(self.gsvr.link.new_id(), self._job), done=lambda _: None)

    @property
    def row(self) -> JobRow | None:
        """The job's row as it is now."""
        return self.model.row(self._job)

    def model_changed(self, change: Change) -> None:
        """Draw anew what changed."""
        super().model_changed(change)
        if change.everything or change.detail or any(row.id == self._job for _, _, row in change.jobs):
            self._refresh_job()

    def _resized(self) -> None:
        super()._resized()
        if self.is_mounted:
            self._refresh_job()

    def _refresh_job(self) -> None:
        row = self.row
        if row is None:
            self.query_one("#overview-text", Static).update(safe("This job is no longer in the queue."))
            return
        self._refresh_parts()
        detail = self.model.detail
        known = detail if detail is not None and detail.row.id == self._job else None
        zone = self.gsvr.options.timezone
        text = overview(row, known, self.now(), zone, self.marks, self.size.width)
        self.query_one("#overview-text", Static).update(text)
        self._refresh_long(known)

    def _refresh_long(self, detail: JobDetail | None) -> None:
        """Report and answer can be long: only the one in sight is laid out, and only when it changed."""
        here = self.query_one(ContentSwitcher).current
        report, answer = (detail.report, detail.answer) if detail is not None else ("", "")
        if here == "report" and report != self._report:
            self._report = report
            shown = quiet_markdown(report[:_LONGEST]) if report else "No report yet."
            self.query_one("#report-text", Markdown).update(shown)
        elif here == "answer" and answer != self._answer:
            self._answer = answer
            text = safe(answer[-_LONGEST:], newlines=True) if answer else styled("No answer yet.", "$muted")
            self.query_one("#answer-text", Static).update(text)

    def _refresh_parts(self) -> None:
        here = self.query_one(ContentSwitcher).current
        pieces = []
        for name, title in _PARTS:
            style = "bold $accent underline" if name == here else "$muted"
            pieces.append(Content.from_markup(f"[@click=screen.part('{name}')][{style}]{title}[/][/]"))
        self.query_one("#parts", Line).show(Content("   ").join(pieces))

    # ------------------------------------------------------------ acts

    def action_part(self, name: str) -> None:
        """Show a part."""
        self.query_one(ContentSwitcher).current = name
        self.query_one(f"#{name}").focus()
        self._refresh_job()

    def why_not(self, name: str) -> str:
        """Verbs that do not apply to this job."""
        row = self.row
        if name in ("back", "next_tab"):
            return ""
        if row is None:
            return "This job is no longer in the queue"
        if name in ("retry", "cancel", "hold"):
            act = getattr(job_acts, name)([row], str)
            return act if isinstance(act, str) else ""
        if name == "open" and row.state not in (JobState.DONE, JobState.PARTIAL):
            return f"No report yet: the job is {self.marks.jobs[row.state].word}"
        return ""

    def label(self, action: Action) -> str:
        """Hold or release."""
        row = self.row
        if action.id == "hold" and row is not None and row.state is JobState.HELD:
            return "Release"
        return action.title

    def do_back(self) -> None:
        """Back to the list."""
        self.dismiss()

    def do_next_tab(self) -> None:
        """The next part."""
        names = [name for name, _ in _PARTS]
        here = self.query_one(ContentSwitcher).current or names[0]
        self.action_part(names[(names.index(here) + 1) % len(names)])

    def _step(self, by: int) -> None:
        row = self._neighbour(self._job, by)
        if row is None:
            self.gsvr.tell("This is the last job of the list" if by > 0 else "This is the first job of the list")
            return
        self._job = row.id
        self._watch()
        self._refresh_job()
        self.refresh_keys()

    def do_next_job(self) -> None:
        """The next job of the list."""
        self._step(1)

    def do_previous_job(self) -> None:
        """The one before."""
        self._step(-1)

    @work
    async def do_open(self) -> None:
        """Open the report."""
        await self.gsvr.open_report(self._job)

    def do_copy(self) -> None:
        """The path, or what went wrong."""
        if self.row is not None:
            self.gsvr.copy_text_of(self.row)

    @work
    async def _perform(self, act: job_acts.Act | str) -> None:
        await self.gsvr.perform(act)

    def do_retry(self) -> None:
        """Queue again."""
        if self.row is not None:
            self._perform(job_acts.retry([self.row], self.gsvr.link.new_id))

    def do_cancel(self) -> None:
        """Cancel."""
        if self.row is not None:
            self._perform(job_acts.cancel([self.row], self.gsvr.link.new_id))

    def do_hold(self) -> None:
        """Hold or release."""
        if self.row is not None:
            self._perform(job_acts.hold([self.row], self.gsvr.link.new_id))
