"""The judge of the kill campaign finds what it is there to find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.durability.checks import Sight, judge
from bench.durability.world import Home
from gsvr_tui.core.models import JobState

VIDEO, DIGEST = "/v/one.mp4", "d1"
DONE, RUNNING = {VIDEO: JobState.DONE}, {VIDEO: JobState.RUNNING}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path, "http://127.0.0.1:1")
    found.hashes[VIDEO] = DIGEST
    return found


def sight(at: float, jobs: dict[str, JobState], *, answered: bool = False, **more: Any) -> Sight:
    return Sight(at, jobs, frozenset({DIGEST} if answered else ()), more.get("reports", {}), 0, more.get("counted", 9))


def asked(time: float, outcome: str = "answered", kind: str = "generate") -> dict[str, Any]:
    return {"kind": kind, "time": time, "ended": time + 0.1, "outcome": outcome, "status": 200, "file_sha256": DIGEST}


def test_a_clean_run_gives_no_complaint(home: Home) -> None:
    verdict = judge(home, [sight(2.0, RUNNING, answered=True)], [asked(1.0)], sight(9.0, DONE, answered=True))
    assert [verdict.lost, verdict.redone, verdict.paid_twice, verdict.uncounted, verdict.damaged] == [[]] * 5


def test_a_request_again_after_its_answer_was_on_disk_is_paid_twice(home: Home) -> None:
    entries = [asked(1.0), asked(3.0)]
    verdict = judge(home, [sight(2.0, RUNNING, answered=True)], entries, sight(9.0, DONE))
    assert len(verdict.paid_twice) == 1


def test_a_request_again_with_no_kill_between_is_paid_twice(home: Home) -> None:
    verdict = judge(home, [sight(5.0, RUNNING)], [asked(1.0), asked(3.0)], sight(9.0, DONE))
    assert len(verdict.paid_twice) == 1


def test_a_request_in_flight_at_the_kill_may_be_asked_again_and_the_gap_is_told(home: Home) -> None:
    verdict = judge(home, [sight(1.3, RUNNING)], [asked(1.0), asked(3.0)], sight(9.0, DONE))
    assert not verdict.paid_twice
    assert verdict.in_flight_again == 1
    assert verdict.answer_gaps_s == [pytest.approx(0.2)]


def test_a_request_the_service_saw_just_after_its_sender_was_killed_was_in_flight(home: Home) -> None:
    late, next_one = asked(1.3, "abandoned"), asked(3.0)
    assert not judge(home, [sight(1.2, RUNNING)], [late, next_one], sight(9.0, DONE)).paid_twice
    assert judge(home, [sight(0.5, RUNNING)], [late, next_one], sight(9.0, DONE)).paid_twice
    assert judge(home, [sight(1.2, RUNNING)], [asked(1.3), next_one], sight(9.0, DONE)).paid_twice
    assert judge(home, [sight(1.2, RUNNING, answered=True)], [late, next_one], sight(9.0, DONE)).paid_twice


def test_work_on_a_done_job_and_a_report_written_anew_are_found(home: Home) -> None:
    before = sight(2.0, DONE, answered=True, reports={"/r/one.md": "a"})
    after = sight(9.0, DONE, answered=True, reports={"/r/one.md": "b"})
    verdict = judge(home, [before], [asked(1.0), asked(3.0, kind="upload_bytes")], after)
    assert len(verdict.redone) == 2


def test_a_job_that_vanished_or_did_not_end_is_lost(home: Home) -> None:
    assert judge(home, [sight(2.0, DONE)], [], sight(9.0, {})).lost
    assert judge(home, [], [], sight(9.0, {VIDEO: JobState.FAILED})).lost
    assert judge(home, [], [], sight(9.0, DONE, reports={"/r/one.md": "missing"})).lost


def test_requests_that_the_ledger_of_use_does_not_know_are_found(home: Home) -> None:
    verdict = judge(home, [], [asked(1.0)], sight(9.0, DONE, counted=0))
    assert verdict.uncounted
