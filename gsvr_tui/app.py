"""GsvrApp: the Textual app. Owns the screens, the theme, one ServiceHandle, and the ways the process can end."""

from __future__ import annotations

# first of all: the package settles Textual's frame rate before Textual is imported
from gsvr_tui.ui import themes, words  # isort: skip

import asyncio
import contextlib
import gc
import signal
import sys
from typing import Any, ClassVar

from textual import on
from textual.message import Message
from textual.scrollbar import ScrollBar
from textual.worker import WorkerFailed

from gsvr_tui.core.messages import ServiceHandle, ServiceStopped, Stop
from gsvr_tui.core.text import clean_text
from gsvr_tui.ui.base_app import BaseApp
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.screens.accounts import AccountsScreen
from gsvr_tui.ui.screens.logs import LogsScreen
from gsvr_tui.ui.screens.plan import PlanScreen
from gsvr_tui.ui.screens.queue import QueueScreen
from gsvr_tui.ui.screens.wizard import WizardScreen
from gsvr_tui.ui.widgets.plain import WholeCells

WANTS_DEMO = 75
"""Exit status by which the user asks for the demo (the caller runs it and comes back)."""

_FRAME_S = 1 / 15
_STOP_LIMIT_S = 60.0  # after a Stop without draining
_HANGUP_LIMIT_S = 2.0
_SIGNALS = ("SIGTERM", "SIGHUP")


class GsvrApp(BaseApp):
    """`handle` is the only thing known of the service; see `run_app` for running it."""

    TITLE = "gsvr-tui"
    CSS_PATH = "ui/styles/app.tcss"
    MODES: ClassVar[dict[str, Any]] = {
        "queue": QueueScreen, "accounts": AccountsScreen, "logs": LogsScreen, "plan": PlanScreen,
    }  # fmt: skip
    DEFAULT_MODE = "queue"

    class Wake(Message):
        """The service has events for us."""

        def can_replace(self, message: Message) -> bool:
            """One is enough."""
            return isinstance(message, GsvrApp.Wake)

    def __init__(self, handle: ServiceHandle, *, options: UiOptions) -> None:
        self.crash = ""
        self._handle = handle
        self._themes, self._theme_problems = themes.load_themes(options.themes)
        self._drain_waits = False
        self._drained_at = 0.0
        self._leaving = False
        super().__init__(handle, options)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for Textual's built-in themes that lack them."""
        return themes.tone_variables(themes.DARK)

    # ------------------------------------------------------------ life

    async def on_mount(self) -> None:
        """Theme, signals, first events."""
        for theme in self._themes.values():
            self.register_theme(theme)
        self._choose_theme()
        for name in set(self.available_themes) - set(self._themes):
            self.unregister_theme(name)
        ScrollBar.renderer = WholeCells
        if self.options.reduce_motion:
            self.animation_level = "none"
        if self.options.ascii:
            self.add_class("-ascii")
        loop = asyncio.get_running_loop()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                # Textual leaves the terminal in its modes when these kill it; not on Windows, not in other threads
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self._signalled, number)
        self._handle.set_wake(self._wake)
        self._drain()
        if self.options.first_run:
            self.open_wizard()

    def on_unmount(self) -> None:
        """No more wakes."""
        self._handle.set_wake(None)

    def _choose_theme(self) -> None:
        wanted = self.options.theme
        if wanted not in self._themes:
            self._theme_problems.append(f"there is no theme “{wanted}”; using {themes.FALLBACK}")
            wanted = themes.FALLBACK
        self.theme = wanted
        for problem in self._theme_problems:
            self.tell(problem, "warning")

    # ------------------------------------------------------------ events from the service

    def _wake(self) -> None:
        # called from the service's thread; post_message is thread-safe
        self.post_message(self.Wake())

    @on(Wake)
    def _woken(self) -> None:
        if self._drain_waits:
            return
        wait = self._drained_at + _FRAME_S - asyncio.get_running_loop().time()
        if wait <= 0:
            self._drain()
        else:
            self._drain_waits = True
            self.set_timer(wait, self._drain)

    def _drain(self) -> None:
        self._drain_waits = False
        self._drained_at = asyncio.get_running_loop().time()
        change = self.link.drain()
        for stack in self._screen_stacks.values():
            for screen in stack:
                changed = getattr(screen, "model_changed", None)
                if changed is not None and screen.is_mounted:
                    changed(change)
        if change.everything:
            # rows live as long as the app: looking through them for garbage would be a pause of a tenth of a second
            gc.freeze()
        if change.stopped is not None:
            self._service_ended(change.stopped)

    def _service_ended(self, event: ServiceStopped) -> None:
        self._leave_with(1 if event.error else 0)

    def leave(self) -> None:
        """End the app unless it is ending already."""
        self._leave_with(0)

    def _leave_with(self, status: int) -> None:
        # the first reason to end is the one the caller hears of
        if not self._leaving:
            self._leaving = True
            self.exit(status, return_code=status)

    # ------------------------------------------------------------ ends

    def _signalled(self, number: int) -> None:
        self._leave_with(128 + number)
        self._handle.send(Stop(self.link.new_id(), drain=False))

    def open_wizard(self) -> None:
        """Add accounts; what the user wishes next is done after it."""
        self.push_screen(WizardScreen(), self._after_wizard)

    def _after_wizard(self, wish: str | None) -> None:
        if wish == "demo":
            self._leave_with(WANTS_DEMO)
            self._handle.send(Stop(self.link.new_id(), drain=False))
        elif wish == "add":
            self.call_later(self._add_videos)

    async def _add_videos(self) -> None:
        await (await self.to_queue()).action_act("add")

    def _handle_exception(self, error: Exception) -> None:
        # Textual's report prints local variables, among which a key could be. Ours names the error and the place.
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._return_code = 1
        self.crash = _describe(error.error if isinstance(error, WorkerFailed) else error)
        self._close_messages_no_wait()


