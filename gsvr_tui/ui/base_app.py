"""The app's own acts: what works everywhere. `gsvr_tui.app` adds the life of the process around it."""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from gsvr_tui.core.messages import JobRow, Pause, Resume, RunState, ServiceHandle, SetWorkers, Stop
from gsvr_tui.core.text import clean_text
from gsvr_tui.ui import words
from gsvr_tui.ui.actions import Action, Scope, bindings
from gsvr_tui.ui.commands import ActionProvider
from gsvr_tui.ui.link import Link
from gsvr_tui.ui.marks import ASCII, UNICODE
from gsvr_tui.ui.opener import best_output, desktop_command, open_in_desktop, terminal_command
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.screens.alerts import AlertsScreen
from gsvr_tui.ui.screens.base import TableScreen
from gsvr_tui.ui.screens.confirm import Choice, ConfirmScreen
from gsvr_tui.ui.screens.help import HelpScreen
from gsvr_tui.ui.screens.job_acts import Act
from gsvr_tui.ui.screens.plan import PlanScreen
from gsvr_tui.ui.screens.queue import QueueScreen

_BUSY = frozenset({RunState.RUNNING, RunState.RESTING, RunState.PAUSING})
MOST_WORKERS = 256
STOP_LIMIT_S = 10.0
"""How long the screen stays after a stop at once that the service does not answer."""


