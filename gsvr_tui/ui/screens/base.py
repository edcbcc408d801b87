"""The base of the tab screens: acts from the table, header, key bar, and what the read model says."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from gsvr_tui.core.messages import RunState
from gsvr_tui.ui import words
from gsvr_tui.ui.actions import Action, Scope, actions_of, find
from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.read_model import Change, ReadModel
from gsvr_tui.ui.safe import join, safe, styled
from gsvr_tui.ui.widgets.bars import KeyHint, Line, key_line, pieces_that_fit, spread, word
from gsvr_tui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from gsvr_tui.ui.base_app import BaseApp

TABS = (("queue", "1", "Queue"), ("accounts", "2", "Accounts"), ("logs", "3", "Logs"), ("plan", "4", "Plan"))
SMALLEST = (60, 16)


class TableScreen(Screen[None]):
    """A screen whose keys come from the action table."""

    SCOPE: ClassVar[Scope]
    HELP: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it an instance variable
        (0, "-tiny"), (60, "-narrow"), (100, "-wide"), (150, "-huge"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-short"), (32, "-tall")]  # noqa: RUF012 - the same

    @property
    def gsvr(self) -> BaseApp:
        """The app, typed."""
        return cast("BaseApp", self.app)

    @property
    def model(self) -> ReadModel:
        """What is shown."""
        return self.gsvr.link.model

    @property
    def marks(self) -> Marks:
        """The signs to draw with."""
        return self.gsvr.marks

    def now(self) -> float:
        """Wall seconds."""
        return self.gsvr.options.clock()

    # ------------------------------------------------------------ acts

    async def action_act(self, name: str) -> None:
        """Carry an action of the table out, or say why not."""
        reason = self.why_not(name)
        if reason:
            self.gsvr.tell(reason, "warning")
            return
        result = getattr(self, f"do_{name}")()
        if inspect.isawaitable(result):
            await result

    def why_not(self, name: str) -> str:
        """Why an action of this screen can't be done now, in a sentence; empty when it can."""
        return ""

    def label(self, action: Action) -> str:
        """An action's title as things stand."""
        return action.title

    # ------------------------------------------------------------ keys and header

    def compose_top(self) -> ComposeResult:
        """Tabs and the status line: the same on every tab."""
        yield Line(id="tabs")
        yield Line(id="status")

    def compose_keys(self) -> ComposeResult:
        """The key bar, and the notice that stands in for all when the terminal is too small."""
        yield Line(id="key-bar")
        yield Line(id="too-small")

    def refresh_top(self) -> None:
        """Draw tabs and status anew."""
        if not self.is_mounted:
            return
        self.query_one("#tabs", Line).show(self._tabs(self.size.width - 2))
        self.query_one("#status", Line).show(self._status(self.size.width - 2))
        self.query_one("#too-small", Line).show(
            safe(f"gsvr-tui needs {SMALLEST[0]}x{SMALLEST[1]}, this terminal is {self.size.width}x{self.size.height}")
        )

    def refresh_keys(self) -> None:
        """Draw the key bar anew: what works now, most useful first."""
        if not self.is_mounted:
            return
        own = [(action, f"screen.act('{action.id}')") for action in actions_of(self.SCOPE) if action.footer]
        app = [(action, f"app.act('{action.id}')") for action in actions_of(Scope.APP) if 0 < action.footer < 90]
        ranked = sorted(own + app, key=lambda pair: pair[0].footer)
        left = [
            KeyHint(action.shown_key, self._title(action), run) for action, run in ranked if not self._refusal(action)
        ]
        right = [
            KeyHint(find(Scope.APP, name).shown_key, find(Scope.APP, name).title, f"app.act('{name}')")
            for name in ("palette", "help")
        ]
        self.query_one("#key-bar", Line).show(key_line(left, right, self.size.width - 2))

    def _refusal(self, action: Action) -> str:
        return self.gsvr.why_not(action.id) if action.scope is Scope.APP else self.why_not(action.id)

    def _title(self, action: Action) -> str:
        return self.gsvr.label(action) if action.scope is Scope.APP else self.label(action)

    def _tabs(self, width: int) -> Content:
        name = "gsvr-tui" if width >= 78 else "gsvr"
        pieces = [styled(name, "bold $foreground")]
        for mode, key, title in TABS:
            here = self.gsvr.current_mode == mode
            style = "bold $accent underline" if here else "$muted"
            pieces.append(
                Content.from_markup(f"[@click=app.act('show_{mode}')][$accent]{key}[/] [{style}]{title}[/][/]")
            )
        if self.gsvr.options.demo:
            pieces.append(styled("demo", "$status-rest"))
        tabs, money = Content("   ").join(pieces), self._money()
        url = styled(f"   {self.model.base_url}", "$muted") if self.model.base_url else Content("")
        if tabs.cell_length + url.cell_length + 2 + money.cell_length <= width:
            tabs = join(tabs, url)  # half an address says less than none
        return spread(tabs, money, width)

    def _money(self) -> Content:
        status = self.model.status
        alerts = self.model.alert_count()
        parts: list[Content] = []
        if alerts:
            parts.append(Content.from_markup(f"[@click=app.act('alerts')][bold $status-fail]! {alerts:,}[/][/]"))
        near = status.cap_usd is not None and status.spent_usd >= 0.9 * status.cap_usd
        parts.append(styled(words.spend(status), "$status-rest" if near else "$muted"))
        return Content("   ").join(parts)

    def _status(self, width: int) -> Content:
        status = self.model.status
        look = self.marks.runs[status.state]
        facts = words.status_facts(status, self.now(), self.gsvr.options.timezone)
        pieces = [word(look, bold=True)]
        calm = "$foreground" if status.state is not RunState.IDLE else "$muted"
        pieces += [styled(fact, calm if index == 0 else "$muted") for index, fact in enumerate(facts)]
        return pieces_that_fit(pieces, width)

    # ------------------------------------------------------------ changes

    def model_changed(self, change: Change) -> None:
        """The read model changed; called at most 15 times a second, also while another screen is on top."""
        if change.status or change.everything or change.accounts or change.jobs:
            self.refresh_top()
            self.refresh_keys()

    def on_resize(self) -> None:
        """Width decides what fits."""
        self.call_after_refresh(self._resized)

    def on_screen_resume(self) -> None:
        """Back on top: everything may be old."""
        self._resized()

    def _resized(self) -> None:
        self.refresh_top()
        self.refresh_keys()


class ListScreen(TableScreen):
    """A screen with one list that the move keys act on."""

    @property
    def listing(self) -> LineList:
        """The list."""
        raise NotImplementedError

    def go(self, index: int) -> None:
        """Put the cursor on a line."""
        self.listing.go_to(index)

    def do_down(self) -> None:
        """Next line."""
        self.go(self.listing.cursor + 1)

    def do_up(self) -> None:
        """Line before."""
        self.go(self.listing.cursor - 1)

    def do_page_down(self) -> None:
        """A screen down."""
        self.go(self.listing.cursor + self.listing.page())

    def do_page_up(self) -> None:
        """A screen up."""
        self.go(self.listing.cursor - self.listing.page())

    def do_first(self) -> None:
        """First line."""
        self.go(0)

    def do_last(self) -> None:
        """Last line."""
        self.go(self.listing.count() - 1)
