"""Add videos: type, paste or pick files and folders; template, model and folder of the reports."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from rich.text import Text, TextType
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, DirectoryTree, Input, Label, Select, Static

from gsvr_tui.core.text import clean_text
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.read_model import ReadModel
from gsvr_tui.ui.safe import safe


def split_paths(text: str) -> tuple[str, ...]:
    """Paths of a typed, pasted or dropped text: one a line, or quoted as shells do; `file://` and `~` work."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    paths: list[str] = []
    for line in lines:
        if Path(_plain(line)).exists():
            paths.append(_plain(line))
            continue
        try:
            words = shlex.split(line, posix=os.name != "nt")
        except ValueError:  # an unmatched quote: take it as it is
            words = [line]
        plain = [_plain(word.strip("\"'")) for word in words]
        # blanks in a name that was pasted without quotes: several words of which none exists
        paths += plain if any(Path(path).exists() for path in plain) else [_plain(line.strip("\"'"))]
    return tuple(dict.fromkeys(paths))


def _plain(word: str) -> str:
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    return str(Path(word).expanduser())


VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "flv", "mpg", "mpeg", "ts", "mts", "m2ts", "3gp", "3g2",
        "ogv", "asf", "vob", "f4v",
    )
)  # fmt: skip


class VideoTree(DirectoryTree):
    """Folders and videos only. Names are shown as they are, never read as markup."""

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def __init__(self, path: str, *, ascii_only: bool, widget_id: str) -> None:
        super().__init__(path, id=widget_id)
        self.guide_depth = 2
        self.show_guides = False
        if ascii_only:
            self.ICON_NODE, self.ICON_NODE_EXPANDED = "+ ", "- "

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """No hidden ones, no other files."""
        for path in paths:
            if not path.name.startswith(".") and (path.suffix.lower() in VIDEO_SUFFIXES or path.is_dir()):
                yield path

    def process_label(self, label: TextType) -> Text:
        """Text from the disk, cleaned; a str would be read as markup."""
        return Text(clean_text(str(label)), end="")


class PathInput(Input):
    """Keeps the line breaks of a paste of several paths apart."""

    def _on_paste(self, event: events.Paste) -> None:
        lines = [line.strip() for line in event.text.splitlines() if line.strip()]
        if len(lines) > 1:
            self.insert_text_at_cursor(" ".join(shlex.quote(line.strip("\"'")) for line in lines))
            event.stop()
            event.prevent_default()
            return
        super()._on_paste(event)


class AddVideosScreen(ModalScreen[dict[str, Any] | None]):
    """Gives the fields of AddJobs, or None; `plan` is among them when they are to be planned first.

    With `plan` given they are planned anyway, and template and model are chosen on the plan.
    """

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Back", id="add.close")]

    def __init__(
        self, model: ReadModel, options: UiOptions, *, plan: bool = False, paths: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self._model, self._options, self._plan, self._paths = model, options, plan, paths

    def compose(self) -> ComposeResult:
        """Paths, tree, options, buttons."""
        start = self._options.start_folder or str(Path.cwd())
        with Vertical(classes="dialog add"):
            yield Static(safe("Plan videos" if self._plan else "Add videos"), classes="dialog-title")
            yield PathInput(
                " ".join(map(shlex.quote, self._paths)),
                placeholder="files or folders; paste or drop them here",
                id="paths",
            )
            yield VideoTree(start, ascii_only=self._options.ascii, widget_id="tree")
            with Grid(classes="form"):
                if self._model.templates and not self._plan:
                    yield Label(safe("Template"))
                    yield self._select(self._model.templates, "template")
                if self._model.models and not self._plan:
                    yield Label(safe("Model"))
                    yield self._select(self._model.models, "model")
                yield Label(safe("Reports to"))
                yield Input(value=clean_text(self._options.default_output), id="output",
                            placeholder="empty: as configured")  # fmt: skip
            yield Static(id="add-problem", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                if not self._plan:
                    yield Button("Add", id="ok")
                yield Button("Plan" if self._plan else "Plan first", id="plan-first")
                yield Button("Back", id="cancel")

    def _select(self, names: tuple[str, ...], widget_id: str) -> Select[str]:
        return Select([(safe(name), name) for name in names], prompt="as configured", id=widget_id, compact=True)

    def on_mount(self) -> None:
        """Ready to paste."""
        self.query_one("#paths").focus()

    @on(DirectoryTree.FileSelected)
    @on(DirectoryTree.DirectorySelected)
    def _picked(self, event: DirectoryTree.FileSelected | DirectoryTree.DirectorySelected) -> None:
        line = self.query_one("#paths", Input)
        paths = dict.fromkeys(split_paths(line.value))
        path = str(event.path)
        if path in paths:
            del paths[path]
        else:
            paths[path] = None
        line.value = " ".join(shlex.quote(name) for name in paths)

    @on(Input.Submitted)
    @on(Button.Pressed, "#ok, #plan-first")
    def _ok(self, event: Input.Submitted | Button.Pressed) -> None:
        paths = split_paths(self.query_one("#paths", Input).value)
        problem = self._problem(paths)
        self.query_one("#add-problem", Static).update(safe(problem))
        if problem:
            self.query_one("#paths").focus()
            return
        wanted: dict[str, Any] = {"paths": tuple(str(Path(path).absolute()) for path in paths)}
        output = self.query_one("#output", Input).value.strip()
        if output and output != self._options.default_output:
            wanted["output_dir"] = str(Path(output).expanduser().absolute())
        for name in ("template", "model"):
            for chooser in self.query(f"#{name}").results(Select):
                if isinstance(chooser.value, str):
                    wanted[name] = chooser.value
        if self._plan or (isinstance(event, Button.Pressed) and event.button.id == "plan-first"):
            wanted["plan"] = True
        self.dismiss(wanted)

    def _problem(self, paths: tuple[str, ...]) -> str:
        if not paths:
            return "Name at least one video or folder"
        missing = [path for path in paths if not Path(path).exists()]
        return f"There is no {missing[0]}" if missing else ""

    @on(Button.Pressed, "#cancel")
    def action_close(self) -> None:
        """Add nothing."""
        self.dismiss(None)
