"""Keys and projects that are no good, in the service's own words."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import errors

from gsvr_tui.emulator import KeySpec, KeyState, ManualClock, ProjectSpec, ProjectState, Scenario

from .conftest import KEY, Bench, Start


def refusal(bench: Bench, key: str = KEY) -> errors.ClientError:
    with pytest.raises(errors.ClientError) as caught:
        bench.ask("hi", key=key)
    return caught.value


def reasons(problem: errors.ClientError) -> list[str]:
    details: list[dict[str, Any]] = problem.details["error"].get("details", [])
    return [detail["reason"] for detail in details if "reason" in detail]


@pytest.mark.parametrize(
    ("state", "code", "status", "words", "reason"),
    [
        (
            KeyState.INVALID,
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            "API_KEY_INVALID",
        ),
        (KeyState.NOT_FOUND, 400, "INVALID_ARGUMENT", "API Key not found.", "API_KEY_INVALID"),
        (KeyState.EXPIRED, 400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", "API_KEY_INVALID"),
        (KeyState.LEAKED, 403, "PERMISSION_DENIED", "Your API key was reported as leaked.", None),
        (KeyState.UNAUTHENTICATED, 401, "UNAUTHENTICATED", "Expected OAuth 2", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        (KeyState.SERVICE_BLOCKED, 403, "PERMISSION_DENIED", "are blocked.", "API_KEY_SERVICE_BLOCKED"),
        (KeyState.REFERRER_BLOCKED, 403, "PERMISSION_DENIED", "referer <empty>", "API_KEY_HTTP_REFERRER_BLOCKED"),
    ],
)
def test_a_bad_key_is_told_so(
    start: Start, state: KeyState, code: int, status: str, words: str, reason: str | None
) -> None:
    bench = start(Scenario((ProjectSpec("p", (KeySpec(KEY, state),)),)))
    problem = refusal(bench)
    assert (problem.code, problem.status) == (code, status)
    assert words in (problem.message or "")
    assert reasons(problem) == ([reason] if reason else [])
    assert KEY not in str(problem.details)


@pytest.mark.parametrize(
    ("state", "code", "words", "reason"),
    [
        (ProjectState.SUSPENDED, 403, f"Consumer 'api_key:{KEY}' has been suspended.", "CONSUMER_SUSPENDED"),
        (ProjectState.DENIED, 403, "Your project has been denied access. Please contact support.", None),
        (ProjectState.SERVICE_DISABLED, 403, "has not been used in project", "SERVICE_DISABLED"),
        (ProjectState.CREDITS_DEPLETED, 429, "Your prepayment credits are depleted.", None),
        (ProjectState.NO_FREE_TIER, 400, "free tier is not available in your country", None),
    ],
)  # fmt: skip
def test_a_bad_project_is_told_so(start: Start, state: ProjectState, code: int, words: str, reason: str | None) -> None:
    bench = start(Scenario((ProjectSpec("p", (KeySpec(KEY),), state=state),)))
    problem = refusal(bench)
    assert problem.code == code
    assert words in (problem.message or "")
    assert reasons(problem) == ([reason] if reason else [])


def test_an_unknown_key_is_invalid_and_a_missing_one_unregistered(bench: Bench) -> None:
    assert refusal(bench, "some-other-key-9999").code == 400
    answer = bench.http.get("/v1beta/models")
    assert answer.status_code == 403
    assert "unregistered callers" in answer.json()["error"]["message"]


def test_keys_and_projects_die_when_the_scenario_says(start: Start, clock: ManualClock) -> None:
    keys = (KeySpec(KEY, becomes=KeyState.LEAKED, at_s=100), KeySpec("emulator-key-0002"))
    bench = start(Scenario((ProjectSpec("p", keys, becomes=ProjectState.SUSPENDED, at_s=200),)), clock=clock)
    assert bench.ask("hi").text
    clock.advance(100)
    assert "leaked" in (refusal(bench).message or "")
    assert bench.ask("hi", key="emulator-key-0002").text
    clock.advance(100)
    assert "suspended" in (refusal(bench, "emulator-key-0002").message or "")


def test_the_log_keeps_four_letters_of_a_suspended_key(start: Start) -> None:
    bench = start(Scenario((ProjectSpec("p", (KeySpec(KEY),), state=ProjectState.SUSPENDED),)))
    refusal(bench)
    entry = bench.server.log[-1]
    assert (entry.key_tail, entry.project, entry.detail) == (KEY[-4:], "p", "project_suspended")
    assert KEY not in repr(bench.server.log)
    assert KEY not in repr(bench.server.scenario)
