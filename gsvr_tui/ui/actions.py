"""The one table of actions: bindings, footer, help page and palette are all derived from it.

An action `retry` of the scope QUEUE is carried out by `do_retry` of the queue screen; `why_not` there says when it
can't act. A key in this table never does nothing without saying why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding, BindingType


class Scope(StrEnum):
    """Where an action's keys work. The chain is App → screen; a screen's key hides the app's."""

    APP = "everywhere"
    QUEUE = "queue"
    ACCOUNTS = "accounts"
    LOGS = "logs"
    PLAN = "plan"
    DETAIL = "job"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the user can do. `footer` ranks it for the key bar, 0: not shown there."""

    id: str
    scope: Scope
    keys: tuple[str, ...]
    title: str
    help: str
    group: str
    footer: int = 0
    confirm: bool = False  # may ask before it acts
    priority: bool = False  # works while a text field has the focus

    @property
    def full_id(self) -> str:
        """Unique over all scopes; the id of its Binding."""
        return f"{self.scope.name.lower()}.{self.id}"

    @property
    def shown_key(self) -> str:
        """The first key as people write it."""
        return KEY_NAMES.get(self.keys[0], self.keys[0])

    @property
    def shown_keys(self) -> str:
        """All keys as people write them."""
        return " ".join(KEY_NAMES.get(key, key) for key in self.keys)


KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "colon": ":",
    "enter": "Enter",
    "escape": "Esc",
    "space": "space",
    "up": "Up",
    "down": "Down",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "ctrl+p": "Ctrl+P",
    "ctrl+q": "Ctrl+Q",
    "ctrl+l": "Ctrl+L",
    "f1": "F1",
    "f2": "F2",
    "upper_n": "N",
}


def _list_moves(scope: Scope) -> tuple[Action, ...]:
    rows = (
        ("down", ("j", "down"), "Down", "next line"),
        ("up", ("k", "up"), "Up", "previous line"),
        ("page_down", ("pagedown",), "Page down", "a screen down"),
        ("page_up", ("pageup",), "Page up", "a screen up"),
        ("first", ("g", "home"), "First", "first line"),
        ("last", ("G", "end"), "Last", "last line"),
    )
    return tuple(Action(name, scope, keys, title, text, "Move") for name, keys, title, text in rows)


_A, _Q, _C, _L, _P, _D = Scope.APP, Scope.QUEUE, Scope.ACCOUNTS, Scope.LOGS, Scope.PLAN, Scope.DETAIL

ACTIONS: tuple[Action, ...] = (
    Action("show_queue", _A, ("1",), "Queue", "the list of jobs", "Screens"),
    Action("show_accounts", _A, ("2",), "Accounts", "accounts and their quota", "Screens"),
    Action("show_logs", _A, ("3",), "Logs", "what happened", "Screens"),
    Action("show_plan", _A, ("4",), "Plan", "what adding videos would take, before it starts", "Screens"),
    Action("alerts", _A, ("exclamation_mark",), "Alerts", "what needs you, grouped", "Screens"),
    Action("pause", _A, ("p",), "Pause", "pause: what is in flight finishes; the same key goes on", "Run", 1),
    Action("pause_now", _A, ("P",), "Stop now", "pause without waiting; what is in flight is sent again", "Run",
           confirm=True),
    Action("workers_more", _A, ("W",), "More workers", "one more request at the same time", "Run"),
    Action("workers_fewer", _A, ("w",), "Fewer workers", "one less; 0 lets the program choose", "Run"),
    Action("undo", _A, ("u",), "Undo", "take the last cancel, hold or priority back", "Run"),
    Action("palette", _A, ("ctrl+p", "colon", "f2"), "Commands", "find a command by its name", "Help", 90),
    Action("help", _A, ("question_mark", "f1"), "Help", "the keys of this screen", "Help", 99),
    Action("repaint", _A, ("ctrl+l",), "Repaint", "draw the screen anew", "Help"),
    Action("quit", _A, ("q",), "Quit", "leave; asks when work is running", "Help", confirm=True),
    Action("quit_any", _A, ("ctrl+q",), "Quit", "leave, from anywhere", "Help", confirm=True, priority=True),
    # queue
    *_list_moves(_Q),
    Action("detail", _Q, ("enter",), "Detail", "everything about this job", "List", 2),
    Action("mark", _Q, ("space",), "Mark", "mark this job and step down", "Marks", 3),
    Action("range", _Q, ("v",), "Mark range", "mark from the last mark to here", "Marks"),
    Action("mark_all", _Q, ("asterisk",), "Mark all", "mark all the list shows", "Marks"),
    Action("filter", _Q, ("slash",), "Filter", "state:failed why:quota batch:w3 acct:b words", "List", 4),
    Action("chip_next", _Q, ("right_square_bracket",), "Next state", "show only jobs of the next state", "List"),
    Action("chip_back", _Q, ("left_square_bracket",), "Previous state", "show only jobs of the state before", "List"),
    Action("sort", _Q, ("s",), "Sort", "by queue, name, state, length, cost", "List"),
    Action("reverse", _Q, ("S",), "Reverse", "the other way round", "List"),
    Action("side", _Q, ("i",), "Side panel", "show or hide the panel beside the list", "List"),
    Action("back", _Q, ("escape",), "Clear", "clear the marks, then the filter", "List"),
    Action("add", _Q, ("a",), "Add", "add videos or folders", "Jobs", 7),
    Action("hold", _Q, ("h",), "Hold", "hold or release jobs; the queue goes on", "Jobs", 8),
    Action("retry", _Q, ("r",), "Retry", "queue finished jobs again", "Jobs", 5, confirm=True),
    Action("cancel", _Q, ("x",), "Cancel", "cancel jobs; u takes it back", "Jobs", 6, confirm=True),
    Action("priority_up", _Q, ("plus",), "Sooner", "one class up", "Jobs"),
    Action("priority_down", _Q, ("minus",), "Later", "one class down", "Jobs"),
    Action("open", _Q, ("o",), "Open", "open the report", "Jobs"),
    Action("copy", _Q, ("y",), "Copy", "copy the name, or what went wrong", "Jobs"),
    # accounts
    Action("down", _C, ("j", "down"), "Down", "next account", "Move"),
    Action("up", _C, ("k", "up"), "Up", "previous account", "Move"),
    Action("add", _C, ("a",), "Add", "add accounts: several keys at once", "Accounts", 2),
    Action("check", _C, ("c",), "Check", "ask the service whether the key works", "Accounts", 3),
    Action("replace", _C, ("e",), "New key", "give the account another key; project and history stay", "Accounts", 4),
    Action("toggle", _C, ("d",), "On/off", "use this account or leave it alone", "Accounts", 5),
    Action("remove", _C, ("x",), "Remove", "remove the account and its stored key", "Accounts", 6, confirm=True),
    # logs
    *_list_moves(_L),
    Action("follow", _L, ("f",), "Follow", "stay at the newest line", "Logs", 2),
    Action("less", _L, ("minus",), "Fewer", "only graver lines", "Logs", 4),
    Action("more", _L, ("plus",), "More", "also less grave lines", "Logs", 3),
    Action("find", _L, ("slash",), "Find", "find text", "Logs", 5),
    Action("find_next", _L, ("n",), "Next", "next match", "Logs"),
    Action("find_back", _L, ("N",), "Previous", "match before", "Logs"),
    Action("expand", _L, ("enter",), "Fields", "show or hide a line's fields", "Logs", 6),
    Action("job", _L, ("o",), "Job", "go to the line's job", "Logs", 7),
    Action("back", _L, ("escape",), "Clear", "clear what is searched for", "Logs"),
    # plan
    Action("down", _P, ("j", "down"), "Down", "next way to do it", "Move"),
    Action("up", _P, ("k", "up"), "Up", "the way before it", "Move"),
    Action("page_down", _P, ("pagedown",), "Page down", "read on below the table", "Move"),
    Action("page_up", _P, ("pageup",), "Page up", "read back", "Move"),
    Action("start", _P, ("enter",), "Start", "add the videos to the queue; on another way: what it takes", "Plan", 1),
    Action("add", _P, ("a",), "Videos", "choose videos or folders", "Plan", 2),
    Action("path", _P, ("slash",), "Paths", "type or paste paths", "Plan", 3),
    Action("template", _P, ("t",), "Template", "plan with another template", "Plan", 4),
    Action("model", _P, ("m",), "Model", "plan with another model", "Plan", 5),
    Action("cap", _P, ("c",), "Cap", "most that these videos may cost", "Plan", 6),
    Action("again", _P, ("r",), "Again", "plan anew: quota and accounts may have changed", "Plan", 7),
    Action("back", _P, ("escape",), "Back", "stop looking into videos; leave the path field", "Plan"),
    # one job
    Action("back", _D, ("escape", "q"), "Back", "back to the list", "Job", 1),
    Action("next_tab", _D, ("tab",), "Next part", "overview, report, answer", "Job", 2),
    Action("next_job", _D, ("n",), "Next job", "the next job of the list", "Job", 3),
    Action("previous_job", _D, ("N",), "Job before", "the job before it", "Job"),
    Action("open", _D, ("o",), "Open", "open the report", "Job", 4),
    Action("retry", _D, ("r",), "Retry", "queue it again", "Job", 5, confirm=True),
    Action("cancel", _D, ("x",), "Cancel", "cancel it; u takes it back", "Job", 6),
    Action("hold", _D, ("h",), "Hold", "hold or release it", "Job", 7),
    Action("copy", _D, ("y",), "Copy", "copy the path, or what went wrong", "Job"),
)  # fmt: skip


def actions_of(scope: Scope) -> tuple[Action, ...]:
    """The actions of one scope, in the table's order."""
    return tuple(action for action in ACTIONS if action.scope is scope)


