"""The campaign: batches that are killed again and again until they are done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bench.durability.checks import Sight, Verdict, judge, look
from bench.durability.world import PATIENCE_S, EmulatorProcess, Home, Program
from gsvr_tui.core.models import JobState

VIDEOS = 8
KILLS_A_BATCH = 10
BATCHES_A_HOME = 4
WORKERS = "4"

WEIGHTS: dict[str, int] = {
    "random": 30,
    "asking": 10,
    "response": 18,
    "upload": 10,
    "answer-write": 5,
    "answer-stored": 10,
    "report": 5,
    "compaction": 10,
    "recovery": 5,
}
"""Aims and how often each is taken; all but `random` are aimed."""

INSIDE = {"answer-write": 6, "answer-stored": 6, "report": 10, "compaction": 20, "recovery": 30}
"""Aims at file calls inside the program, and the highest number to die at."""


@dataclass
class Campaign:
    """What came of it."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0  # the program ended by itself before the kill
    batches: int = 0
    jobs: int = 0
    set_aside: int = 0  # by the guard against jobs that kill us; released by the next start
    requests: int = 0
    seconds: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """Kills that hit."""
        return sum(self.kills.values())

    @property
    def aimed(self) -> int:
        """Of them, with an aim."""
        return self.killed - self.kills["random"]

    def take(self, other: Campaign) -> None:
        """Add what another lane did."""
        self.kills += other.kills
        self.missed += other.missed
        self.batches += other.batches
        self.jobs += other.jobs
        self.set_aside += other.set_aside
        self.requests += other.requests
        self.verdicts += other.verdicts

    def wrong(self, what: str) -> list[str]:
        """Everything of one kind that was found wrong."""
        return [text for verdict in self.verdicts for text in getattr(verdict, what)]


class Lane:
    """One emulator and one home after the other; runs until `kills` have hit."""

    def __init__(
        self, folder: Path, original: bytes, seed: int, kills: int, progress: Callable[[Campaign], None] | None = None
    ) -> None:
        self._folder = folder
        self._original = original
        self._random = Random(seed)
        self._wanted = kills
        self.campaign = Campaign(seed)
        self._progress = progress or (lambda campaign: None)
        self.stop = False  # set it to end after the home at hand

    def run(self) -> Campaign:
        """The whole lane."""
        emulator = EmulatorProcess(self._folder / "emulator")
        number = 0
        try:
            while self.campaign.killed < self._wanted and not self.stop:
                number += 1
                self._home(emulator, number)
                self._progress(self.campaign)
        finally:
            emulator.stop()
        return self.campaign

    def _home(self, emulator: EmulatorProcess, number: int) -> None:
        home = Home(self._folder / f"home-{number}", emulator.url)
        emulator.settle()
        first = len(emulator.entries)
        sights: list[Sight] = []
        for batch in range(BATCHES_A_HOME):
            self._batch(emulator, home, f"b{number}x{batch}", sights)
            if self.campaign.killed >= self._wanted or self.stop:
                break
        emulator.settle()
        last = look(home, time.time())
        verdict = judge(home, sights, emulator.entries[first:], last)
        self.campaign.verdicts.append(verdict)
        self.campaign.jobs += len(home.hashes)
        self.campaign.requests += sum(entry["kind"] == "generate" for entry in emulator.entries[first:])

    def _batch(self, emulator: EmulatorProcess, home: Home, name: str, sights: list[Sight]) -> None:
        videos = home.videos(name, VIDEOS, self._original)
        self.campaign.batches += 1
        for _ in range(KILLS_A_BATCH):
            if self.campaign.killed >= self._wanted:
                break
            aim = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            program = self._start(home, videos, aim)
            hit = self._kill(emulator, program, aim)
            program.error_file.close()
            if not hit:
                self.campaign.missed += 1
                if not self._left(home, videos):
                    return
                continue
            self.campaign.kills[aim] += 1
            sights.append(look(home, program.killed_at))
            self.campaign.set_aside += sum(state is JobState.HELD for state in sights[-1].jobs.values())
        self._finish(home, videos)

    def _start(self, home: Home, videos: Path, aim: str) -> Program:
        again = videos.name in self._added(home) and self._random.random() < 0.7
        arguments = ["resume", "--held", "--workers", WORKERS]
        if not again:
            arguments = ["run", str(videos), "--yes", "--workers", WORKERS]
        inside = (aim, self._random.randint(1, INSIDE[aim])) if aim in INSIDE else None
        return home.start(arguments, inside)

    @staticmethod
    def _added(home: Home) -> set[str]:
        if not (home.path / "state").exists():
            return set()
        return {Path(path).parent.name for path in look(home, 0.0).jobs}

    def _left(self, home: Home, videos: Path) -> bool:
        jobs = look(home, 0.0).jobs
        states = [state for path, state in jobs.items() if Path(path).parent == videos]
        return len(states) < VIDEOS or not all(state.final for state in states)

    def _kill(self, emulator: EmulatorProcess, program: Program, aim: str) -> bool:
        """Kill it as aimed; False when it ended by itself."""
        emulator.look()
        if aim in INSIDE:
            return program.wait(PATIENCE_S) == -9
        if aim == "random":
            delay = self._random.uniform(0.3, 2.6)
            program.watch(lambda: time.time() - program.started > delay)
        else:
            wanted = {"asking": "get_file", "response": "generate", "upload": "upload_start"}[aim]
            skip = self._random.randint(0, 3)
            seen: list[dict[str, Any]] = []

            def came() -> bool:
                seen.extend(entry for entry in emulator.look() if entry["kind"] == wanted)
                return len(seen) > skip

            if program.watch(came):
                longest = {"asking": 0.25, "response": 0.03, "upload": 0.05}[aim]
                time.sleep(self._random.uniform(0.0, longest))
        program.kill()
        return program.wait() == -9

    def _finish(self, home: Home, videos: Path) -> None:
        """Let it end in peace."""
        for _ in range(4):
            if not self._left(home, videos):
                return
            added = videos.name in self._added(home)
            arguments = ["resume", "--held"] if added else ["run", str(videos), "--yes"]
            program = home.start([*arguments, "--workers", WORKERS])
            program.wait(2 * PATIENCE_S)
            program.error_file.close()
        raise RuntimeError(f"the batch does not come to an end: {home.complaint()}")
