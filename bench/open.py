"""Opening the real program on a real state: from exec to the first painted job, to the whole list, memory, idle CPU.

    python bench/open.py [--jobs 100000] [--repeat 3] [--out bench/out/open.json]

Half of the jobs are done, half are held, so that nothing is worked on while it is measured. The program runs in a pty
with its own store, service and screens; nothing is scripted.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ui import Screen

GOALS = {"first_row_ms": 1500.0, "rss_mb": 300.0, "idle_cpu_percent": 1.0}
SETTLE_S = 3.0


@dataclass
class Result:
    """One opening. `all_rows_ms`: until the list knows every job."""

    jobs: int
    first_row_ms: float
    all_rows_ms: float
    rss_mb: float
    idle_cpu_percent: float


def prepare(home: Path, jobs: int) -> None:
    """A state with so many jobs, and a config with one account."""
    from gsvr_tui.config.places import find_places
    from gsvr_tui.core.ids import IdMaker
    from gsvr_tui.core.models import Batch, Job, JobState, ProbeFacts, Step, Verdict
    from gsvr_tui.store.repository import Store

    places = find_places({"GSVR_HOME": str(home)})
    places.ensure()
    places.config_file.write_text("accounts:\n  - name: main\n    key: {env: GSVR_BENCH_KEY}\n", "utf-8")
    wall = time.time() - 86_400
    ids = IdMaker(random.Random(1))
    batch = Batch(ids.next(wall), "archive", wall, "summary_report", "1", "gemini-3.8-flash", str(home / "reports"))
    facts = ProbeFacts(2_712.0, 412_000_000, "video/mp4", "mp4", "h264", "aac", 1280, 720, 25.0)

    def job(number: int) -> Job:
        name = f"course-{number // 100:03d}/week-{number % 100:02d}-lecture-{number:06d}.mp4"
        base = Job(ids.next(wall), batch.id, f"/archive/{name}", wall, name=name, size_bytes=412_000_000)
        if number % 2:
            return Job(**{f: getattr(base, f) for f in base.__slots__} | {"state": JobState.HELD})
        done = {"state": JobState.DONE, "step": Step.END, "verdict": Verdict.OK, "probe": facts, "cost_usd": 0.35}
        return Job(**{f: getattr(base, f) for f in base.__slots__} | done | {"finished_at": wall + 60})

    store = Store.open(places.state)
    transaction = store.begin()
    transaction.put_batch(batch)
    transaction.put_jobs(job(number) for number in range(jobs))
    transaction.commit().wait()
    store.close()


def measure(home: Path, jobs: int) -> Result:
    """Open once."""
    variables = {"GSVR_HOME": str(home), "GSVR_BENCH_KEY": "not-a-key-of-anybody-000"}
    screen = Screen([sys.executable, "-m", "gsvr_tui"], variables)
    try:
        first = screen.until(rb"lecture-000000", 120)
        everything = screen.until(f"1 of {jobs:,}".encode(), 120)
        end = time.perf_counter() + SETTLE_S
        while time.perf_counter() < end:
            screen.read(0.05)
        cpu, wall = screen.cpu_s(), time.perf_counter()
        while time.perf_counter() < wall + SETTLE_S:
            screen.read(0.05)
        idle = 100 * (screen.cpu_s() - cpu) / (time.perf_counter() - wall)
        start = screen.started
        return Result(jobs, (first - start) * 1000, (everything - start) * 1000, screen.rss_mb(), idle)
    finally:
        screen.close()


def main() -> int:
    """Prepare, open some times, print the medians beside the goals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gsvr-open-") as folder:
        home = Path(folder)
        prepare(home, arguments.jobs)
        results = [measure(home, arguments.jobs) for _ in range(arguments.repeat)]
    print(f"{'jobs':>9} {'first row ms':>12} {'all rows ms':>11} {'RSS MB':>7} {'idle CPU %':>10}")
    for result in results:
        print(
            f"{result.jobs:>9,} {result.first_row_ms:>12.0f} {result.all_rows_ms:>11.0f} {result.rss_mb:>7.0f} "
            f"{result.idle_cpu_percent:>10.1f}"
        )
    for name, goal in GOALS.items():
        figure = statistics.median(getattr(result, name) for result in results)
        print(f"{name:<17} {figure:>8.1f}  goal {goal:>7.1f}  {'met' if figure <= goal else 'MISSED'}")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"runs": [asdict(result) for result in results], "goals": GOALS}, indent=2)
        arguments.out.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
