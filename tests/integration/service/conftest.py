"""Clips made once, and rigs that are stopped whatever the test did."""

from __future__ import annotations

import concurrent.futures
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gsvr_tui.emulator import EmulatorServer, ManualClock, Scenario
from gsvr_tui.media.samples import ClipSpec, make_clip
from tests.integration.service.rig import Rig, world

CLIPS = 6


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small real videos, all different."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / f"clip{n}.mp4", ClipSpec(duration_s=3.0, width=64, height=48, fps=2, seed=n))
        for n in range(CLIPS)
    ]


@pytest.fixture
def clips(tmp_path: Path, originals: list[Path]) -> Callable[[int], Path]:
    """`clips(3)` is a folder of the test's own with three videos."""

    def folder(count: int) -> Path:
        place = tmp_path / "videos"
        place.mkdir(exist_ok=True)
        for source in originals[:count]:
            shutil.copyfile(source, place / source.name)
        return place

    return folder


@pytest.fixture(scope="session")
def reaper() -> Iterator[concurrent.futures.Executor]:
    """Stops emulators in the background: an orderly stop takes longer than most of the tests."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path, reaper: concurrent.futures.Executor) -> Iterator[MakeRig]:
    """`make_rig(scenario, frozen=True)`: an emulator and a home for the service; `frozen`: time is moved by hand."""
    rigs: list[Rig] = []

    def make(scenario: Scenario | None = None, *, frozen: bool = False) -> Rig:
        clock = ManualClock(time.time()) if frozen else None
        server = EmulatorServer(scenario or world(), clock=clock, folder=tmp_path / f"served-{len(rigs)}")
        server.start()
        rig = Rig(tmp_path / f"home-{len(rigs)}", server, clock)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        try:
            rig.close(drain=False)
        finally:
            reaper.submit(rig.server.stop)
