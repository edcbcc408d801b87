"""The history of use, and `gsvr-tui usage` over it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from gsvr_tui.core.models import JobState
from gsvr_tui.emulator import Action, Rule
from tests.integration.quota.conftest import CommandLine
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]


def test_use_is_counted_per_account_with_failures_rejections_and_times(
    make_rig: MakeRig, clips: Clips, command_line: CommandLine
) -> None:
    rules = [
        Rule(Action.ERROR_500, project="p1", nth=(1,)),
        Rule(Action.ERROR_429_BARE, project="p2", nth=(2,)),
    ]
    rig = make_rig(world(project("p1"), project("p2"), rules=rules), frozen=True)
    rig.open([account("p1"), account("p2")], workers=1)
    rig.add(clips(6))
    rig.play()
    assert set(rig.states()) == {JobState.DONE}
    seen = {name: [e.outcome for e in rig.generates(project=name)] for name in ("p1", "p2")}
    rig.close()
    said = command_line(rig, "usage", "--json")
    assert said.code == 0, said.err
    *rows, summary = said.records
    assert [(row["account"], row["project"], row["model"]) for row in rows] == [
        ("p1", "p1", "gemini-3.8-flash"),
        ("p2", "p2", "gemini-3.8-flash"),
    ]
    for row in rows:
        outcomes = seen[row["account"]]
        assert row["requests"] == len(outcomes)
        assert row["answered"] == outcomes.count("answered")
        assert row["tokens_in"] > 0
        assert row["cost_usd"] > 0
    assert (rows[0]["failed"], rows[1]["rejected_429"]) == (1, 1)
    assert (rows[0]["rejected_429"], rows[1]["failed"]) == (0, 0)
    assert rows[0]["success"] < 1.0
    assert rows[1]["success"] == 1.0
    assert summary["answered"] == 6
    assert summary["cost_usd"] > 0


def test_the_history_goes_on_over_a_restart_and_is_shown_while_another_process_works(
    make_rig: MakeRig, clips: Clips, command_line: CommandLine
) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    rig.add(clips(1))
    rig.wait_until(JobState.DONE)
    rig.close()
    rig.open([account("p1")])
    rig.add(clips(3))
    rig.wait_until(JobState.DONE)
    said = command_line(rig, "usage")
    assert said.code == 0, said.err
    line = next(line for line in said.out.splitlines() if line.startswith("p1"))
    assert line.split()[3] == "3"
    assert "100%" in line


def test_a_name_that_looks_like_a_formula_is_text_in_the_csv(
    make_rig: MakeRig, clips: Clips, command_line: CommandLine
) -> None:
    rig = make_rig(world(project("p1")))
    rig.open([account('=HYPERLINK("http://x","y")', of="p1")])
    rig.add(clips(1))
    rig.wait_until(JobState.DONE)
    rig.close()
    said = command_line(rig, "usage", "--csv", "--days", "1")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["account"] for row in rows] == ['\'=HYPERLINK("http://x","y")']
    assert rows[0]["requests"] == "1"
    assert float(rows[0]["p50_s"]) > 0


def test_two_forms_at_once_are_refused_and_nothing_used_is_said_so(
    make_rig: MakeRig, command_line: CommandLine
) -> None:
    rig = make_rig()
    assert command_line(rig, "usage", "--json", "--csv").code == 2
    rig.open([account("p1")])
    rig.close()
    said = command_line(rig, "usage")
    assert said.code == 0
    assert "Nothing was sent" in said.out
