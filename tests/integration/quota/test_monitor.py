"""What the screens are told of quota and accounts while work goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gsvr_tui.core.models import AccountHealth, JobState, Limits
from gsvr_tui.emulator import Action, Rule
from gsvr_tui.emulator import Limits as RealLimits
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]
MODEL = "gemini-3.8-flash"


def test_rows_tell_tokens_of_the_day_money_of_ten_minutes_and_answers_by_the_minute(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig(frozen=True)
    rig.open([account("p1", limits=Limits(rpm=100, tpd=9_000_000, source="user"))])
    rig.add(clips(3))
    rig.wait_until(JobState.DONE)
    rig.wait_for(lambda: any(row.model == MODEL and sum(row.per_minute) == 3 for row in rig.quota))
    (row,) = [row for row in rig.quota if row.model == MODEL]
    tokens = sum(entry.prompt_tokens for entry in rig.generates())
    assert (row.tokens_day_used, row.tokens_day_limit) == (tokens, 9_000_000)
    assert row.spend_limit_usd == 10.0
    assert 0 < row.spent_10min_usd < 1
    assert len(row.per_minute) == 60


def test_every_account_says_in_a_sentence_why_it_is_or_is_not_next(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), project("p2", limits=RealLimits(rpm=0))), frozen=True)
    rig.open([account("p1", limits=Limits(rpm=2, source="user")), account("p2", limits=Limits())])
    assert all(row.why for row in rig.accounts)
    rig.add(clips(4))
    rig.wait_rest()
    rig.wait_for(lambda: "used up" in rig.account("p1").why)
    assert "2 requests a minute are used up (as you state it)" in rig.account("p1").why
    rig.wait_for(lambda: "no access" in rig.account("p2").why)
    rig.play()
    assert set(rig.states()) == {JobState.DONE}


def test_a_project_that_may_not_use_the_model_says_so(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpm=0))))
    rig.open([account("p1", tier="unknown", limits=Limits())])
    rig.add(clips(1))
    assert rig.wait_rest().code == "NO_MODEL"
    rig.wait_for(lambda: rig.account("p1").health is AccountHealth.NO_ACCESS)
    assert MODEL in rig.account("p1").note
    assert rig.account("p1").advice


def test_how_long_a_refusal_takes_is_learned_for_feeling_out_limits(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), rules=[Rule(Action.ERROR_429_BARE, nth=(1,))]), frozen=True)
    rig.open([account("p1")])
    assert rig.session is not None
    ledger = rig.session.service._engine.state.ledger
    before = ledger.round_trip_s
    rig.add(clips(1))
    rig.play()
    assert ledger.round_trip_s != before
    assert 0 <= ledger.round_trip_s < 5


def test_a_day_that_runs_out_is_announced_at_80_and_95_per_cent(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1")), frozen=True)
    rig.open([account("p1", limits=Limits(rpm=100, rpd=5, source="user"))], workers=1)
    rig.add(clips(5))
    rig.wait_until(JobState.DONE)
    rig.wait_for(lambda: sum("of today's requests" in line.message for line in rig.logs) == 2)
    texts = [line.message for line in rig.logs if "of today's requests" in line.message]
    assert ["80 %" in texts[0], "100 %" in texts[1]] == [True, True]
    assert all(line.level == "warning" for line in rig.logs if "of today's requests" in line.message)
