"""How fast the screen is: opening, key to paint idle and under load, memory. Measured through a pty, from outside.

    python bench/ui.py [--jobs 100000] [--keys 200] [--rate 1000] [--out bench/out/ui.json]

The app runs over a scripted service in a process of its own. `open` is from exec to the first painted row of the list;
`key` from writing `j` to the moment the counter of rows on screen has changed; RSS is read from /proc at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import select
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS, COLUMNS = 40, 120
NOW = 1_800_000_000.0
GOALS = {"open_ms": 1500.0, "key_p99_ms": 33.0, "key_load_p99_ms": 33.0, "rss_mb": 300.0}


# ---------------------------------------------------------------- inside the pty


def serve(jobs: int, rate: int) -> int:
    """The app over `jobs` scripted jobs; a thread changes `rate` of them a second after the first row is up."""
    from gsvr_tui.app import run_app
    from gsvr_tui.core.messages import Command, CommandDone, Event, JobsChanged, ServiceStopped, StatusChanged, Stop
    from gsvr_tui.core.models import JobState, Step
    from gsvr_tui.ui.options import UiOptions
    from gsvr_tui.ui.rehearsal import scenes
    from gsvr_tui.ui.rehearsal.handle import FakeHandle

    scene = scenes.many(NOW, jobs)
    handle = FakeHandle(scene)
    rows = list(scene.jobs)
    ending = threading.Event()

    def respond(command: Command) -> list[Event]:
        if isinstance(command, Stop):
            ending.set()
            handle.ended.set()
            return [ServiceStopped()]
        return [CommandDone(command.id)]

    def load() -> None:
        # 20 bursts a second: most changes anywhere, one in ten among the rows in sight
        chance = random.Random(7)
        tick = 0
        while not ending.wait(0.05):
            tick += 1
            changed = []
            for _ in range(rate // 20):
                index = chance.randrange(200) if chance.random() < 0.1 else chance.randrange(len(rows))
                state = chance.choice((JobState.RUNNING, JobState.QUEUED))
                rows[index] = replace(rows[index], state=state, step=Step.UPLOAD, progress=chance.random())
                changed.append(rows[index])
            handle.emit(JobsChanged(tuple(changed)), StatusChanged(replace(scene.status, in_flight=tick % 9)))

    handle.respond = respond
    if rate:
        threading.Thread(target=load, daemon=True).start()
    return run_app(handle, UiOptions(clock=lambda: NOW))


# ---------------------------------------------------------------- outside


@dataclass
class Result:
    """One run. Times in milliseconds."""

    jobs: int
    rate: int
    open_ms: float
    key_p50_ms: float
    key_p99_ms: float
    key_max_ms: float
    keys: int
    rss_mb: float
    cpu_percent: float


class Screen:
    """A pty with the app in it; knows only the bytes."""

    def __init__(self, command: list[str], variables: dict[str, str] | None = None) -> None:
        import fcntl
        import struct
        import termios

        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
        environment |= variables or {}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.tail = b""

    def read(self, wait_s: float) -> bool:
        """Take in what is there."""
        ready, _, _ = select.select([self.master], [], [], wait_s)
        if ready:
            self.tail = (self.tail + os.read(self.master, 1 << 16))[-(1 << 18) :]
        return bool(ready)

    def until(self, pattern: bytes, limit_s: float) -> float:
        """Seconds (perf_counter) at which the pattern was there."""
        wanted = re.compile(pattern, re.DOTALL)
        end = time.perf_counter() + limit_s
        while not wanted.search(self.tail):
            if time.perf_counter() > end:
                raise TimeoutError(f"{pattern!r} was not painted within {limit_s} s")
            self.read(0.05)
        return time.perf_counter()

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.master, keys)

    def cpu_s(self) -> float:
        """Processor seconds of the app so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> None:
        """End the app."""
        self.process.send_signal(signal.SIGTERM)
        end = time.perf_counter() + 10
        while self.process.poll() is None and time.perf_counter() < end:
            try:
                self.read(0.05)
            except OSError:
                break
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def measure(jobs: int, rate: int, keys: int) -> Result:
    """Open, press `keys` keys at uneven moments, look at memory."""
    screen = Screen([sys.executable, __file__, "--serve", "--jobs", str(jobs), "--rate", str(rate)])
    try:
        opened = screen.until(rb"000000\.mp4", 120)
        screen.until(f"1 of {jobs:,}".encode(), 30)
        quiet(screen)
        times = []
        chance = random.Random(1)
        cpu, wall = screen.cpu_s(), time.perf_counter()
        for number in range(2, keys + 2):
            screen.tail = b""
            start = time.perf_counter()
            screen.press(b"j")
            times.append((screen.until(rb"row (\x1b\[[0-9;]*m)*" + f"{number:,} of".encode(), 10) - start) * 1000)
            pause = time.perf_counter() + chance.uniform(0.02, 0.12)
            while time.perf_counter() < pause:
                screen.read(max(0.0, pause - time.perf_counter()))
        cpu_percent = 100 * (screen.cpu_s() - cpu) / (time.perf_counter() - wall)
        times.sort()
        return Result(
            jobs,
            rate,
            (opened - screen.started) * 1000,
            statistics.median(times),
            times[min(len(times) - 1, int(len(times) * 0.99))],
            times[-1],
            keys,
            screen.rss_mb(),
            cpu_percent,
        )
    finally:
        screen.close()


def quiet(screen: Screen) -> None:
    """Let the first moments pass."""
    end = time.perf_counter() + 1.0
    while time.perf_counter() < end:
        screen.read(0.05)


def main() -> int:
    """Measure idle and under load, print a table, compare with the goals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1_000, help="changed jobs a second in the second run")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.jobs, arguments.rate)
    results = [measure(arguments.jobs, rate, arguments.keys) for rate in (0, arguments.rate)]
    print(
        f"{'jobs':>9} {'changes/s':>9} {'open ms':>8} {'key p50':>8} {'p99':>7} {'max':>7} {'RSS MB':>7} {'CPU %':>6}"
    )
    for result in results:
        print(
            f"{result.jobs:>9,} {result.rate:>9,} {result.open_ms:>8.0f} {result.key_p50_ms:>8.1f} "
            f"{result.key_p99_ms:>7.1f} {result.key_max_ms:>7.1f} {result.rss_mb:>7.0f} {result.cpu_percent:>6.1f}"
        )
    idle, load = results
    figures = {
        "open_ms": idle.open_ms,
        "key_p99_ms": idle.key_p99_ms,
        "key_load_p99_ms": load.key_p99_ms,
        "rss_mb": max(idle.rss_mb, load.rss_mb),
    }
    for name, goal in GOALS.items():
        print(f"{name:<16} {figures[name]:>8.1f}  goal {goal:>7.1f}  {'met' if figures[name] <= goal else 'MISSED'}")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({"runs": [asdict(result) for result in results], "goals": GOALS}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
