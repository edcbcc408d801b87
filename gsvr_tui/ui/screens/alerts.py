"""Alerts: what needs the user, equal ones as one; Enter goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gsvr_tui.ui.read_model import Alert
from gsvr_tui.ui.safe import join, safe

if TYPE_CHECKING:
    from gsvr_tui.ui.base_app import BaseApp


class AlertsScreen(ModalScreen[Alert | None]):
    """A list of alerts; gives the one chosen."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "close", "Close", id="alerts.close"),
        Binding("j", "step(1)", "Down", id="alerts.down"),
        Binding("k", "step(-1)", "Up", id="alerts.up"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._alerts: list[Alert] = []

    def compose(self) -> ComposeResult:
        """Title, list, and what Enter does."""
        app = cast("BaseApp", self.app)
        self._alerts = app.link.model.alerts()
        title = "Nothing needs you" if not self._alerts else "What needs you"
        with Vertical(classes="dialog help"):
            yield Static(safe(title), classes="dialog-title")
            yield OptionList(*[self._option(alert) for alert in self._alerts], markup=False)
            yield Static(safe("Enter shows them   Esc closes"), classes="dialog-hint")

    def _option(self, alert: Alert) -> Option:
        count = (f"{alert.count:,} x  ", "bold $status-fail") if alert.count > 1 else ("", "")
        return Option(join(count, (alert.text, "$foreground"), "\n", (f"  {alert.advice}", "$muted")))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._alerts[event.option_index])

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_step(self, by: int) -> None:
        """Like the arrow keys."""
        listing = self.query_one(OptionList)
        if by > 0:
            listing.action_cursor_down()
        else:
            listing.action_cursor_up()
