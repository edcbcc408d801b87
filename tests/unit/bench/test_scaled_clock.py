"""The service's clock may run faster than real time, so that hours of quota pass in minutes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.balance.arena import run
from bench.balance.clips import make_clips
from bench.balance.scenes import Project, Scene
from gsvr_tui.service.settings import Clock


def test_a_fast_clock_says_how_long_a_wait_really_is() -> None:
    assert Clock(factor=20.0).real_seconds(60.0) == pytest.approx(3.0)
    assert Clock().real_seconds(60.0) == 60.0


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Clock(factor=0.0)


def test_the_service_waits_for_a_minute_of_quota_in_a_second(tmp_path: Path) -> None:
    tiny = Scene("tiny", "two a minute", (Project(rpm=2),), jobs=3, factor=40.0, cap_usd=None)
    began = time.monotonic()
    figures = run(tiny, "gsvr-tui", make_clips(tmp_path / "videos", tiny.durations, tiny.jobs), seed=1)
    assert figures.done == 3
    assert figures.rejected == 0
    assert figures.seconds >= 60.0
    assert time.monotonic() - began < 60.0
