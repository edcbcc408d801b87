"""Scenario files: the ones that come along, and what is said about a wrong one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gsvr_tui.emulator import (
    Action,
    KeyState,
    LimiterKind,
    Limits,
    ScenarioError,
    built_in_scenario,
    load_scenario,
    read_scenario,
    scenario_names,
)

SMALL = "projects:\n  - name: p\n    keys: [some-key]\n"


@pytest.mark.parametrize("name", ["demo", "demo_accounts", "faults", "several_accounts"])
def test_the_scenarios_that_come_along_are_valid(name: str) -> None:
    assert name in scenario_names()
    assert built_in_scenario(name).name == name


def test_the_demo_allows_about_ten_requests_a_minute() -> None:
    demo = built_in_scenario("demo")
    assert len(demo.projects) == 2
    assert sum(project.limits.rpm or 0 for project in demo.projects) == 10


def test_the_faults_hit_one_request_in_five() -> None:
    assert sum(built_in_scenario("faults").faults.values()) == pytest.approx(0.2)


def test_every_setting_finds_its_place() -> None:
    scenario = read_scenario(
        SMALL
        + """\
    tier: paid
    limits: {rpm: 5, rpd: 20}
    model_limits: {gemini-3.8-flash: {rpm: 0}}
    limiter: bucket
    changes: [{at_s: 60, limits: {rpm: 2}}]
  - name: q
    keys: [{key: other, state: leaked}]
start_at: 2026-11-24T10:00:00Z
time_factor: 60
rules:
  - {action: hang, nth: 3, seconds: 5}
  - {action: error_503, kind: any, nth: [1, 2]}
faults: {drop: 0.25}
"""
    )
    first, second = scenario.projects
    assert first.limits == Limits(rpm=5, rpd=20)
    assert first.model_limits["gemini-3.8-flash"].no_access
    assert first.limiter is LimiterKind.BUCKET
    assert first.changes[0].limits.rpm == 2
    assert second.keys[0].state is KeyState.LEAKED
    assert scenario.start_at == datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp()
    assert scenario.rules[0].nth == (3,)
    assert scenario.rules[1].nth == (1, 2)
    assert scenario.faults == {Action.DROP: 0.25}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "world.yaml: must be a mapping of settings, not nothing"),
        ("- 1", "world.yaml: must be a mapping of settings, not a list"),
        ("projects: [", "world.yaml line 1: is not YAML"),
        ("projects: []", "world.yaml: projects must name at least one project"),
        ("name: x", "world.yaml: projects must be given"),
        (SMALL + "projekts: 1", "world.yaml: unknown setting 'projekts'; did you mean 'projects'?"),
        (SMALL + "rules: [{action: explode}]", "world.yaml.rules[0].action: 'explode' is not known"),
        (SMALL + "rules: [{action: error_53}]", "did you mean 'error_503'?"),
        (SMALL + "rules: [{action: drop, kind: genrate}]", "world.yaml.rules[0]: kind 'genrate' is not known"),
        (SMALL + "rules: [{action: drop, project: x}]", "world.yaml: rules[0].project: there is no project 'x'"),
        (
            SMALL + "rules: [{action: drop, nth: soon}]",
            "world.yaml.rules[0].nth[0]: must be a whole number, not 'soon'",
        ),
        (SMALL + "rules: [{action: http, code: 200}]", "code must be an HTTP error"),
        (SMALL + "    limits: {rpm: -1}", "world.yaml.projects[0].limits.rpm: must not be below 0, is -1"),
        (SMALL + "    limits: {rpm: 1.5}", "must be a whole number, not 1.5"),
        (SMALL + "    limits: 5", "world.yaml.projects[0].limits: must be a mapping of settings, not a number"),
        (SMALL + "    count_rejected: maybe", "count_rejected: must be true or false, not text"),
        (SMALL + "  - name: p\n    keys: [b]", "two are called 'p'"),
        (SMALL + "  - name: q\n    keys: [some-key]", "q: a key is empty or used twice"),
        (SMALL + "faults: {drop: 0.6, hang: 0.6}", "faults: the probabilities add up to more than 1"),
        (SMALL + "faults: 3", "world.yaml.faults: must be a mapping, not a number"),
        (SMALL + "time_factor: 0", "time_factor: must be above 0"),
        (SMALL + "name: 5", "world.yaml.name: must be text, not a number"),
        ("projects: !!python/object:os.system {}", "is not YAML"),
    ],
)
def test_a_wrong_scenario_is_told_where_and_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "some-key" not in str(caught.value)


def test_a_missing_file_and_an_unknown_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="can't be read: No such file"):
        load_scenario(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ScenarioError, match="is not UTF-8 text"):
        load_scenario(tmp_path / "latin.yaml")
    with pytest.raises(ScenarioError, match="known are: demo, demo_accounts, faults, several_accounts"):
        built_in_scenario("nothing")
