"""Changes of the schema: one function per step, from version v to v + 1, on all documents in memory.

A migration gets every table as {doc id: document} and changes it in place. After the last one a new snapshot is
written and the old one kept as `state.json.v<N>.bak`. Each migration ships with a stored fixture of the old version.
A field that is only added needs a new version, too: older programs must not open what they cannot read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gsvr_tui.store.errors import StoreDamaged
from gsvr_tui.store.journal import Document, Tables, dump, load

SCHEMA = 1
"""Version of the documents this program writes."""

Migration = Callable[[dict[str, dict[int, Document]]], None]

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version they start from."""


def migrate(tables: Tables, found: int, wanted: int, migrations: Mapping[int, Migration]) -> Tables:
    """The documents at schema `wanted`. Raises StoreDamaged when a step is not known."""
    decoded = {name: {doc_id: load(doc) for doc_id, doc in table.items()} for name, table in tables.items()}
    for version in range(found, wanted):
        step = migrations.get(version)
        if step is None:
            raise StoreDamaged("state.json", 0, f"its version {version} is not one this program can bring up to date")
        step(decoded)
    return {name: {doc_id: dump(doc) for doc_id, doc in table.items()} for name, table in decoded.items()}
