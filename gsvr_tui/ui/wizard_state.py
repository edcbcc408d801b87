"""What the wizard knows of the keys entered so far. Pure; keys are Secrets and never text here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from gsvr_tui.core.messages import CommandRefused, KeyChecked
from gsvr_tui.core.secret import Secret

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_COMPLETE = re.compile(r"AIza[0-9A-Za-z_-]{35}|AQ\.[0-9A-Za-z_-]{20,}")
SHORTEST_PASSPHRASE = 8
SHORTEST_KEY = 20


class Stage(StrEnum):
    """Where one key stands."""

    CHECKING = "checking"
    GOOD = "good"
    UNSURE = "unsure"  # not reached, or a variable that only the service can read; may be kept
    BAD = "bad"  # the service said no
    KEEPING = "keeping"
    KEPT = "kept"
    REFUSED = "refused"  # could not be stored; may be tried again


@dataclass(slots=True)
class Entry:
    """One key, or the name of an environment variable that holds one."""

    number: int
    key: Secret | None
    env: str
    name: str
    project: str
    stage: Stage
    text: str = ""
    advice: str = ""

    @property
    def shown(self) -> str:
        """The last characters of the key, or the variable."""
        return f"${self.env}" if self.env else f"…{self.key.tail}" if self.key is not None else ""

    @property
    def can_be_kept(self) -> bool:
        """True for what `Keep` works on."""
        return self.stage in (Stage.GOOD, Stage.UNSURE, Stage.REFUSED, Stage.CHECKING)


class Entries:
    """The keys entered, in order."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.items: list[Entry] = []
        self._taken = set(taken)
        self._count = 0

    def add(self, text: str) -> tuple[list[Entry], str]:
        """New entries of a typed or pasted text (blanks, commas and line ends part keys), and what is wrong with it."""
        new: list[Entry] = []
        problem = ""
        for word in re.split(r"[\s,;]+", text.strip()):
            word = word.strip("\"'")
            if not word:
                continue
            variable = _VARIABLE.fullmatch(word)
            secret = None if variable else Secret(word)
            env = variable[1] if variable else ""
            if any(item.key == secret and item.env == env for item in self.items):
                problem = "That key is in the list already"
                continue
            if secret is not None and len(word) < SHORTEST_KEY:
                problem = "That is too short for a key; paste the whole key, or write $NAME for a variable"
                continue
            self._count += 1
            name = self._free_name()
            stage = Stage.UNSURE if env else Stage.CHECKING
            entry = Entry(self._count, secret, env, name, name, stage, "read when it is kept" if env else "checking")
            self.items.append(entry)
            new.append(entry)
        return new, problem

    def remove(self, entry: Entry) -> None:
        """Forget a key."""
        self.items.remove(entry)

    def checked(self, entry: Entry, answer: object) -> None:
        """Take the answer to CheckKey in."""
        match answer:
            case KeyChecked(ok=True, models=models, advice=advice):
                entry.stage = Stage.GOOD
                entry.text = f"works, {len(models)} model{'' if len(models) == 1 else 's'}" if models else "works"
                entry.advice = advice
            case KeyChecked(dead=dead, message=message, advice=advice):
                entry.stage = Stage.BAD if dead else Stage.UNSURE
                entry.text, entry.advice = message, advice
                if not dead and not advice:
                    entry.advice = "It may be kept all the same and checked later."
            case CommandRefused(message=message, advice=advice):
                entry.stage, entry.text, entry.advice = Stage.UNSURE, message, advice

    def by_project(self) -> list[Entry]:
        """Keys of the same project together, projects in the order of their first key."""
        order: dict[str, list[Entry]] = {}
        for item in self.items:
            order.setdefault(item.project.strip().casefold(), []).append(item)
        return [item for group in order.values() for item in group]

    def shared(self) -> dict[str, list[Entry]]:
        """Projects that have more than one key here."""
        groups: dict[str, list[Entry]] = {}
        for item in self.items:
            groups.setdefault(item.project.strip(), []).append(item)
        return {project: members for project, members in groups.items() if len(members) > 1}

    def to_keep(self) -> list[Entry]:
        """What can be stored."""
        return [item for item in self.items if item.can_be_kept]

    def count(self, stages: Iterable[Stage]) -> int:
        """How many stand there."""
        wanted = set(stages)
        return sum(item.stage in wanted for item in self.items)

    def problem(self) -> str:
        """What must be mended before storing, in a sentence."""
        seen = set(self._taken)
        for item in self.items:
            if item.stage in (Stage.BAD, Stage.KEPT):
                seen.add(item.name.strip())
                continue
            name = item.name.strip()
            if not name:
                return f"The key {item.shown} needs a name"
            if name in seen:
                return f"There is an account called {name} already; choose another name"
            if not item.project.strip():
                return f"{name} needs a project: any word, the same for all keys of one Google Cloud project"
            seen.add(name)
        if self.count({Stage.CHECKING}):
            return "Keys are being checked; one moment"
        return "" if self.to_keep() else "There is no key to keep yet"

    def _free_name(self) -> str:
        names = self._taken | {item.name for item in self.items}
        number = 1
        while f"account-{number}" in names:
            number += 1
        return f"account-{number}"


def complete_keys(text: str) -> bool:
    """True when a paste is whole keys, so that it need not be confirmed with Enter."""
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    return bool(words) and all(_COMPLETE.fullmatch(word.strip("\"'")) for word in words)


def passphrase_problem(first: str, second: str, *, vault_exists: bool) -> str:
    """What is wrong with the passphrase of the vault; `second` is not looked at when the vault exists."""
    if not first:
        return "Give the passphrase of the encrypted file"
    if vault_exists:
        return ""
    if len(first) < SHORTEST_PASSPHRASE:
        return f"A passphrase of at least {SHORTEST_PASSPHRASE} characters, please"
    return "" if first == second else "The two passphrases differ"
