"""The scheduler alone in virtual time: fast, repeatable, and held to the limits by the emulator's own limiters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.balance.scenes import SCENES, Project, Scene, scene
from bench.balance.virtual import foretold_s, run_policy

SMALL = [known.of_size(0.3) for known in SCENES]


@pytest.mark.parametrize("known", SMALL, ids=lambda known: known.name)
def test_every_scene_comes_to_its_end(known: Scene) -> None:
    figures = run_policy(known, 1).figures()
    assert figures.exceptions == 0
    assert figures.cap_usd is not None
    assert figures.spent_usd is not None
    assert figures.spent_usd <= figures.cap_usd
    if not known.cap_binds:
        assert figures.finished


def test_money_that_runs_out_ends_the_run_below_the_cap() -> None:
    figures = run_policy(scene("cap"), 1).figures()
    assert not figures.finished
    assert figures.spent_usd == pytest.approx(0.342)


def test_known_limits_are_never_broken() -> None:
    for name in ("requests", "tokens", "midnight", "rejected-count", "ten"):
        assert run_policy(scene(name).of_size(0.3), 2).figures().rejected == 0, name


def test_an_unknown_limit_costs_one_refusal_a_project() -> None:
    figures = run_policy(scene("unknown"), 1).figures()
    assert figures.rejected == 4
    assert figures.rejected_most == 1


def test_nobody_is_faster_than_the_bound() -> None:
    for known in SMALL:
        figures = run_policy(known, 3).figures()
        if figures.share is not None and known.name != "shared":
            assert figures.share <= 1.0, known.name


def test_the_same_seed_gives_the_same_run() -> None:
    assert run_policy(scene("dead-key"), 5).timeline() == run_policy(scene("dead-key"), 5).timeline()


def test_a_service_that_knows_smaller_limits_refuses() -> None:
    lied = Scene("lied", "told ten, has two", (Project(rpm=10, changes=((0.0, 2),)),), 6)
    assert run_policy(lied, 1).figures().rejected >= 1
    assert run_policy(replace(lied, projects=(Project(rpm=10),)), 1).figures().rejected == 0


def test_the_forecast_of_a_steady_scene_is_within_a_window_of_the_run() -> None:
    for name in ("requests", "tokens", "midnight", "one", "ten"):
        foretold = foretold_s(scene(name))
        assert foretold is not None
        assert foretold == pytest.approx(run_policy(scene(name), 1).figures().seconds, abs=60.0), name


def test_nothing_is_foretold_where_something_unforeseen_happens() -> None:
    for name in ("unknown", "shrink", "dead-key", "overload", "shared", "cap"):
        assert foretold_s(scene(name)) is None, name
