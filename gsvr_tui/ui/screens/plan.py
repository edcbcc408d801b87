"""Plan: what some videos would take, before anything is sent; Enter then adds them."""

from __future__ import annotations

import asyncio
import math
import shlex
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from gsvr_tui.core.messages import AddJobs, CommandRefused, PlanJobs, PlanReady
from gsvr_tui.ui import words
from gsvr_tui.ui.actions import Action, Scope, bindings
from gsvr_tui.ui.counting import count_videos
from gsvr_tui.ui.screens import plan_text
from gsvr_tui.ui.screens.add_videos import AddVideosScreen, PathInput, split_paths
from gsvr_tui.ui.screens.ask import AskScreen, ChooseScreen
from gsvr_tui.ui.screens.base import TableScreen
from gsvr_tui.ui.screens.confirm import Choice, ConfirmScreen
from gsvr_tui.ui.widgets.bars import Line
from gsvr_tui.ui.widgets.line_list import LineList
from gsvr_tui.ui.widgets.option_table import OptionTable

PLAN_LIMIT_S = 3600.0
"""Looking into a large library takes as long as its disks do; Esc ends it before."""
_NEEDS_PLAN = frozenset({"start", "down", "up"})


class PlanScreen(TableScreen):
    """A path field, the ways to do it, and what goes with the one under the cursor."""

    SCOPE = Scope.PLAN
    AUTO_FOCUS = ""  # the field would take the digits that change screens
    HELP = (
        "The videos are looked into and the scheduler is played ahead over your accounts; nothing is sent.\n"
        "The first line is how things are now; the others say what a change would bring."
    )
    CSS_PATH = "../styles/plan.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.PLAN)

    def __init__(self) -> None:
        super().__init__()
        self._wanted: dict[str, Any] = {}  # fields of AddJobs
        self._cap: float | None = None
        self._ready: PlanReady | None = None
        self._refused: CommandRefused | None = None
        self._planned_at = 0.0
        self._asking: Worker[None] | None = None
        self._asked_at = 0.0
        self._found: int | None = None

    def compose(self) -> ComposeResult:
        """Paths, facts, table, the rest, keys."""
        options = self.gsvr.options
        yield from self.compose_top()
        yield PathInput(placeholder="files or folders: / to type or paste, a to choose", id="plan-paths")
        yield Line(id="plan-facts")
        yield OptionTable(clock=options.clock, zone=options.timezone, marks=self.marks, widget_id="options")
        yield Line(id="plan-cap")
        with VerticalScroll(id="plan-rest", can_focus=False):
            yield Static(id="plan-text")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        """No field takes the keys before it is asked to: 1-4 go on changing screens."""
        self._refresh_plan()
        self.set_interval(1.0, self._tick)

    @property
    def table(self) -> OptionTable:
        """The ways."""
        return self.query_one("#options", OptionTable)

    @property
    def cap(self) -> float | None:
        """The cap that counts: the least of the one given here and the config's."""
        known = [cap for cap in (self._cap, self._ready.cap_usd if self._ready else None) if cap is not None]
        return min(known, default=None)

    # ------------------------------------------------------------ showing

    def _tick(self) -> None:
        if self._asking is not None and self.is_current:
            self._refresh_rest()

    def _resized(self) -> None:
        super()._resized()
        if self.is_mounted:
            self._refresh_lines()

    def _refresh_plan(self) -> None:
        ready = self._ready
        self.table.display = ready is not None
        self.query_one("#plan-cap").display = ready is not None
        if ready is not None:
            self.table.show(ready.options, self._planned_at)
            self.table.focus()
        elif self.focused is self.table:
            self.set_focus(None)
        self._refresh_lines()
        self.query_one("#plan-rest", VerticalScroll).scroll_home(animate=False)

    def _refresh_lines(self) -> None:
        width = self.size.width - 2
        if self._ready is not None:
            self.query_one("#plan-cap", Line).show(plan_text.cap_line(self._ready, self.cap, self.marks))
            top = plan_text.facts(self._ready, width)
        else:
            top = plan_text.chosen(self._wanted.get("template", ""), self._wanted.get("model", ""), width)
        self.query_one("#plan-facts", Line).show(top)
        self._refresh_rest()
        self.refresh_keys()

    def _refresh_rest(self) -> None:
        self.query_one("#plan-text", Static).update(self._rest())

    def _rest(self) -> Content:
        if self._asking is not None:
            return plan_text.looking(self._found, self.now() - self._asked_at)
        if self._refused is not None:
            return plan_text.refused(self._refused)
        if self._ready is None:
            return plan_text.empty()
        option = self.table.option or self._ready.options[0]
        width = self.size.width - 4
        lines = plan_text.about(option, self._planned_at, self.gsvr.options.timezone)
        for part in (plan_text.shares(option, width, self.marks), plan_text.remarks(self._ready, self.marks)):
            if part:
                lines += [Content(""), *part]
        return Content("\n").join(lines)

    def on_line_list_moved(self, _: LineList.Moved) -> None:
        """Another way."""
        self._refresh_rest()
        self.refresh_keys()

    # ------------------------------------------------------------ asking

    def plan(self, wanted: Mapping[str, Any]) -> None:
        """Plan these: fields of AddJobs. What was chosen here before stays where they say nothing."""
        self._wanted = {**self._wanted, **wanted}
        self._wanted.pop("plan", None)
        self.query_one("#plan-paths", Input).value = " ".join(map(shlex.quote, self._wanted["paths"]))
        self._plan()

    def _plan(self) -> None:
        if not self._wanted.get("paths"):
            self._refresh_lines()
            return
        self._ready = self._refused = self._found = None
        self._asked_at = self.now()
        self._asking = self._ask()
        self._refresh_plan()

    @work(exclusive=True, group="plan")
    async def _ask(self) -> None:
        link, stop = self.gsvr.link, threading.Event()
        counting = asyncio.create_task(self._count(self._wanted["paths"], stop))
        fields = {name: self._wanted[name] for name in ("paths", "template", "model") if name in self._wanted}
        try:
            answer = await link.ask(PlanJobs(link.new_id(), **fields), timeout_s=PLAN_LIMIT_S)
        finally:
            stop.set()
            counting.cancel()
        self._asking = None
        self._planned_at = self.now()
        match answer:
            case PlanReady(options=options) if options:
                self._ready = answer
            case CommandRefused():
                self._refused = answer
            case _:
                self._refused = CommandRefused("", "the service gave no plan", "try again; the log (3) may say why")
        self._refresh_plan()

    async def _count(self, paths: tuple[str, ...], stop: threading.Event) -> None:
        found = await asyncio.to_thread(count_videos, paths, stop)
        self._found = found
        if self._asking is not None:
            self._refresh_rest()

    @on(Input.Submitted, "#plan-paths")
    def _paths_entered(self, event: Input.Submitted) -> None:
        paths = split_paths(event.value)
        missing = [path for path in paths if not Path(path).exists()]
        if missing or not paths:
            text = f"There is no {missing[0]}" if missing else "Name at least one video or folder"
            self.gsvr.tell(text, "warning")
            return
        self.set_focus(None)
        self.plan({"paths": tuple(str(Path(path).absolute()) for path in paths)})

    # ------------------------------------------------------------ acts

    def why_not(self, name: str) -> str:
        """Most acts need a plan."""
        if name in _NEEDS_PLAN and self._ready is None:
            return "There is no plan yet; a chooses videos"
        if name == "start" and self._ready is not None and not self._ready.videos and self.table.first:
            return "None of these videos can be sent; below it says why"
        if name == "again" and not self._wanted.get("paths"):
            return "There is nothing to plan yet; a chooses videos"
        if name == "template" and not self.model.templates:
            return "The service has named no templates"
        if name == "model" and not self.model.models:
            return "The service has named no models"
        return ""

    def label(self, action: Action) -> str:
        """What Enter does depends on the line."""
        option = self.table.option
        if action.id != "start" or option is None or self.table.first:
            return action.title
        return {"one more account": "Add account", "fallback model": "Use it"}.get(option.name, "How")

    def do_down(self) -> None:
        """Next way."""
        self.table.go_to(self.table.cursor + 1)

    def do_up(self) -> None:
        """The one before."""
        self.table.go_to(self.table.cursor - 1)

    def do_page_down(self) -> None:
        """Read on."""
        self.query_one("#plan-rest", VerticalScroll).scroll_page_down(animate=False)

    def do_page_up(self) -> None:
        """Read back."""
        self.query_one("#plan-rest", VerticalScroll).scroll_page_up(animate=False)

    def do_back(self) -> None:
        """Out of the field, or no more looking."""
        if self.focused is self.query_one("#plan-paths"):
            self.set_focus(self.table if self._ready is not None else None)
        elif self._asking is not None:
            self._asking.cancel()
            self._asking = None
            self._refresh_plan()

    def do_path(self) -> None:
        """Type."""
        self.query_one("#plan-paths").focus()

    @work
    async def do_add(self) -> None:
        """Choose."""
        paths = tuple(self._wanted.get("paths", ()))
        wanted = await self.gsvr.push_screen_wait(
            AddVideosScreen(self.model, self.gsvr.options, plan=True, paths=paths)
        )
        if wanted is not None:
            self.plan(wanted)

    @work
    async def do_template(self) -> None:
        """Another template."""
        await self._choose("template", self.model.templates)

    @work
    async def do_model(self) -> None:
        """Another model."""
        await self._choose("model", self.model.models)

    async def _choose(self, what: str, names: tuple[str, ...]) -> None:
        present = self._wanted.get(what, "")
        name = await self.gsvr.push_screen_wait(ChooseScreen(what.capitalize(), names, present))
        if name is not None and name != present:
            self._use(what, name)

    def _use(self, what: str, name: str) -> None:
        self._wanted[what] = name
        self._plan()

    @work
    async def do_cap(self) -> None:
        """The most it may cost."""
        present = f"{self._cap:g}" if self._cap is not None else ""
        text = "US dollars for these videos, for example 10 or 2.50. Empty: the caps of the config alone count."
        entered = await self.gsvr.push_screen_wait(AskScreen("Cap", text, present, cap_problem))
        if entered is not None:
            self._cap = _amount(entered)
            self._refresh_lines()

    def do_again(self) -> None:
        """Anew."""
        self._plan()

    @work
    async def do_start(self) -> None:
        """Add the videos; on another way than now, do what it takes."""
        ready, option = self._ready, self.table.option
        if ready is None or option is None:
            return
        if not self.table.first:
            self._take_way(option.name, option.note)
            return
        cap = self.cap
        if cap is not None and option.cost_usd > cap:
            answer = await self.gsvr.push_screen_wait(
                ConfirmScreen(
                    "Start above the cap?",
                    f"It will cost about {words.usd(option.cost_usd)}, and the cap is {words.usd(cap)}. The run stops "
                    "at the cap; what is done by then stays.",
                    (Choice("no", "Not yet"), Choice("yes", "Start")),
                )
            )
            if answer != "yes":
                return
        command = AddJobs(self.gsvr.link.new_id(), **self._wanted, max_cost_usd=self._cap)
        self.gsvr.link.send(command, done=lambda a: a.message or f"Added {words.plural(a.count, 'video')}")
        self._ready = None
        self._wanted.pop("paths")
        self.query_one("#plan-paths", Input).value = ""
        self._refresh_plan()
        await self.gsvr.to_queue()

    def _take_way(self, name: str, note: str) -> None:
        if name == "one more account":
            self.gsvr.open_wizard()
        elif name == "fallback model":
            # the note is the model's name, and why it would never end where it would not
            self._use("model", note.split(";")[0].strip())
        else:
            self.gsvr.tell("Switch billing on for the project in Google AI Studio, then r plans anew")


def cap_problem(text: str) -> str:
    """What is wrong with a sum of dollars; empty is none."""
    try:
        _amount(text)
    except ValueError:
        return "That is no sum of dollars above zero; write it like 10 or 2.50"
    return ""


def _amount(text: str) -> float | None:
    plain = text.strip().lstrip("$").replace(",", "")
    if not plain:
        return None
    amount = float(plain)
    if not math.isfinite(amount) or amount <= 0:
        raise ValueError
    return amount