def find(scope: Scope, name: str) -> Action:
    """One action. Raises KeyError."""
    for action in ACTIONS:
        if action.scope is scope and action.id == name:
            return action
    raise KeyError(f"{scope.name}.{name}")


def bindings(scope: Scope) -> list[BindingType]:
    """Textual bindings of one scope; each has an id, so that a keymap can move it."""
    target = "app.act" if scope is Scope.APP else "screen.act"
    return [
        Binding(
            ",".join(action.keys),
            f"{target}('{action.id}')",
            action.title,
            show=False,
            id=action.full_id,
            priority=action.priority,
        )
        for action in actions_of(scope)
    ]


def clashes(actions: tuple[Action, ...] = ACTIONS) -> list[str]:
    """Keys two actions of one scope claim. A screen may hide an app's key only with the same meaning (`hides`)."""
    owners: dict[tuple[Scope, str], str] = {}
    found: list[str] = []
    for action in actions:
        for key in action.keys:
            other = owners.setdefault((action.scope, key), action.full_id)
            if other != action.full_id:
                found.append(f"{key}: {other} and {action.full_id}")
    for (scope, key), owner in owners.items():
        app = owners.get((Scope.APP, key))
        if scope is not Scope.APP and app is not None and (owner, app) not in ALLOWED_HIDING:
            found.append(f"{key}: {owner} hides {app}")
    return found


ALLOWED_HIDING = frozenset({("detail.back", "app.quit")})
"""`q` goes back where there is something to go back to, and quits at the root."""


def markdown_table(scopes: tuple[Scope, ...] = tuple(Scope)) -> str:
    """The keys as Markdown tables, one per scope, for the README: it can't differ from what the keys do."""
    lines: list[str] = []
    for scope in scopes:
        lines += [f"**{scope.value}**", "", "| key | does |", "|---|---|"]
        for action in actions_of(scope):
            keys = " ".join(f"`{key}`" for key in action.shown_keys.split(" "))
            lines.append(f"| {keys} | {action.help} |")
        lines.append("")
    return "\n".join(lines)
