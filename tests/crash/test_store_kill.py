"""Real processes, really killed: nothing acknowledged is lost, no transaction is half there.

GSVR_CRASH_ROUNDS sets the number of kills (default 3); GSVR_CRASH_SEED repeats a run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random, SystemRandom

import pytest

from gsvr_tui.store import Store

ROUNDS = int(os.environ.get("GSVR_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("GSVR_CRASH_SEED", "0")) or SystemRandom().getrandbits(32)
WORKER = Path(__file__).with_name("store_worker.py")
AIMS = ("write", "fsync", "rename", "link", "truncate", "fsync_dir", "unlink")

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows"),
    pytest.mark.timeout(60 + 10 * ROUNDS),
]


def run_until_killed(folder: Path, random: Random, aim: tuple[str, int] | None) -> int:
    """Let a worker run into its death; returns the last round it acknowledged, 0 for none."""
    arguments = [] if aim is None else [aim[0], str(aim[1])]
    process = subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[bytes] = []
    stop_after = random.randint(1, 400)  # rounds, so that the kill falls anywhere between two of them
    for line in process.stdout:
        lines.append(line)
        if aim is None and len(lines) >= stop_after:
            process.kill()
            break
        if len(lines) > 5_000:  # the aimed call never came
            process.kill()
            break
    lines += process.stdout.readlines()
    error = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(30) == -9, error.decode()
    return int(lines[-1]) if lines and lines[-1].endswith(b"\n") else 0


def check(folder: Path, acknowledged: int) -> int:
    """Open and look; returns the last round that is on disk."""
    store = Store.open(folder)
    try:
        rounds = store.meta("rounds")
        number = rounds["number"] if rounds else 0
        assert number >= acknowledged, "an acknowledged round is lost"
        newest = 0
        for job in store.jobs():
            segments = store.segments(job.id)
            assert [segment.end_s for segment in segments] == ([float(job.attempts)] if job.attempts else [])
            if job.attempts and job.attempts % 3 == 0:
                assert store.answers.read(f"r{job.attempts}").text == f"answer {job.attempts}"
            newest = max(newest, job.attempts)
        assert newest == number, "a transaction is half there"
        if rounds:
            assert store.job(rounds["job"]).attempts == number
            assert store.job_count() == 40
        return number
    finally:
        store.close()


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_half_there(tmp_path: Path) -> None:
    print(f"GSVR_CRASH_SEED={SEED}")
    random = Random(SEED)
    folder = tmp_path / "state"
    number = 0
    for turn in range(ROUNDS):
        aim = (random.choice(AIMS), random.randint(1, 60)) if turn % 2 else None
        acknowledged = run_until_killed(folder, random, aim)
        number = check(folder, max(acknowledged, number))
    assert number > 0


def test_killed_while_opening_after_a_crash_the_state_is_still_whole(tmp_path: Path) -> None:
    print(f"GSVR_CRASH_SEED={SEED}")
    random = Random(SEED + 1)
    folder = tmp_path / "state"
    number = check(folder, run_until_killed(folder, random, None))
    for turn in range(ROUNDS):
        journal = max(folder.glob("state.json.journal.*[0-9]"), key=lambda path: int(path.name.rsplit(".", 1)[1]))
        with journal.open("ab") as file:
            file.write(b'00000000 {"s":1,"o":[["p","jobs"')  # a torn tail: opening has something to mend
        aim = (AIMS[turn % 2], 1 + turn // 2 % 3) if turn % 3 else ("truncate", 1)
        number = check(folder, max(run_until_killed(folder, random, aim), number))
