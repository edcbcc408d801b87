"""A computer that slept and a clock that was set are told apart from time that passes."""

from __future__ import annotations

from gsvr_tui.core.models import Now
from gsvr_tui.service.sleep_watch import SleepWatch


def test_time_that_passes_is_no_jump_however_long_nobody_looked() -> None:
    watch = SleepWatch()
    assert watch.jumped(Now(100.0, 1_000_000.0), 0.0) == 0.0
    assert watch.jumped(Now(100.5, 1_000_000.4), 0.0) == 0.0
    assert watch.jumped(Now(50_100.5, 1_050_000.1), 0.0) == 0.0


def test_a_sleep_is_what_the_wall_clock_ran_ahead() -> None:
    watch = SleepWatch()
    watch.jumped(Now(100.0, 1_000_000.0), 0.0)
    assert watch.jumped(Now(110.0, 1_028_810.0), 0.0) == 28_800.0
    assert watch.jumped(Now(111.0, 1_028_811.0), 0.0) == 0.0  # once


def test_a_clock_set_back_is_below_zero() -> None:
    watch = SleepWatch()
    watch.jumped(Now(100.0, 1_000_000.0), 0.0)
    assert watch.jumped(Now(101.0, 996_401.0), 0.0) == -3_600.0


def test_a_correction_by_the_services_own_time_is_no_jump() -> None:
    watch = SleepWatch()
    watch.jumped(Now(100.0, 1_000_000.0), 0.0)
    assert watch.jumped(Now(101.0, 1_086_401.0), 86_400.0) == 0.0
    assert watch.jumped(Now(102.0, 1_086_402.0), 86_400.0) == 0.0


def test_small_steps_of_a_clock_that_is_kept_right_are_nothing() -> None:
    watch = SleepWatch()
    watch.jumped(Now(100.0, 1_000_000.0), 0.0)
    assert watch.jumped(Now(101.0, 1_000_012.0), 0.0) == 0.0