class BaseApp(App[int]):
    """Actions of the scope APP."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.APP)
    COMMANDS = {ActionProvider}  # noqa: RUF012 - Textual declares it an instance variable
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, handle: ServiceHandle, options: UiOptions, **kwargs: Any) -> None:
        self.options = options
        self.marks = ASCII if options.ascii else UNICODE
        self.link = Link(handle, self.tell)
        self.vault_exists = options.vault_exists  # the wizard may make it
        self._draining = False
        super().__init__(**kwargs)

    def tell(self, text: str, severity: str = "information") -> None:
        """Show a line to the user for a few seconds."""
        level: Literal["information", "warning", "error"] = (
            "error" if severity == "error" else "warning" if severity == "warning" else "information"
        )
        self.notify(clean_text(text), severity=level, timeout=10 if "u takes it back" in text else 5, markup=False)

    # ------------------------------------------------------------ the table

    async def action_act(self, name: str) -> None:
        """Carry an action of the table out, or say why not."""
        reason = self.why_not(name)
        if reason:
            self.tell(reason, "warning")
            return
        result = getattr(self, f"do_{name}")()
        if inspect.isawaitable(result):
            await result

    def why_not(self, name: str) -> str:
        """Why an action can't be done now; empty when it can."""
        state = self.link.model.status.state
        if name == "undo" and self.link.undo is None:
            return "There is nothing to undo"
        if name == "pause" and state in (RunState.STARTING, RunState.STOPPING, RunState.STOPPED):
            return f"The queue is {state.value}"
        if name == "pause_now" and state is RunState.PAUSED:
            return "The queue is paused already"
        if name == "pause_now" and state not in _BUSY:
            return "Nothing is running"
        return ""

    def label(self, action: Action) -> str:
        """A title as things stand."""
        if action.id == "pause" and self.link.model.status.state in (RunState.PAUSED, RunState.PAUSING):
            return "Go on"
        return action.title

    # ------------------------------------------------------------ acts

    async def do_show_queue(self) -> None:
        """The first tab."""
        await self.switch_mode("queue")

    async def do_show_accounts(self) -> None:
        """The second tab."""
        await self.switch_mode("accounts")

    async def do_show_logs(self) -> None:
        """The third tab."""
        await self.switch_mode("logs")

    async def do_show_plan(self) -> None:
        """The fourth tab."""
        await self.switch_mode("plan")

    @work
    async def do_alerts(self) -> None:
        """What needs the user; goes where the one chosen is shown."""
        alert = await self.push_screen_wait(AlertsScreen())
        if alert is None:
            return
        if alert.query:
            (await self.to_queue()).show_query(alert.query)
        elif alert.account:
            await self.switch_mode("accounts")

    def do_pause(self) -> None:
        """Pause or go on."""
        if self.link.model.status.state in (RunState.PAUSED, RunState.PAUSING):
            self.link.send(Resume(self.link.new_id()), done=_silent)
        else:
            self.link.send(Pause(self.link.new_id()), done=_silent)

    @work
    async def do_pause_now(self) -> None:
        """Pause without waiting, after a question that names the price."""
        in_flight = self.link.model.status.in_flight
        if in_flight:
            answer = await self.push_screen_wait(
                ConfirmScreen(
                    "Stop now?",
                    f"{words.plural(in_flight, 'request')} in flight will be sent again and may be paid twice. "
                    "Pausing with p lets them finish.",
                    (Choice("stay", "Keep running"), Choice("stop", "Stop now", "fail")),
                )
            )
            if answer != "stop":
                return
        self.link.send(Pause(self.link.new_id(), now=True), done=_silent)

    def do_workers_more(self) -> None:
        """One more at the same time."""
        status = self.link.model.status
        self._set_workers(min(MOST_WORKERS, status.workers + 1))

    def do_workers_fewer(self) -> None:
        """One less; from one on to automatic."""
        self._set_workers(max(0, self.link.model.status.workers - 1))

    def _set_workers(self, workers: int) -> None:
        text = f"At most {words.plural(workers, 'request')} at the same time" if workers else "Workers: automatic"
        self.link.send(SetWorkers(self.link.new_id(), workers), done=lambda _: text)

    def do_undo(self) -> None:
        """Send the inverse of the last act."""
        undo, self.link.undo = self.link.undo, None
        if undo is not None:
            self.link.send(undo.make(self.link.new_id()), done=lambda _: f"Taken back: {undo.text}")

    def do_palette(self) -> None:
        """The command palette."""
        self.action_command_palette()

    @work
    async def do_help(self) -> None:
        """Help for the screen on top; runs the action chosen."""
        about = self.screen
        wanted = await self.push_screen_wait(HelpScreen(about))
        scope, _, name = (wanted or "").partition(".")
        if name and scope == Scope.APP.name.lower():
            await self.action_act(name)
        elif name and isinstance(about, TableScreen):
            await about.action_act(name)

    def do_repaint(self) -> None:
        """After another program wrote over the screen."""
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    async def do_quit(self) -> None:
        """Leave, asking when work is running."""
        self._leave()

    async def do_quit_any(self) -> None:
        """The same from anywhere."""
        if not isinstance(self.screen, ConfirmScreen):
            self._leave()

    async def action_quit(self) -> None:
        """Textual's own name for it (palette)."""
        self._leave()

    def action_help_quit(self) -> None:
        """Ctrl+C with nothing to copy."""
        self.tell("q quits")

    @work
    async def _leave(self) -> None:
        status = self.link.model.status
        if self._draining:
            question = ConfirmScreen(
                "Still finishing",
                f"{words.plural(status.in_flight, 'request')} in flight. What is cut off now is sent again next time.",
                (Choice("stay", "Wait"), Choice("stop", "Stop now", "fail")),
            )
        elif status.state in _BUSY:
            flying = f"{words.plural(status.in_flight, 'request')} in flight. " if status.in_flight else ""
            question = ConfirmScreen(
                "Work is running",
                f"{flying}Everything finished is saved; the rest goes on next time.",
                (
                    Choice("stay", "Stay"),
                    Choice("drain", "Finish in flight, then quit"),
                    Choice("stop", "Stop now", "fail"),
                ),
            )
        else:
            self.stop_service(drain=False)
            return
        answer = await self.push_screen_wait(question)
        if answer in ("drain", "stop"):
            self.stop_service(drain=answer == "drain")

    def stop_service(self, *, drain: bool) -> None:
        """Tell the service to end; the app ends when it has, or without waiting longer when it was to stop at once."""
        self._draining = drain
        self.link.send(Stop(self.link.new_id(), drain=drain), done=_silent)
        if not drain:
            self.set_timer(STOP_LIMIT_S, self.leave)

    def leave(self) -> None:
        """End the app; the service is waited for after the screen is gone."""
        self.exit(0, return_code=0)

    # ------------------------------------------------------------ for screens

    async def to_queue(self) -> QueueScreen:
        """Bring the queue itself to the top, closing what lies over it there."""
        await self.switch_mode("queue")
        while not isinstance(self.screen, QueueScreen):
            await self.pop_screen()
        return self.screen

    async def open_plan(self, wanted: Mapping[str, Any]) -> None:
        """Plan what `AddVideosScreen` gave, closing what lies over the plan."""
        await self.switch_mode("plan")
        while not isinstance(self.screen, PlanScreen):
            await self.pop_screen()
        self.screen.plan(wanted)

    async def perform(self, act: Act | str) -> bool:
        """Send an act, asking first when it wants that; False when it was not sent."""
        if isinstance(act, str):
            self.tell(act, "warning")
            return False
        if act.question:
            choices = (Choice("no", "No"), Choice("yes", "Yes"))
            if await self.push_screen_wait(ConfirmScreen(act.question, act.detail, choices)) != "yes":
                return False
        self.link.send(act.command, done=act.done, undo=act.undo)
        return True

    async def open_report(self, job: str) -> None:
        """Open the best of a job's outputs: in the desktop, or in this terminal."""
        detail = await self.link.detail_of(job)
        path = best_output(detail.outputs) if detail is not None else ""
        if not path:
            self.tell("This job has written no report yet", "warning")
            return
        try:
            self._open(path)
        except OSError as error:
            self.tell(f"Can't open {path}: {error.strerror or error}", "error")

    def _open(self, path: str) -> None:
        if self.options.opener is not None:
            self.options.opener(path)
        elif command := desktop_command(path):
            open_in_desktop(command)
        elif command := terminal_command(path):
            with self.suspend():
                subprocess.run(command, check=False)  # noqa: S603 - the user's own editor
            self.refresh(layout=True)
        else:
            self.tell(f"The report is at {path}; set EDITOR to open it here")
            return
        self.tell(f"Opened {path}")

    def open_wizard(self) -> None:
        """Add accounts."""
        raise NotImplementedError

    def copy_text_of(self, row: JobRow) -> None:
        """What went wrong, else the name, to the clipboard (OSC 52)."""
        text = f"{row.name}: {row.note}" if row.note else row.name
        self.copy_to_clipboard(clean_text(text))
        self.tell(f"Copied: {text}")

    # ------------------------------------------------------------ palette

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """App-wide commands beside those of the table."""
        for name in sorted(self.available_themes):
            yield SystemCommand(f"Theme: {name}", "change the colours", lambda name=name: self.use_theme(name))
        yield SystemCommand("Save a picture", "the screen as SVG", lambda: self.set_timer(0.1, self.deliver_screenshot))

    def use_theme(self, name: str) -> None:
        """Change the colours."""
        self.theme = name


def _silent(_: object) -> None:
    return None
