"""The ways to do some work, and whether a model can do it at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gsvr_tui.core.catalogue import Catalogue, ModelInfo
from gsvr_tui.core.money import Caps
from gsvr_tui.service.capability import model_problem
from gsvr_tui.service.comparing import Comparison
from gsvr_tui.service.planning import replan, works_of
from gsvr_tui.service.standing import Standing
from tests.unit.service.worlds import MODEL, WALL, account, catalogue, estimate, foresight, standing, times, works

LITE = "gemini-3.5-flash-lite"


def options(stands: Standing, count: int = 60, *, free: bool = False, ahead: int = 0) -> dict[str, Any]:
    comparison = Comparison(
        estimate(count, minutes=1, free=free), foresight(stands), catalogue(), WALL, ahead=works(ahead) if ahead else ()
    )
    return {option.name: option for option in comparison.options((LITE,))}


def test_another_account_the_fallback_and_the_paid_tier_are_compared_with_how_things_are() -> None:
    found = options(standing(account("a", tier="free"), account("b", tier="free")), free=True)
    assert list(found) == ["now", "one more account", "fallback model", "paid tier"]
    now, more, fallback, paid = found.values()
    assert now.ends_at > more.ends_at
    assert now.ends_at > fallback.ends_at
    assert now.ends_at > paid.ends_at
    assert now.cost_usd == 0
    assert paid.cost_usd > 0
    assert paid.cost_low_usd < paid.cost_usd < paid.cost_high_usd
    assert sum(count for _, count in now.by_account) == 60
    assert {name for name, _ in more.by_account} == {"a", "b", "one more"}


def test_ranges_hold_the_usual_case() -> None:
    for option in options(standing(account("a", rpm=5, rpd=100))).values():
        assert option.ends_low <= option.ends_at <= option.ends_high


def test_paid_accounts_are_not_offered_the_paid_tier() -> None:
    assert "paid tier" not in options(standing(account("a", tier="tier1", rpm=50)))


def test_with_free_and_paid_accounts_only_a_part_costs() -> None:
    everything = options(standing(account("a", tier="tier1", rpm=5, rpd=500)))["now"]
    half = options(standing(account("a", tier="tier1", rpm=5, rpd=500), account("b", tier="free", rpm=5, rpd=500)))[
        "now"
    ]
    assert 0.3 < half.cost_usd / everything.cost_usd < 0.7


def test_work_in_the_queue_makes_it_later_but_not_dearer() -> None:
    alone = options(standing(account("a", rpm=5)), 10)["now"]
    behind = options(standing(account("a", rpm=5)), 10, ahead=50)["now"]
    assert behind.ends_at > alone.ends_at + 300
    assert behind.requests == alone.requests == 10
    assert behind.cost_usd == pytest.approx(alone.cost_usd, rel=0.01)


def test_a_cap_that_stops_it_is_said_in_the_option() -> None:
    now = options(standing(account("a", rpm=5), caps=Caps(run=0.001)))["now"]
    assert now.ends_at is None
    assert "cap" in now.note


def test_with_another_model_the_same_videos_are_priced_anew() -> None:
    found = estimate(3)
    other = replan(found, LITE, catalogue(), WALL)
    assert other.model == LITE
    assert other.usd()[0] != found.usd()[0]
    assert [video.facts for video in other.videos] == [video.facts for video in found.videos]


def test_videos_that_were_not_looked_into_are_taken_to_be_like_the_others() -> None:
    found = estimate(4)
    blank = replace(found.videos[0], facts=None, needs=(), usd=0.0)
    sampled = replace(found, videos=(*found.videos[:2], blank, blank), looked_into=2)
    made = works_of(sampled, (MODEL,), times())
    assert len(made) == 4
    assert made[3].tokens == pytest.approx(made[0].tokens, rel=0.01)


# ---------------------------------------------------------------- can the model do it


def info(**fields: object) -> ModelInfo:
    return replace(catalogue().find(MODEL), id="m", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"video_in": False}, "does not take video"),
        ({"output_tokens": 500}, "at most 500 tokens"),
        ({"shutdown": "2026-11-01", "routed_to": ""}, "stopped on 2026-11-01"),
    ],
)
def test_a_model_that_cannot_do_it_is_refused_with_others_named(fields: dict[str, object], said: str) -> None:
    broken = info(**fields)
    known = Catalogue("2026-11-01", [broken, catalogue().find(MODEL)])
    found = model_problem(broken, known, WALL)
    assert found is not None
    assert said in found[0]
    assert MODEL in found[1]


def test_a_model_that_can_is_not_refused_and_a_later_shutdown_is_no_reason() -> None:
    assert model_problem(info(shutdown="2027-01-01"), catalogue(), WALL) is None
    assert model_problem(catalogue().find(MODEL), catalogue(), WALL) is None


def test_where_no_other_model_is_known_the_advice_says_where_to_look() -> None:
    broken = info(video_in=False)
    found = model_problem(broken, Catalogue("2026-11-01", [broken]), WALL)
    assert found is not None
    assert found[1] == "see: gsvr-tui models"
