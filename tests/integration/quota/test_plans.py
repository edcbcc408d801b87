"""Plans before anything is sent, the live end while it runs, and whether both come true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.core.messages import AddJobs, CommandRefused, Event, Pause, PlanJobs, PlanReady, RunState
from gsvr_tui.core.models import JobState, Limits
from tests.integration.quota.conftest import CommandLine
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account, project, world

Clips = Callable[[int], Path]
MODEL = "gemini-3.8-flash"
WINDOW_S = 61.0


def plan(rig: Rig, folder: Path, **fields: object) -> PlanReady:
    assert rig.session is not None
    service = rig.session.service
    ready: dict[str, PlanReady] = {}
    take = service.take_events

    def take_and_keep() -> list[Event]:
        events = take()
        ready.update({event.command_id: event for event in events if isinstance(event, PlanReady)})
        return events

    setattr(service, "take_events", take_and_keep)  # noqa: B010 - the rig has no place for this answer
    command = rig.send(PlanJobs, paths=(str(folder),), **fields)
    rig.wait_for(lambda: command in ready or command in rig.answers)
    assert command in ready, rig.answers
    return ready[command]


def test_a_plan_says_what_it_takes_and_sends_and_adds_nothing(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1", limits=Limits(rpm=2, source="user"))], fallback_models=("gemini-3.5-flash-lite",))
    folder = clips(4)
    (folder / "text.mp4").write_text("no video")
    ready = plan(rig, folder, max_cost_usd=5.0)
    assert (ready.videos, ready.model, ready.split) == (4, MODEL, 0)
    assert ready.seconds == pytest.approx(12, abs=1)
    assert [option.name for option in ready.options] == ["now", "one more account", "fallback model"]
    now, more, _ = ready.options
    assert now.requests == 4
    assert 0 < now.cost_low_usd < now.cost_usd < now.cost_high_usd < 1
    assert now.by_account == (("p1", 4),)
    assert now.ends_at is not None
    assert more.ends_at is not None
    assert more.ends_at < now.ends_at
    assert (ready.cap_usd, ready.inside_cap) == (5.0, True)
    assert not plan(rig, folder, max_cost_usd=0.0001).inside_cap
    assert [why for path, why in ready.skipped if path.endswith("text.mp4")]
    assert rig.rows == {}
    assert not rig.uploads()
    assert not rig.generates()


def test_what_cannot_be_planned_is_refused_with_advice(make_rig: MakeRig, clips: Clips, tmp_path: Path) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    folder = clips(1)
    for fields in ({"model": "gemini-9"}, {"template": "no such"}):
        answer = rig.tell(PlanJobs, paths=(str(folder),), **fields)
        assert isinstance(answer, CommandRefused)
        assert answer.advice
    (tmp_path / "empty").mkdir()
    answer = rig.tell(PlanJobs, paths=(str(tmp_path / "empty"),))
    assert isinstance(answer, CommandRefused)
    assert "there is no video" in answer.message


def test_a_model_that_takes_no_video_is_refused_before_anything_is_uploaded(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.places.models_file.write_text(
        "models:\n  deaf-and-blind:\n    title: Text only\n    status: stable\n    video_in: false\n"
        "    context_tokens: 100000\n    output_tokens: 8192\n    free_tier: false\n"
        "    prices: [{from: 2026-01-01, input: 1, output: 1, cached: 1}]\n",
        encoding="utf-8",
    )
    rig.open([account("p1")])
    for kind in (PlanJobs, AddJobs):
        answer = rig.tell(kind, paths=(str(clips(1)),), model="deaf-and-blind")
        assert isinstance(answer, CommandRefused), answer
        assert "does not take video" in answer.message
        assert MODEL in answer.advice
    assert not rig.uploads()


def test_work_in_the_queue_is_counted_in_the_time_of_a_plan(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(frozen=True)
    rig.open([account("p1", limits=Limits(rpm=1, source="user"))])
    rig.tell(Pause)
    folder = clips(3)
    empty = plan(rig, folder)
    rig.add(folder)
    behind = plan(rig, folder)
    assert empty.options[0].ends_at is not None
    assert behind.options[0].ends_at is not None
    assert behind.options[0].ends_at - empty.options[0].ends_at > 2 * 60
    assert any("in the queue already" in warning for warning in behind.warnings)


def test_the_end_that_was_promised_is_the_end_within_one_window(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), project("p2")), frozen=True)
    known = Limits(rpm=1, source="user")
    rig.open([account("p1", limits=known), account("p2", limits=known)])
    folder = clips(6)
    promised = plan(rig, folder).options[0].ends_at
    jobs = rig.add(folder)
    rig.play(*jobs)
    assert set(rig.states()) == {JobState.DONE}
    assert rig.clock is not None
    assert promised == pytest.approx(rig.clock.now().wall, abs=WINDOW_S)
    assert not rig.generates(status=429)


def test_the_live_end_is_told_while_it_rests_and_gone_when_it_is_done(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(frozen=True)
    rig.open([account("p1", limits=Limits(rpm=2, source="user"))])
    jobs = rig.add(clips(6))
    rig.wait_for(lambda: rig.status is not None and rig.status.state is RunState.RESTING)
    rig.wait_for(lambda: rig.status is not None and rig.status.ends_at is not None and rig.status.limited_by != "")
    assert rig.status is not None
    assert rig.clock is not None
    assert rig.status.ends_at is not None
    assert "requests per minute of p1" in rig.status.limited_by
    assert rig.status.ends_at - rig.clock.now().wall == pytest.approx(120, abs=WINDOW_S)
    rig.play(*jobs)
    rig.wait_for(lambda: rig.status is not None and rig.status.state is RunState.IDLE)
    assert rig.status.ends_at is None


def test_with_limits_that_are_not_known_the_live_end_is_a_range(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1", tier="unknown", limits=Limits())], start_paused=True)
    ready = plan(rig, clips(6))
    now = ready.options[0]
    assert now.ends_low is not None
    assert now.ends_high is not None
    assert now.ends_high > now.ends_low
    assert any("are not known" in warning for warning in ready.warnings)


def test_the_command_line_plans_with_what_is_used_today(
    make_rig: MakeRig, clips: Clips, command_line: CommandLine
) -> None:
    rig = make_rig()
    folder = clips(4)
    rig.places.config_file.write_text(
        "accounts:\n  - name: p1\n    key: {env: GSVR_TEST_KEY}\n    tier: tier1\n"
        f"    base_url: {rig.server.base_url}\n    limits: {{{MODEL}: {{rpm: 100, rpd: 5}}}}\n"
        "fallback_models: [gemini-3.8-flash]\n",
        encoding="utf-8",
    )
    before = command_line(rig, "plan", folder, "--json").records
    assert before[-1]["limited_by"] != "requests per day of p1"
    rig.open([account("p1")])
    rig.add(folder)
    rig.wait_until(JobState.DONE)
    rig.close()
    after = command_line(rig, "plan", folder, "--json").records
    assert after[-1]["limited_by"] == "requests per day of p1"
    assert after[-1]["ends_at"] > before[-1]["ends_at"]
    assert [record["name"] for record in after if record["event"] == "option"] == ["now", "one more account"]
    why = command_line(rig, "accounts", "why")
    assert "4 of 100" in why.out or "1 left today" in why.out
    listed = command_line(rig, "accounts", "list")
    assert "1 left today" in listed.out
    assert rig.generates() == rig.generates(outcome="answered")
