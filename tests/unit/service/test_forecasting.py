"""When work ends: from limits, from what is used today, from what is known of service times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.money import Caps
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.service.service_times import ServiceTimes
from tests.unit.service.worlds import MODEL, NOW, WALL, account, catalogue, foresight, standing, times, works


def test_minutes_and_the_last_answer_make_the_end() -> None:
    seen = foresight(standing(account("lab-a", rpm=5), workers=8)).outlook(works(25))
    assert seen.ends_at == pytest.approx(WALL + 4 * 60.25 + 10, abs=3)
    assert seen.limited_by == "requests per minute of lab-a"
    assert seen.by_project == {"lab-a": 25}


def test_four_projects_are_four_times_as_fast() -> None:
    one = foresight(standing(account("a", rpm=5))).outlook(works(60), ranged=False)
    four = foresight(standing(*(account(name, rpm=5) for name in "abcd"))).outlook(works(60), ranged=False)
    assert one.ends_at is not None
    assert four.ends_at is not None
    assert (one.ends_at - WALL) / (four.ends_at - WALL) > 3.5
    assert four.limited_by == "requests per minute of 4 projects"


def test_what_is_used_today_counts() -> None:
    fresh = foresight(standing(account("a", rpm=5, rpd=20))).outlook(works(10))
    used = foresight(standing(account("a", rpm=5, rpd=20), used={"a": 15})).outlook(works(10))
    midnight = next_midnight(WALL)
    assert fresh.ends_at is not None
    assert used.ends_at is not None
    assert fresh.ends_at < midnight < used.ends_at < midnight + 600
    assert used.limited_by == "requests per day of a"


def test_requests_of_the_last_minute_are_in_the_way() -> None:
    busy = standing(account("a", rpm=5))
    view = next(view for view in busy.views if view.model == MODEL)
    busy = replace(busy, views=(replace(view, minute_used=5, tokens_used=100),))
    seen = foresight(busy).outlook(works(1))
    assert seen.ends_at is not None
    assert 5 < seen.ends_at - WALL - 10 < 61


def test_a_rest_and_a_learned_limit_hold_in_the_play_too() -> None:
    stands = standing(account("a", rpm=50))
    view = next(view for view in stands.views if view.model == MODEL)
    learned = replace(
        view, limits=Limits(rpm=2, source="429", learned_at=WALL), resting_until=WALL + 300.0, note="rests"
    )
    seen = foresight(replace(stands, views=(learned,))).outlook(works(4))
    assert seen.ends_at is not None
    assert seen.ends_at > WALL + 300 + 60


def test_unknown_limits_and_times_give_a_wide_range_and_known_ones_a_narrow_one() -> None:
    unknown = foresight(standing(account("a")), times()).outlook(works(30))
    assert unknown.wide(WALL)
    assert unknown.ends_low is not None
    assert unknown.ends_high is not None
    assert unknown.ends_high - unknown.ends_low > 600  # the free tier's 5 a minute and 20 a day may hold, or may not
    known = foresight(standing(account("a", rpm=5))).outlook(works(30))
    assert not known.wide(WALL)
    assert known.ends_low is not None
    assert known.ends_at is not None
    assert known.ends_low <= known.ends_at


def test_limits_of_the_free_tier_are_not_reckoned_with_where_more_went_through() -> None:
    stands = standing(account("a"), used={"a": 200})
    assert foresight(stands).guesses([MODEL]) == {}
    assert MODEL in foresight(standing(account("a"))).guesses([MODEL])["a"]
    assert foresight(standing(account("a", tier="tier1"))).guesses([MODEL]) == {}


def test_a_cap_that_is_reached_means_that_it_never_ends() -> None:
    seen = foresight(standing(account("a", rpm=5), caps=Caps(run=0.05))).outlook(works(10))
    assert seen.ends_at is None
    assert "the cap for this run is $0.05" in seen.stopped


def test_a_cap_stops_also_what_is_not_played() -> None:
    stands = standing(account("a", rpm=60), caps=Caps(run=1.0))
    assert foresight(stands, most=50).outlook(works(90)).ends_at is not None
    seen = foresight(stands, most=50).outlook(works(150))
    assert seen.ends_at is None
    assert "$1.00" in seen.stopped


def test_money_spent_before_counts_against_the_caps() -> None:
    stands = replace(standing(account("a", rpm=5), caps=Caps(month=1.0)), spent={"month 2026-11": 0.98})
    assert foresight(stands).outlook(works(1)).ends_at is not None
    assert foresight(stands).outlook(works(5)).ends_at == pytest.approx(1_796_112_000.0, abs=600)  # 1 December


@pytest.mark.parametrize(
    "limits", [{"rpm": 10}, {"rpm": 10, "rpd": 120}, {"rpm": 10, "tpm": 100_000}, {"rpm": 50, "rpd": 280}]
)
def test_of_many_jobs_a_part_played_tells_about_the_whole(limits: dict[str, Any]) -> None:
    stands = standing(account("a", **limits), account("b", **limits))
    whole = foresight(stands).outlook(works(600), ranged=False)
    part = foresight(stands, most=100).outlook(works(600), ranged=False)
    few = foresight(stands, most=100).outlook(works(150), total=600, ranged=False)
    assert whole.ends_at is not None
    assert part.ends_at is not None
    assert part.ends_at - WALL == pytest.approx(whole.ends_at - WALL, rel=0.15)
    assert few.ends_at == pytest.approx(part.ends_at, rel=0.01)
    assert sum(part.by_project.values()) == pytest.approx(600, abs=2)


def test_no_work_ends_now() -> None:
    assert foresight(standing(account("a"))).outlook([]).ends_at == WALL


def test_with_no_account_it_never_ends() -> None:
    assert foresight(standing()).outlook(works(2)).ends_at is None


def test_work_that_waits_for_a_moment_does_not_start_before_it() -> None:
    late = [replace(work, not_before=WALL + 500.0) for work in works(1)]
    seen = foresight(standing(account("a", rpm=5))).outlook(late)
    assert seen.ends_at == pytest.approx(WALL + 510, abs=2)


def test_service_times_are_learned_and_scaled_by_length() -> None:
    learned = times(4.0, 4.0, 4.0, 4.0)
    assert learned.learned(MODEL)
    assert learned.seconds(MODEL, 20_000) == pytest.approx(4.0, rel=0.1)
    assert learned.seconds(MODEL, 200_000) > 4.5
    guess = times()
    assert not guess.learned(MODEL)
    assert guess.seconds(MODEL, 200_000) > guess.seconds(MODEL, 20_000) >= 15
    assert guess.spread(MODEL, 100) > learned.spread(MODEL, 100)
    assert ServiceTimes([], catalogue()).seconds("a model nobody knows", 1_000) == 15.0


def test_the_same_standing_gives_the_same_outlook_twice() -> None:
    stands = standing(account("a", rpm=5), account("b", rpm=7), caps=Caps(run=100.0))
    first, second = (foresight(stands).outlook(works(60)) for _ in range(2))
    assert first == second
    assert stands.caps.spend == {}
    assert Now(1_000.0, WALL) == NOW
