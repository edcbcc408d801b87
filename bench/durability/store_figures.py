"""The figures of bench/state.py, in the form the table takes."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

WHERE = Path(__file__).resolve().parent.parent / "state.py"
Figure = tuple[str, float, str]


def _state() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_state", WHERE)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{WHERE} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def store_figures(jobs: int) -> Iterator[Figure]:
    """Name, value, unit; one after the other."""
    from gsvr_tui.store import Store

    state = _state()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "state"
        batch, values = state.make_jobs(jobs)
        store = Store.open(folder)
        yield from state.bulk(store, batch, values)
        yield from state.updates(store, folder, values)
        yield from state.durable(store, values)
        store.close(60)
        yield from state.opening(folder, len(values), "queued")
        store = Store.open(folder)
        yield from state.compaction(store, folder, values)
        store.close(60)
        yield from state.stock(Path(name), values)
