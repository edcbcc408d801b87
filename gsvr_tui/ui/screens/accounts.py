"""Accounts: who may work, how much of each project's quota is used, and until when it rests."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from gsvr_tui.core.messages import CheckAccount, EnableAccount, RemoveAccount
from gsvr_tui.core.models import AccountHealth
from gsvr_tui.ui import words
from gsvr_tui.ui.actions import Action, Scope, bindings
from gsvr_tui.ui.read_model import Change
from gsvr_tui.ui.safe import join, styled
from gsvr_tui.ui.screens.account_text import about
from gsvr_tui.ui.screens.base import TableScreen
from gsvr_tui.ui.screens.confirm import Choice, ConfirmScreen
from gsvr_tui.ui.screens.replace_key import ReplaceKeyScreen
from gsvr_tui.ui.widgets.account_list import AccountList
from gsvr_tui.ui.widgets.bars import Line
from gsvr_tui.ui.widgets.line_list import LineList

_READY = frozenset({AccountHealth.OK, AccountHealth.UNCHECKED})
_SECONDS = 5.0
"""Times shown are brought up to date this often while the screen is on top."""


class AccountsScreen(TableScreen):
    """The list and what to do about the account under the cursor."""

    SCOPE = Scope.ACCOUNTS
    HELP = (
        "Quota belongs to the project: keys of the same project share it, a further project adds to it.\n"
        "A bar shows what is used, then what is reserved for requests in flight."
    )
    CSS_PATH = "../styles/accounts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.ACCOUNTS)

    def compose(self) -> ComposeResult:
        """Summary, list, advice, keys."""
        options = self.gsvr.options
        yield from self.compose_top()
        yield Line(id="ready")
        yield AccountList(
            self.model, clock=options.clock, zone=options.timezone, marks=self.marks, widget_id="accounts"
        )
        yield Static(id="empty")
        with VerticalScroll(id="trouble", can_focus=False):
            yield Static(id="what")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        """The list takes the keys."""
        self.accounts.focus()
        self.accounts.rebuild()
        self.set_interval(_SECONDS, self._tick)

    @property
    def accounts(self) -> AccountList:
        """The list."""
        return self.query_one("#accounts", AccountList)

    def _tick(self) -> None:
        if self.is_current:
            self._refresh_list()

    def model_changed(self, change: Change) -> None:
        """Accounts and quota."""
        super().model_changed(change)
        if (change.accounts or change.quota or change.everything) and self.is_mounted:
            self.accounts.rebuild()
            self._refresh_list()

    def _resized(self) -> None:
        super()._resized()
        if self.is_mounted:
            self._refresh_list()

    def _refresh_list(self) -> None:
        rows = self.model.accounts
        self.accounts.display = bool(rows)
        empty = self.query_one("#empty", Static)
        empty.display = not rows
        if not rows:
            title = styled("No accounts yet", "bold $foreground")
            add = join(("  a  ", "bold $accent"), ("add Gemini API keys, several at once", "$foreground"))
            empty.update(Content("\n").join([title, Content(""), add]))
        ready = sum(row.health in _READY for row in rows)
        line = join((f"{ready} of {words.plural(len(rows), 'account')} ready", "$foreground")) if rows else Content("")
        if self.model.quota:
            resets = min(row.day_resets_at for row in self.model.quota)
            when = words.clock_time(resets, self.now(), self.gsvr.options.timezone)
            line = join(
                line, (f"   the day's quota resets at {when} (in {words.rough(resets - self.now())})", "$muted")
            )
        self.query_one("#ready", Line).show(line)
        self.accounts.refresh()
        self._refresh_trouble()

    def _refresh_trouble(self) -> None:
        row = self.accounts.account
        text = Content("")
        if row is not None:
            quota = [item for item in self.model.quota if item.project == row.project]
            text = about(row, quota, self.now(), self.gsvr.options.timezone, self.marks, self.size.width)
        self.query_one("#trouble").display = row is not None
        self.query_one("#what", Static).update(text)
        self.refresh_keys()

    def on_line_list_moved(self, _: LineList.Moved) -> None:
        """Another account."""
        self._refresh_trouble()

    # ------------------------------------------------------------ acts

    def why_not(self, name: str) -> str:
        """Acts on an account need one."""
        if name in ("check", "toggle", "remove", "replace") and self.accounts.account is None:
            return "There is no account here; a adds one"
        row = self.accounts.account
        if name == "replace" and row is not None and row.key_ref.kind == "env":
            return f"The key is read from ${row.key_ref.name}: set the variable anew and start again"
        return ""

    def label(self, action: Action) -> str:
        """On or off."""
        row = self.accounts.account
        if action.id == "toggle" and row is not None:
            return "Enable" if row.health is AccountHealth.DISABLED else "Disable"
        return action.title

    def do_down(self) -> None:
        """Next account."""
        self.accounts.step(1)

    def do_up(self) -> None:
        """Previous account."""
        self.accounts.step(-1)

    def do_add(self) -> None:
        """The wizard."""
        self.gsvr.open_wizard()

    def do_check(self) -> None:
        """Ask the service now."""
        row = self.accounts.account
        if row is not None:
            name = row.name
            self.gsvr.link.send(
                CheckAccount(self.gsvr.link.new_id(), name), done=lambda answer: answer.message or f"{name}: checked"
            )

    def do_toggle(self) -> None:
        """Use it or not."""
        row = self.accounts.account
        if row is not None:
            name, on = row.name, row.health is AccountHealth.DISABLED
            text = f"{name} is used again" if on else f"{name} is left alone; what it has in flight finishes"
            self.gsvr.link.send(EnableAccount(self.gsvr.link.new_id(), name, on), done=lambda _: text)

    @work
    async def do_replace(self) -> None:
        """Another key."""
        row = self.accounts.account
        if row is not None and (said := await self.gsvr.push_screen_wait(ReplaceKeyScreen(row))):
            self.gsvr.tell(said)

    @work
    async def do_remove(self) -> None:
        """After a question."""
        row = self.accounts.account
        if row is None:
            return
        stored = "The variable itself is not touched." if row.key_ref.kind == "env" else "Its stored key is deleted."
        answer = await self.gsvr.push_screen_wait(
            ConfirmScreen(
                f"Remove {row.name}?",
                f"{stored} Jobs and reports stay; files uploaded by it are forgotten.",
                (Choice("no", "Keep it"), Choice("yes", "Remove", "fail")),
            )
        )
        if answer == "yes":
            name = row.name
            self.gsvr.link.send(RemoveAccount(self.gsvr.link.new_id(), name), done=lambda _: f"Removed {name}")