def _describe(error: BaseException) -> str:
    """Type of an error and where it happened, without its text and without local variables."""
    trace = error.__traceback__
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_qualname}")
        trace = trace.tb_next
    return "\n".join([*places[-6:], type(error).__name__])


def farewell(app: GsvrApp) -> str:
    """What is said after the screen is gone: what is saved and how to go on."""
    model = app.link.model
    stopped = model.stopped
    lines: list[str] = []
    if stopped is not None and stopped.error:
        lines.append(f"gsvr-tui: the service ended: {clean_text(stopped.error)}. The log has details.")
    rows = model.status.counts
    if rows:
        done, total = words.done_count(model.status), words.total_count(model.status)
        lines.append(f"{done:,} of {total:,} reports done; everything finished is saved.")
    left = stopped.resumable if stopped is not None else sum(n for state, n in rows.items() if not state.final)
    if left:
        lines.append(f"{words.plural(left, 'job')} to go. Go on with: gsvr-tui resume")
    return "\n".join(lines)


def run_app(handle: ServiceHandle, options: UiOptions) -> int:
    """Run the app until the user leaves; the exit status. The service is told to stop and waited for."""
    app = GsvrApp(handle, options=options)
    app.run(mouse=options.mouse)
    status = app.return_code or 0
    hung_up = status == 128 + getattr(signal, "SIGHUP", 1)
    if app.link.model.stopped is None:
        handle.send(Stop(app.link.new_id(), drain=False))
        ended = handle.join(_HANGUP_LIMIT_S if hung_up else _STOP_LIMIT_S)
        if ended:
            app.link.drain()
    if hung_up:
        return status
    if app.crash:
        _print(f"gsvr-tui ended by a fault of its own. Nothing finished is lost.\n{app.crash}", sys.stderr)
    if status != WANTS_DEMO:
        _print(farewell(app), sys.stdout)
    return status


def _print(text: str, stream: Any) -> None:
    # the terminal may be gone
    with contextlib.suppress(OSError):
        if text:
            stream.write(f"{text}\n")
            stream.flush()


__all__ = ["WANTS_DEMO", "GsvrApp", "farewell", "run_app"]
