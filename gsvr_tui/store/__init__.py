"""The only place that imports tinydb: state, answers, the journal."""

from gsvr_tui.store.answers import Answer, AnswerHeader, AnswerStore
from gsvr_tui.store.codec import UsageDay
from gsvr_tui.store.errors import (
    AnswerDamaged,
    DocumentRefused,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
    StoreUnsaved,
    StoreUnusable,
)
from gsvr_tui.store.filesystem import FileSystem
from gsvr_tui.store.repair import RepairReport, repair
from gsvr_tui.store.repository import Store, Transaction
from gsvr_tui.store.status import Durability, Recovery, StoreStatus
from gsvr_tui.store.ticket import Ticket

__all__ = [
    "Answer",
    "AnswerDamaged",
    "AnswerHeader",
    "AnswerStore",
    "DocumentRefused",
    "Durability",
    "FileSystem",
    "Recovery",
    "RepairReport",
    "Store",
    "StoreClosed",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "StoreReadOnly",
    "StoreStatus",
    "StoreTooNew",
    "StoreUnsaved",
    "StoreUnusable",
    "Ticket",
    "Transaction",
    "UsageDay",
    "repair",
]
