"""Quota over HTTP: whose it is, and how a refusal reads."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import pytest
from google.genai import errors

from gsvr_tui.emulator import (
    Action,
    KeySpec,
    LimitChange,
    LimiterKind,
    Limits,
    ManualClock,
    ProjectSpec,
    Rule,
    Scenario,
    Tier,
    simple_scenario,
)

from .conftest import KEY, MODEL, Bench, Start, video_bytes

OTHER_MODEL = "gemini-3.5-flash-lite"


def refused(bench: Bench, *contents: Any, key: str = KEY, model: str = MODEL) -> errors.ClientError:
    with pytest.raises(errors.ClientError) as caught:
        bench.ask(*contents, key=key, model=model)
    assert caught.value.code == 429
    assert caught.value.status == "RESOURCE_EXHAUSTED"
    return caught.value


def detail(problem: errors.ClientError, kind: str) -> dict[str, Any]:
    found = [one for one in problem.details["error"]["details"] if one["@type"].endswith(kind)]
    return dict(found[0])


def test_a_minute_limit_is_named_and_passes_with_the_minute(start: Start, clock: ManualClock) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpm=2)), clock=clock)
    bench.ask("1")
    clock.advance(20)
    bench.ask("2")
    problem = refused(bench, "3")
    assert detail(problem, "QuotaFailure")["violations"] == [
        {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": MODEL},
            "quotaValue": "2",
        }
    ]
    assert detail(problem, "RetryInfo") == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "40s"}
    assert "You exceeded your current quota" in (problem.message or "")
    assert f"generate_content_free_tier_requests, limit: 2, model: {MODEL}" in (problem.message or "")
    assert "Please retry in 40s." in (problem.message or "")
    clock.advance(40)
    bench.ask("4")
    assert [entry.outcome for entry in bench.server.log] == ["answered", "answered", "rejected", "answered"]
    assert bench.server.log[2].detail == "rpm"


def test_quota_belongs_to_project_and_model(start: Start, clock: ManualClock) -> None:
    scenario = Scenario(
        (
            ProjectSpec("one", (KeySpec("key-of-project-one"), KeySpec("other-key-of-one")), limits=Limits(rpm=1)),
            ProjectSpec("two", (KeySpec("key-of-project-two"),), limits=Limits(rpm=1)),
        )
    )
    bench = start(scenario, clock=clock)
    bench.ask("hi", key="key-of-project-one")
    refused(bench, "hi", key="other-key-of-one")
    bench.ask("hi", key="other-key-of-one", model=OTHER_MODEL)
    bench.ask("hi", key="key-of-project-two")


def test_the_free_daily_limit_has_a_short_delay_and_ends_at_midnight_pacific(start: Start, clock: ManualClock) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpd=1)), clock=clock)
    bench.ask("1")
    problem = refused(bench, "2")
    violation = detail(problem, "QuotaFailure")["violations"][0]
    assert violation["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    assert 1 <= int(detail(problem, "RetryInfo")["retryDelay"].removesuffix("s")) <= 60
    clock.advance(3600)
    refused(bench, "3")
    clock.advance(24 * 3600)
    bench.ask("4")


def test_a_paid_daily_limit_tells_the_hours(start: Start, clock: ManualClock) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpd=1), tier=Tier.PAID), clock=clock)
    bench.ask("1")
    problem = refused(bench, "2")
    assert detail(problem, "QuotaFailure")["violations"][0]["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel"
    assert int(detail(problem, "RetryInfo")["retryDelay"].removesuffix("s")) > 3600


@pytest.mark.parametrize(
    ("tier", "quota_id"),
    [
        (Tier.FREE, "GenerateContentInputTokensPerModelPerMinute-FreeTier"),
        (Tier.PAID, "GenerateContentPaidTierInputTokensPerModelPerMinute"),
        (Tier.PAID_2, "GenerateContentPaidTierInputTokensPerModelPerMinute-PaidTier2"),
    ],
)
def test_a_video_above_the_tokens_of_a_minute_never_passes(
    start: Start, clock: ManualClock, tier: Tier, quota_id: str
) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(tpm=250_000), tier=tier), clock=clock)
    file = bench.upload(video_bytes(3600))
    for _ in range(2):
        violation = detail(refused(bench, file, "hi"), "QuotaFailure")["violations"][0]
        assert (violation["quotaId"], violation["quotaValue"]) == (quota_id, "250000")
        clock.advance(61)


def test_no_access_reads_limit_0_without_a_value(start: Start) -> None:
    bench = start(simple_scenario(KEY, model_limits={MODEL: Limits(rpm=0, tpm=0, rpd=0)}))
    problem = refused(bench, "hi")
    violations = detail(problem, "QuotaFailure")["violations"]
    assert len(violations) == 3
    assert not any("quotaValue" in violation for violation in violations)
    assert "limit: 0" in (problem.message or "")
    assert bench.ask("hi", model=OTHER_MODEL).text


def test_a_project_may_hide_its_limits(start: Start) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpm=1), quota_value=False, retry_info=False))
    bench.ask("1")
    problem = refused(bench, "2")
    assert "quotaValue" not in detail(problem, "QuotaFailure")["violations"][0]
    assert "limit: " not in (problem.message or "")
    assert len(problem.details["error"]["details"]) == 2


def test_a_bare_refusal_has_no_details(start: Start) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpm=1), bare_429=True))
    bench.ask("1")
    problem = refused(bench, "2")
    assert problem.message == "Resource has been exhausted (e.g. check quota)."
    assert "details" not in problem.details["error"]


def test_limits_change_when_planned(start: Start, clock: ManualClock) -> None:
    changes = (LimitChange(10, Limits(rpm=1)), LimitChange(20, Limits(rpm=0), model=OTHER_MODEL))
    bench = start(simple_scenario(KEY, limits=Limits(rpm=100), changes=changes), clock=clock)
    for _ in range(3):
        bench.ask("hi")
    clock.advance(10)
    refused(bench, "hi")
    bench.ask("hi", model=OTHER_MODEL)
    clock.advance(10)
    assert "limit: 0" in (refused(bench, "hi", model=OTHER_MODEL).message or "")


def test_failed_requests_count_only_if_the_scenario_says_so(start: Start, clock: ManualClock) -> None:
    rules = (Rule(Action.ERROR_503, nth=(1,)),)
    for counts in (True, False):
        scenario = Scenario(simple_scenario(KEY, limits=Limits(rpm=1)).projects, rules=rules, count_failed=counts)
        bench = start(scenario, clock=clock)
        with pytest.raises(errors.ServerError):
            bench.ask("hi")
        if counts:
            refused(bench, "hi")
        else:
            assert bench.ask("hi").text


@pytest.mark.parametrize("kind", list(LimiterKind))
def test_concurrent_requests_get_exactly_the_limit(start: Start, clock: ManualClock, kind: LimiterKind) -> None:
    bench = start(simple_scenario(KEY, limits=Limits(rpm=7), limiter=kind), clock=clock)
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: bench.post("generateContent", body).status_code, range(24)))
    assert sorted(answers) == [200] * 7 + [429] * 17
    assert bench.server.stats()["rejected"] == 17


def test_a_minute_passes_in_a_moment_when_time_runs_fast(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY, limits=Limits(rpm=1)).projects, time_factor=600))
    bench.ask("1")
    wait = bench.server.log[0].time + 60 - bench.server.clock.wall()
    assert wait < 60
    while bench.server.clock.wall() < bench.server.log[0].time + 60:
        bench.http.get("/__emulator__/stats")
    bench.ask("2")


@pytest.mark.parametrize("count_rejected", [False, True])
def test_hammering_never_gets_more_than_the_limit_through_in_any_minute(start: Start, count_rejected: bool) -> None:
    project = simple_scenario(KEY, limits=Limits(rpm=9, tpm=150), count_rejected=count_rejected)
    bench = start(Scenario(project.projects, time_factor=150))
    body = {"contents": [{"parts": [{"text": "x" * 40}]}]}
    ends = bench.server.clock.wall() + 150

    def hammer(_: int) -> None:
        while bench.server.clock.wall() < ends:
            bench.post("generateContent", body)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(hammer, range(4)))
    times = sorted(entry.counted_at for entry in bench.server.log if entry.counted_at is not None)
    tokens = {entry.prompt_tokens for entry in bench.server.log}
    assert tokens == {10}
    assert max(sum(first <= time < first + 60 for time in times) for first in times) == 9
    assert len(times) == 9 if count_rejected else 18 <= len(times) <= 27
