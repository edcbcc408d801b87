"""The command palette: every action of the table that works here, with its key, then the app-wide commands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from gsvr_tui.ui.actions import ACTIONS, Action, Scope

if TYPE_CHECKING:
    from gsvr_tui.ui.base_app import BaseApp

_NOT_OFFERED = frozenset({"palette", "quit_any", "up", "down", "page_up", "page_down", "first", "last", "back"})


class ActionProvider(Provider):
    """Offers what can be done now on the screen below the palette."""

    def _offers(self) -> Iterator[tuple[Action, Any]]:
        scope = getattr(self.screen, "SCOPE", None)
        for action in sorted(ACTIONS, key=lambda action: action.scope is Scope.APP):
            if action.id in _NOT_OFFERED or action.scope not in (scope, Scope.APP):
                continue
            target: Any = cast("BaseApp", self.app) if action.scope is Scope.APP else self.screen
            if not target.why_not(action.id):
                yield action, target

    async def discover(self) -> Hits:
        """Everything, when nothing is typed yet."""
        for action, target in self._offers():
            yield DiscoveryHit(
                f"{target.label(action)}  ({action.shown_key})", partial(target.action_act, action.id), help=action.help
            )
        for title, text, run, _ in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(title, run, help=text)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for action, target in self._offers():
            title = f"{target.label(action)}: {action.help}  ({action.shown_key})"
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(target.action_act, action.id), help=action.help)
        for title, text, run, _ in self.app.get_system_commands(self.screen):
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=text)
