"""What can be wrong with a file the user wrote, told so that it can be put right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gsvr_tui.core.text import clean_text

Path = tuple[str | int, ...]
"""A place in a document: names of mappings and indexes of lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where, what, and what to write instead. `line` and `column` count from 1; 0 is the whole file.

    Never holds a value that may be a key.
    """

    file: str
    line: int
    column: int
    key_path: str
    what: str
    instead: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key_path}: " if self.key_path else ""
        advice = f" Write: {self.instead}" if self.instead else ""
        return clean_text(f"{place}: {key}{self.what}{advice}")


class ConfigError(Exception):
    """The file can't be used as it is. `str()` is one line per problem, fit for the user."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def show_path(path: Path) -> str:
    """`("accounts", 0, "key")` as `accounts[0].key`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
