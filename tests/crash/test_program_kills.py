"""The real program on real batches, really killed; the verdicts come from the service's own log and the disk.

A small run of `bench/durability.py`. GSVR_CRASH_ROUNDS sets its size (default 3: six kills); GSVR_CRASH_SEED repeats
it.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom

import pytest

from bench.durability.kills import Lane
from bench.durability.world import original_clip

ROUNDS = int(os.environ.get("GSVR_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("GSVR_CRASH_SEED", "0")) or SystemRandom().getrandbits(31)

pytestmark = [
    pytest.mark.crash,
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows"),
    pytest.mark.timeout(120 + 30 * ROUNDS),
]


def test_a_killed_run_loses_nothing_redoes_nothing_and_pays_only_for_what_was_in_flight(tmp_path: Path) -> None:
    print(f"GSVR_CRASH_SEED={SEED}")
    campaign = Lane(tmp_path, original_clip(tmp_path / "original"), SEED, 2 * ROUNDS).run()
    assert campaign.killed == 2 * ROUNDS
    for kind in ("lost", "redone", "paid_twice", "damaged", "uncounted"):
        assert campaign.wrong(kind) == [], kind
