"""The filter line: `state:failed why:quota batch:w3 acct:lab text …`. Pure.

Words match the name; `key:value` narrows; quotes keep blanks together. All parts must match; case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gsvr_tui.core.messages import BatchRow, JobRow
from gsvr_tui.core.models import JobState

_TOKEN = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
KEYS = ("state", "why", "batch", "acct", "model")

Predicate = Callable[[JobRow], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A filter line as parsed. `problem` says what is not understood; that part is then ignored."""

    names: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.names or self.keys)


def parse(text: str) -> Query:
    """Read a filter line; never fails, says what it did not understand."""
    names: list[str] = []
    keys: list[tuple[str, str]] = []
    problem = ""
    for key, quoted, plain in _TOKEN.findall(text):
        value = (quoted or plain).casefold()
        if not key:
            if value:
                names.append(value)
        elif key.lower() not in KEYS:
            # a name may well hold a colon
            names.append(f"{key}:{value}".casefold())
        elif key.lower() == "state" and not _states(value):
            problem = f"no state begins with “{value}”" if value else ""
        elif value:
            keys.append((key.lower(), value))
    return Query(tuple(names), tuple(keys), problem)


def _states(prefix: str) -> frozenset[JobState]:
    return frozenset(state for state in JobState if prefix and state.value.startswith(prefix))


def compile_query(query: Query, chip: JobState | None, batches: Mapping[str, BatchRow]) -> Predicate | None:
    """A predicate over rows, or None when everything passes."""
    tests: list[Predicate] = []
    if chip is not None:
        tests.append(lambda row: row.state is chip)
    for key, value in query.keys:
        tests.append(_key_test(key, value, batches))
    tests += [_name_test(name) for name in query.names]
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _name_test(name: str) -> Predicate:
    return lambda row: name in row.name.casefold()


def _key_test(key: str, value: str, batches: Mapping[str, BatchRow]) -> Predicate:
    if key == "state":
        states = _states(value)
        return lambda row: row.state in states
    if key == "why":
        return lambda row: value in row.note.casefold()
    if key == "acct":
        return lambda row: value in row.account.casefold() or value in row.project.casefold()
    if key == "model":
        return lambda row: value in row.model.casefold()
    wanted = {batch.id for batch in batches.values() if value in batch.name.casefold()}
    return lambda row: row.batch_id in wanted
