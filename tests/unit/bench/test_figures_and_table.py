"""What a run's log says, the middle of runs, and the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.balance.figures import Figures, middle, read_run, speed_up
from bench.balance.scenes import SCENES, Project, Scene, scene
from bench.balance.table import COLUMNS, cells, table
from gsvr_tui.emulator.scenario import Scenario
from gsvr_tui.emulator.scenario_file import build

TINY = Scene("tiny", "a tiny one", (Project(rpm=2),), jobs=3, service_s=5.0, spread=0.2)


def asked(video: str, status: int = 200, **more: Any) -> dict[str, Any]:
    entry = {
        "kind": "generate",
        "status": status,
        "outcome": "answered" if status == 200 else "rejected" if status == 429 else "failed",
        "file_sha256": video,
        "prompt_tokens": 1000,
        "project": "p1",
        "model": "m",
        "detail": "" if status == 200 else "rpm",
        "display_name": "",
    }
    return entry | more


def result(**more: Any) -> dict[str, Any]:
    return {"started": 100.0, "ended": 164.0, "done": 3, "exceptions": 0, "cpu_s": 0.5, **more}


def test_a_clean_run_is_measured_against_its_bound() -> None:
    figures = read_run(TINY, "x", [asked("a"), asked("b"), asked("c")], result())
    assert figures.bound_s == pytest.approx(64.0)
    assert figures.seconds == pytest.approx(64.0)
    assert figures.share == pytest.approx(1.0)
    assert (figures.rejected, figures.attempted_again, figures.uploads_again, figures.failed) == (0, 0, 0, 0)


def test_refusals_repeats_and_moves_are_counted_from_the_log() -> None:
    log = [asked("a", 429), asked("a", 429, project="p2"), asked("a"), asked("b", 503), asked("b"), asked("c")]
    figures = read_run(TINY, "x", log, result())
    assert figures.rejected == 2
    assert figures.rejected_most == 1
    assert figures.failed == 1
    assert figures.attempted_again == 2
    assert figures.uploads_again == 3, "a video inside the request moves with every attempt"
    assert figures.rejected_per_100 == pytest.approx(200 / 3)


def test_uploads_are_counted_where_the_contestant_uploads() -> None:
    moved = [
        {"kind": "upload_bytes", "outcome": "answered", "status": 200, "display_name": name} for name in ("a", "b", "a")
    ]
    figures = read_run(TINY, "x", [*moved, asked("a"), asked("b"), asked("c")], result())
    assert figures.uploads_again == 1


def test_an_answer_that_came_twice_was_paid_twice() -> None:
    assert read_run(TINY, "x", [asked("a"), asked("a")], result()).answered_again == 1


def test_a_run_with_jobs_undone_has_no_share() -> None:
    assert read_run(TINY, "x", [asked("a")], result(done=2)).share is None


def figures(seconds: float, **more: Any) -> Figures:
    clean = read_run(TINY, "gsvr-tui", [asked("a"), asked("b"), asked("c")], result())
    return replace(clean, seconds=seconds, **more)


def test_the_middle_run_counts_and_the_spread_is_shown() -> None:
    row = middle([figures(64.0), figures(128.0), figures(80.0)])
    assert row.seconds == pytest.approx(80.0)
    assert row.share == pytest.approx(0.8)
    assert row.low == pytest.approx(0.5)
    assert row.high == pytest.approx(1.0)


def test_one_incomplete_run_takes_the_share_away() -> None:
    row = middle([figures(64.0), figures(64.0, done=2), figures(64.0)])
    assert row.share is None
    assert cells(row)[2] == "–"


def test_money_shown_is_the_most_of_all_runs() -> None:
    row = middle([figures(64.0, spent_usd=0.2, cap_usd=5.0), figures(64.0, spent_usd=0.3, cap_usd=5.0)])
    assert cells(row)[-1] == "0.300 / 5.00"


def test_a_table_has_a_line_for_every_contestant_and_for_those_that_are_not_there() -> None:
    lines = table("tiny", "bound", [middle([figures(64.0)])], {"litellm": "not installed"}).splitlines()
    assert len(lines) == 5
    assert "100.0 %" in lines[3]
    assert lines[4].split() == ["litellm", "not", "installed"]
    assert len(lines[2]) == sum(width for _, width in COLUMNS) == len(lines[3])


def test_speed_up_is_jobs_a_minute_over_jobs_a_minute() -> None:
    one = middle([figures(64.0)])
    assert speed_up(one, replace(one, jobs=9)) == pytest.approx(3.0)
    assert speed_up(one, replace(one, share=None)) is None


@pytest.mark.parametrize("known", SCENES, ids=lambda known: known.name)
def test_every_scene_is_one_the_emulator_understands_and_can_be_done(known: Scene) -> None:
    world = build(Scenario, known.scenario(), known.name)
    assert len(world.projects) == len(known.projects)
    assert known.bound([1000] * known.jobs) < 3600
    assert world.start_at is not None
    assert world.start_at + known.lead_s == pytest.approx(known.start_at)


def test_events_of_a_scene_are_moved_by_the_time_it_takes_to_get_ready() -> None:
    world = scene("overload").scenario()
    lead = scene("overload").lead_s
    assert (world["rules"][0]["from_s"], world["rules"][0]["until_s"]) == (lead + 120, lead + 420)
