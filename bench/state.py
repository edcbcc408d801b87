"""The state store at size: what an update costs, what opening costs, against stock TinyDB on the same documents.

usage: python bench/state.py [--jobs N] [--out FILE] [--folder DIR]

Absolute times belong to one machine and its disk; the ratios and the bytes are what to compare.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from tinydb import TinyDB

from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.models import Batch, Job, JobState, ProbeFacts, Step, Verdict
from gsvr_tui.store import Store

WALL = 1_800_000_000.0
BURST = 20_000


def make_jobs(count: int) -> tuple[Batch, list[Job]]:
    """Queued jobs as a library of lectures gives them."""
    ids = IdMaker(Random(1))
    batch = Batch(ids.next(WALL), "bench", WALL, "lecture", "1", "gemini-3-flash", "/data/out")
    jobs = []
    for number in range(count):
        name = f"课程 {number % 40:02}/week {number % 15:02}/lecture {number:06}.mp4"
        jobs.append(
            Job(
                ids.next(WALL + number / 1000),
                batch.id,
                f"/data/videos/{name}",
                WALL + number / 1000,
                name=name,
                size_bytes=200_000_000 + number,
            )
        )
    return batch, jobs


def finished(job: Job) -> Job:
    """The same job with everything a finished one carries."""
    return dataclasses.replace(
        job,
        state=JobState.DONE,
        step=Step.END,
        probe=ProbeFacts(
            3012.48, job.size_bytes, "video/mp4", "mov", "h264", "aac", 1920, 1080, 25.0, False, 10**18, 7
        ),
        content_hash=f"{job.size_bytes:064x}",
        project="teaching-1",
        account="teacher",
        model="gemini-3-flash",
        verdict=Verdict.OK,
        cost_usd=0.01234,
        tokens_in=301_234,
        tokens_out=4_321,
        outputs=(f"/data/out/{job.name}.md", f"/data/out/{job.name}.json"),
        started_at=WALL,
        finished_at=WALL + 60.5,
    )


def commit(store: Store, *jobs: Job) -> Any:
    transaction = store.begin()
    transaction.put_jobs(jobs)
    return transaction.commit()


def started(job: Job, number: int) -> Job:
    return dataclasses.replace(job, state=JobState.RUNNING, step=Step.UPLOAD, attempts=number)


def journal_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("state.json.journal.*"))


def wait_for_compaction(store: Store, folder: Path) -> None:
    writer = store._storage.writer
    if writer is None:
        raise SystemExit("the store is closed")
    end = time.monotonic() + 60
    while writer.compactor.running and time.monotonic() < end:
        threading.Event().wait(0.01)


def bulk(store: Store, batch: Batch, jobs: list[Job]) -> Iterator[tuple[str, float, str]]:
    start = time.perf_counter()
    transaction = store.begin()
    transaction.put_batch(batch)
    transaction.put_jobs(jobs)
    ticket = transaction.commit()
    ticket.wait()
    yield "insert all jobs, durable", time.perf_counter() - start, "s"


def updates(store: Store, folder: Path, jobs: list[Job]) -> Iterator[tuple[str, float, str]]:
    chosen = [started(job, 1) for job in jobs[:BURST]]
    wait_for_compaction(store, folder)
    before = journal_bytes(folder)
    gc.collect()
    times = []
    start = time.perf_counter()
    for job in chosen:
        begun = time.perf_counter()
        ticket = commit(store, job)
        times.append(time.perf_counter() - begun)
    ticket.wait()
    total = time.perf_counter() - start
    yield "update of 3 fields, accepted (median)", median(times) * 1e6, "µs"
    yield "update of 3 fields, accepted (p99)", quantiles(times, n=100)[98] * 1e6, "µs"
    yield f"{len(chosen)} updates, until all durable", total, "s"
    yield "journal bytes per update", (journal_bytes(folder) - before) / len(chosen), "bytes"


def durable(store: Store, jobs: list[Job]) -> Iterator[tuple[str, float, str]]:
    times = []
    for job in jobs[:1_500]:
        begun = time.perf_counter()
        commit(store, started(job, 2)).wait()
        times.append(time.perf_counter() - begun)
    yield "durable update, one caller (median)", median(times) * 1e6, "µs"
    yield "durable update, one caller (p99)", quantiles(times, n=100)[98] * 1e6, "µs"
    for callers in (4, 16):
        each = 4_000 // callers

        def work(mine: list[Job], attempts: int = callers) -> None:
            for job in mine:
                commit(store, started(job, attempts)).wait()

        threads = [
            threading.Thread(target=work, args=(jobs[number * each : (number + 1) * each],))
            for number in range(callers)
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = sum(min(each, max(0, len(jobs) - number * each)) for number in range(callers))
        yield f"durable updates, {callers} callers", done / (time.perf_counter() - start), "/s"


def compaction(store: Store, folder: Path, jobs: list[Job]) -> Iterator[tuple[str, float, str]]:
    """Updates go on until a compaction has come and gone; how long did the slowest have to wait?"""
    writer = store._storage.writer
    if writer is None:
        raise SystemExit("the store is closed")
    wait_for_compaction(store, folder)
    done = writer.compactor.done
    worst = 0.0
    running_since = duration = 0.0
    number = 100
    while writer.compactor.done == done:
        number += 1
        for job in jobs:
            begun = time.perf_counter()
            ticket = commit(store, started(job, number))
            now = time.perf_counter()
            if writer.compactor.running:
                running_since = running_since or now
                worst = max(worst, now - begun)
                ticket.wait()  # one at a time, as the service does
            elif running_since:
                break
    duration = time.perf_counter() - running_since
    yield "compaction under load", duration, "s"
    yield "slowest accepted update meanwhile", worst * 1e3, "ms"
    yield "snapshot", (folder / "state.json").stat().st_size / 1e6, "MB"


def resident_mb() -> float:
    """Memory of this process now."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return float("nan")


