"""Help: the screen's purpose, then its keys by group, then those that work everywhere. Typing filters; Enter runs."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from gsvr_tui.ui.actions import Action, Scope, actions_of
from gsvr_tui.ui.safe import fit, join, safe, styled
from gsvr_tui.ui.screens.base import TableScreen

_KEYS = 14


class HelpScreen(ModalScreen[str | None]):
    """Help for one screen; gives the full id of the action chosen."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "close", "Close", id="help.close"),
        Binding("down", "step(1)", "Down", id="help.down"),
        Binding("up", "step(-1)", "Up", id="help.up"),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._about = about
        self._scopes = (about.SCOPE, Scope.APP) if isinstance(about, TableScreen) else (Scope.APP,)

    def compose(self) -> ComposeResult:
        """Purpose, filter, keys."""
        with Vertical(classes="dialog help"):
            yield Static(safe(f"Help: {self._scopes[0].value}"), classes="dialog-title")
            if isinstance(self._about, TableScreen) and self._about.HELP:
                yield Static(safe(self._about.HELP, newlines=True), classes="dialog-text")
            yield Input(placeholder="type to filter, Enter runs the line", id="help-filter")
            yield OptionList(id="help-keys", markup=False)

    def on_mount(self) -> None:
        """All keys at first."""
        self._fill("")
        self.query_one(Input).focus()

    def _fill(self, wanted: str) -> None:
        listing = self.query_one(OptionList)
        listing.clear_options()
        wanted = wanted.casefold()
        for scope in self._scopes:
            for group, actions in _by_group(scope, wanted).items():
                title = f"{group}, everywhere" if scope is Scope.APP else group
                listing.add_option(Option(styled(title, "bold $foreground"), disabled=True))
                listing.add_options([Option(self._line(action), id=action.full_id) for action in actions])
        if listing.option_count:
            listing.action_first()
            listing.scroll_home(animate=False)

    def _line(self, action: Action) -> Content:
        keys = styled(f"  {fit(action.shown_keys, _KEYS)}", "$accent")
        return join(keys, " ", (fit(action.title, 16), "$foreground"), " ", (action.help, "$muted"))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._fill(event.value.strip())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_step(self, by: int) -> None:
        """Move in the list while the filter has the focus."""
        listing = self.query_one(OptionList)
        if by > 0:
            listing.action_cursor_down()
        else:
            listing.action_cursor_up()


def _by_group(scope: Scope, wanted: str) -> dict[str, list[Action]]:
    groups: dict[str, list[Action]] = {}
    for action in actions_of(scope):
        if wanted in f"{action.title} {action.help} {action.shown_keys}".casefold():
            groups.setdefault(action.group, []).append(action)
    return groups
