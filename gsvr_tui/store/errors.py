"""What can go wrong with the state folder, in words a user can act on."""

from __future__ import annotations


class StoreError(Exception):
    """Something about the state folder. `message`: what is wrong and where; `advice`: what to do about it."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(f"{message} {advice}".strip())
        self.message = message
        self.advice = advice


class StoreLocked(StoreError):
    """Another process is writing to this state folder. `holder` says who, as far as is known."""

    def __init__(self, folder: str, holder: str) -> None:
        super().__init__(
            f"Another gsvr-tui is using {folder}: {holder}.",
            "Close it first, or open this folder for reading only.",
        )
        self.holder = holder


class StoreDamaged(StoreError):
    """A state file says something no crash can explain; nothing was changed. `file` and `offset` (bytes) say where."""

    def __init__(self, file: str, offset: int, what: str) -> None:
        super().__init__(
            f"{file} is damaged at byte {offset}: {what}.",
            "Nothing was changed. `gsvr-tui repair` copies everything first, then saves what can be read.",
        )
        self.file = file
        self.offset = offset


class StoreTooNew(StoreError):
    """The state was written by a newer program; nothing was read or changed."""

    def __init__(self, file: str, found: int, known: int) -> None:
        super().__init__(
            f"{file} was written by a newer gsvr-tui (version {found} of the state, this program knows {known}).",
            "Update gsvr-tui, or use another state folder.",
        )
        self.found = found


class StoreUnusable(StoreError):
    """The folder cannot be made, opened or written at all."""


class StoreClosed(StoreError):
    """The store was closed before this was done."""

    def __init__(self, message: str = "The state folder is closed.") -> None:
        super().__init__(message)


class StoreReadOnly(StoreError):
    """A change was asked of a store that was opened for reading only."""

    def __init__(self) -> None:
        super().__init__("This state folder is open for reading only.", "Close the other gsvr-tui to make changes.")


class StoreUnsaved(StoreError):
    """`close` ran out of time with records not on disk; the store stays open. `records` says how many."""

    def __init__(self, records: int, reason: str) -> None:
        super().__init__(
            f"{records} changes are not on disk yet: {reason}.",
            "Make room and wait, or close again and give them up.",
        )
        self.records = records


class DocumentRefused(StoreError, ValueError):
    """A document that cannot be written (not JSON, too big); the state is unchanged."""


class AnswerDamaged(StoreError):
    """A stored answer is not what was written."""