def peak_mb() -> float:
    """The most memory this process had."""
    # not getrusage: on Linux that begins with the peak of the process that started this one
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(float(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


def open_and_measure(folder: Path) -> None:
    """Runs in a process of its own; prints JSON."""
    before = resident_mb()
    start = time.perf_counter()
    store = Store.open(folder)
    opened = time.perf_counter() - start
    held = resident_mb() - before
    peak = peak_mb() - before
    start = time.perf_counter()
    jobs = list(store.jobs())
    read = time.perf_counter() - start
    result = {
        "open": opened,
        "held": held,
        "peak": peak,
        "read": read,
        "values": resident_mb() - before - held,
        "replayed": store.recovery.replayed,
        "count": len(jobs),
    }
    store.close()
    print(json.dumps(result))


def opening(folder: Path, jobs: int, what: str) -> Iterator[tuple[str, float, str]]:
    command = [sys.executable, __file__, "--measure-open", str(folder)]
    here = str(Path(__file__).resolve().parents[1])
    runs = []
    for _ in range(3):
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": here}
        ).stdout
        runs.append(json.loads(output))
    best = min(runs, key=lambda run: run["open"])
    if best["count"] != jobs:
        raise SystemExit(f"{best['count']} jobs came back instead of {jobs}")
    yield f"open, {what} (journal of {best['replayed']} records)", best["open"], "s"
    yield f"read all jobs as values, {what}", min(run["read"] for run in runs), "s"
    yield f"memory of the open store, {what}", best["held"], "MB"
    yield f"peak while opening, {what}", best["peak"], "MB"
    yield f"memory of all jobs as values, {what}", best["values"], "MB"


def stock(folder: Path, jobs: list[Job]) -> Iterator[tuple[str, float, str]]:
    """The same documents in TinyDB with its own storage."""
    path = folder / "stock.json"
    database = TinyDB(path, encoding="utf-8")
    table = database.table("jobs")
    table.insert_multiple(
        {"batch_id": job.batch_id, "path": job.path, "created_at": job.created_at, "name": job.name, "size": 1}
        for job in jobs
    )
    times = []
    for number in range(3):
        begun = time.perf_counter()
        table.update({"state": "running", "step": "upload", "attempts": number}, doc_ids=[number + 1])
        times.append(time.perf_counter() - begun)
    database.close()
    yield "stock TinyDB: update of 3 fields, durable", median(times) * 1e6, "µs"
    yield "stock TinyDB: bytes per update", path.stat().st_size, "bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder if not given")
    parser.add_argument("--measure-open", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure_open is not None:
        open_and_measure(options.measure_open)
        return
    if options.jobs < 100:
        parser.error("--jobs: at least 100, or there is nothing to measure")
    rows: list[tuple[str, float, str]] = []

    def show(measured: Iterator[tuple[str, float, str]]) -> None:
        for name, value, unit in measured:
            rows.append((name, value, unit))
            print(f"{name:<62} {value:>14,.3f} {unit}", flush=True)

    print(f"{options.jobs} jobs, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name) / "state"
        batch, jobs = make_jobs(options.jobs)
        store = Store.open(folder)
        show(bulk(store, batch, jobs))
        show(updates(store, folder, jobs))
        show(durable(store, jobs))
        store.close(60)
        show(opening(folder, len(jobs), "queued"))
        store = Store.open(folder)
        show(compaction(store, folder, jobs))
        transaction = store.begin()
        transaction.put_jobs(map(finished, jobs))
        transaction.commit().wait()
        wait_for_compaction(store, folder)
        store.close(60)
        show(opening(folder, len(jobs), "finished"))
        show(stock(Path(name), jobs))
    figures = {name: value for name, value, _ in rows}
    ratio = figures["stock TinyDB: update of 3 fields, durable"] / figures["durable update, one caller (median)"]
    rows.append(("stock / ours, durable update", ratio, "×"))
    print(f"{'stock / ours, durable update':<62} {ratio:>14,.1f} ×")
    if options.out is not None:
        document = {
            "jobs": options.jobs,
            "python": sys.version.split()[0],
            "figures": [{"name": name, "value": value, "unit": unit} for name, value, unit in rows],
        }
        options.out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
