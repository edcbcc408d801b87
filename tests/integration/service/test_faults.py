"""What the service of Google, the line and the disk can do to a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.core.messages import RunState
from gsvr_tui.core.models import AccountHealth, JobState, Limits
from gsvr_tui.emulator import Action, FileRules, KeySpec, KeyState, ProjectSpec, Rule, Tier
from gsvr_tui.emulator import Limits as RealLimits
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]


def test_an_unknown_limit_is_learned_from_one_rejection_and_kept_over_a_restart(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpm=2))), frozen=True)
    who = account("p1", tier="unknown", limits=Limits())
    rig.open([who], workers=1)
    jobs = rig.add(clips(4))
    rig.play(*jobs)
    assert rig.states() == [JobState.DONE] * 4
    assert len(rig.generates(outcome="rejected")) == 1
    assert {rig.rows[job].attempts for job in jobs} == {0}
    rig.close()
    rig.open([who])
    learned = next(row for row in rig.quota if row.model == "gemini-3.8-flash")
    assert (learned.minute_limit, learned.limit_source) == (2, "429")


def test_a_daily_limit_rests_until_midnight_in_los_angeles(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpd=2))), frozen=True)
    rig.open([account("p1", tier="unknown", limits=Limits())], workers=1)
    jobs = rig.add(clips(3))
    rig.wait_for(lambda: rig.states().count(JobState.DONE) == 2)
    status = rig.wait_rest()
    assert status.state is RunState.RESTING
    assert status.until is not None
    rig.play(*jobs)
    assert rig.states() == [JobState.DONE] * 3
    assert len(rig.generates(outcome="rejected")) == 1


def test_a_dead_key_is_isolated_and_its_jobs_go_to_the_other_project(make_rig: MakeRig, clips: Clips) -> None:
    dead = ProjectSpec("p1", (KeySpec("emulator-key-p1-0001", state=KeyState.INVALID),), tier=Tier.PAID)
    rig = make_rig(world(dead, project("p2")))
    rig.open([account("p1"), account("p2")])
    jobs = rig.add(clips(4))
    rig.wait_until(JobState.DONE, *jobs)
    assert rig.account("p1").health is AccountHealth.DEAD_KEY
    assert rig.account("p1").advice
    assert {rig.rows[job].attempts for job in jobs} == {0}
    assert {entry.project for entry in rig.generates(outcome="answered")} == {"p2"}


def test_a_key_that_dies_in_mid_run_leaves_its_project_to_the_other_key(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", keys=("emulator-key-one-1111", "emulator-key-two-2222"))))
    rig.open(
        [account("one", of="p1"), account("two", of="p1")],
        keys={"one": "emulator-key-one-1111", "two": "emulator-key-two-2222"},
        workers=1,
    )
    folder = clips(4)
    (first,) = rig.add(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, first)
    rig.admin("key", tail="1111", state="expired")
    rig.add(folder)
    rig.wait_until(JobState.DONE)
    assert rig.account("two").health is AccountHealth.OK
    assert rig.account("one").health is AccountHealth.DEAD_KEY


def test_a_model_without_access_is_not_a_rest_but_a_reason_to_stop(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpm=0))))
    rig.open([account("p1", tier="unknown", limits=Limits())])
    (job,) = rig.add(clips(1))
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "NO_MODEL")
    assert rig.rows[job].attempts == 0
    assert len(rig.generates()) == 1


def test_a_lost_file_is_uploaded_again_and_costs_no_attempt(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.ERROR_403_FILE, count=1)]))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.uploads()) == 2
    assert rig.rows[job].attempts == 0


def test_an_expired_file_is_uploaded_again(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1", limits=RealLimits(rpd=1))), frozen=True)
    rig.open([account("p1", limits=Limits(rpm=100, rpd=1, source="user"))], workers=1)
    jobs = rig.add(clips(2))
    rig.wait_for(lambda: rig.states().count(JobState.DONE) == 1)
    rig.wait_for(lambda: len(rig.uploads()) == 2)
    rig.wait_rest()
    rig.advance(49 * 3600)
    rig.play(*jobs)
    assert rig.states() == [JobState.DONE] * 2
    assert len(rig.uploads()) == 3


def test_a_file_that_takes_its_time_is_waited_for(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(files=FileRules(processing_s=1.2)))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.entries("get_file")) >= 2
    assert len(rig.generates()) == 1


def test_a_video_the_service_cannot_read_fails_alone(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    jobs = rig.add(clips(3))
    rig.server.add_rule(Rule(Action.FILE_FAILED, kind="any", display_name=jobs[1]))
    from gsvr_tui.core.messages import Resume

    rig.tell(Resume)
    rig.wait_until(JobState.FAILED, jobs[1])
    rig.wait_until(JobState.DONE, jobs[0], jobs[2])
    assert rig.rows[jobs[1]].note


def test_a_burst_of_503_is_sat_out(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.ERROR_503, count=3)]), frozen=True)
    rig.open([account("p1")], workers=2)
    jobs = rig.add(clips(3))
    rig.play(*jobs)
    assert rig.states() == [JobState.DONE] * 3
    assert len(rig.generates(status=503)) == 3
    assert {rig.rows[job].attempts for job in jobs} == {0}


@pytest.mark.parametrize("action", [Action.DROP_MID_STREAM, Action.TRUNCATED_STREAM, Action.DROP])
def test_a_request_that_broke_off_is_asked_again_and_its_price_stays_spent(
    make_rig: MakeRig, clips: Clips, action: Action
) -> None:
    rig = make_rig(world(rules=[Rule(action, count=1)]), frozen=True)
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.rows[job].state is JobState.WAITING)
    spent = rig.rows[job].cost_usd
    assert spent > 0
    rig.play(job)
    row = rig.rows[job]
    assert row.state is JobState.DONE
    assert row.cost_usd > spent
    assert rig.status.spent_usd == pytest.approx(row.cost_usd)
    rig.wait_for(lambda: len(rig.generates()) == 2)


@pytest.mark.parametrize("action", [Action.EMPTY_TEXT, Action.MAX_TOKENS_EMPTY, Action.THOUGHT_ONLY])
def test_an_empty_answer_is_asked_again_and_uses_an_attempt(make_rig: MakeRig, clips: Clips, action: Action) -> None:
    rig = make_rig(world(rules=[Rule(action, count=1)]), frozen=True)
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.play(job)
    assert rig.rows[job].state is JobState.DONE
    assert rig.rows[job].attempts == 1
    assert len(rig.generates()) == 2


@pytest.mark.parametrize("action", [Action.BLOCKED_PROMPT, Action.SAFETY, Action.ERROR_400_ARGUMENT])
def test_a_refused_video_fails_with_the_reason_and_the_others_go_on(
    make_rig: MakeRig, clips: Clips, action: Action
) -> None:
    rig = make_rig(world(rules=[Rule(action, nth=(1,))]), frozen=True)
    rig.open([account("p1")], workers=1)
    jobs = rig.add(clips(3))
    rig.play(*jobs)
    assert sorted(rig.states()) == [JobState.DONE, JobState.DONE, JobState.FAILED]
    failed = next(row for row in rig.rows.values() if row.state is JobState.FAILED)
    assert failed.note


def test_an_answer_that_is_cut_short_is_never_called_done(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.CUT_JSON)]), frozen=True)
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.play(job)
    assert rig.rows[job].state in (JobState.PARTIAL, JobState.FAILED)


def test_an_upload_that_meets_503_waits_and_does_not_stop_the_model(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.ERROR_503, kind="upload_start", count=6)]), frozen=True)
    rig.open([account("p1")])
    jobs = rig.add(clips(2))
    rig.play(*jobs)
    assert rig.states() == [JobState.DONE] * 2


def test_a_country_that_is_not_served_stops_everything_and_says_so(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.ERROR_400_LOCATION)]), frozen=True)
    rig.open([account("p1")])
    jobs = rig.add(clips(3))
    rig.wait_for(lambda: len(rig.generates()) >= 1)
    status = rig.wait_rest()
    assert status.state is RunState.RESTING
    assert status.reason
    assert {rig.rows[job].attempts for job in jobs} == {0}


def test_the_service_out_of_reach_is_waited_for(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(frozen=True)
    rig.open([account("p1")], base_url="http://127.0.0.1:9")
    jobs = rig.add(clips(1))
    status = rig.wait_rest()
    assert status.state is RunState.RESTING
    assert rig.rows[jobs[0]].attempts == 0
