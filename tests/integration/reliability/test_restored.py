"""What a start finds: answers to adopt, requests with no known end, jobs that kill us, answers with no record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gsvr_tui.core.messages import ReleaseJobs
from gsvr_tui.core.models import JobState, RequestState, Segment
from gsvr_tui.store import Store
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account

Clips = Callable[[int], Path]


def change(rig: Rig, job: str, state: JobState, segment: Callable[[Segment], Segment] | None = None) -> None:
    """Put a job's records back to where they were at some earlier moment, as a crash leaves them."""
    store = Store.open(rig.places.state)
    transaction = store.begin()
    before = store.job(job)
    transaction.put_job(replace(before, state=state, verdict=None, finished_at=None, outputs=(), output_hashes=""))
    if segment is not None:
        transaction.put_segment(segment(store.segments(job)[0]))
    transaction.commit().wait()
    store.close()


def done(rig: Rig, clips: Clips) -> str:
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    rig.close()
    return job


def test_an_answer_on_disk_whose_request_is_still_open_is_taken_over_at_its_price(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig()
    job = done(rig, clips)
    change(
        rig,
        job,
        JobState.RUNNING,
        lambda s: replace(s, request_state=RequestState.OPEN, usage=None, cost_usd=0.0),
    )
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1
    assert any("taken over" in line.message for line in rig.logs)
    assert rig.session is not None
    (segment,) = rig.session.parts.store.segments(job)
    assert segment.usage is not None
    assert segment.cost_usd > 0


def test_a_request_that_nobody_knows_the_end_of_stays_spent_and_is_told_in_money(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig()
    job = done(rig, clips)
    for path in (rig.places.state / "answers").glob("*/*.json"):
        path.unlink()
    change(
        rig,
        job,
        JobState.RUNNING,
        lambda s: replace(s, request_state=RequestState.OPEN, usage=None, cost_usd=0.0, reserved_usd=0.1234),
    )
    rig.open([account("p1")])
    rig.wait_for(lambda: any(line.level == "warning" for line in rig.logs))
    told = [line.message for line in rig.logs if line.level == "warning"]
    assert told == ["1 request(s) were in flight when the last run ended; up to $0.1234 may be charged twice"]
    assert rig.status is not None
    assert rig.status.spent_usd >= 0.1234
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 2
    assert rig.rows[job].attempts == 0


def test_a_job_in_flight_at_three_crashes_in_a_row_is_set_aside_and_can_be_released(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig()
    job = done(rig, clips)
    for path in (rig.places.state / "answers").glob("*/*.json"):
        path.unlink()
    for crash in range(3):
        change(rig, job, JobState.RUNNING, lambda s: replace(s, request_state=RequestState.FAILED))
        rig.open([])  # nothing can be done meanwhile
        rig.wait_for(lambda: job in rig.rows)
        if crash < 2:
            assert rig.rows[job].state is not JobState.HELD
            rig.close()
    assert rig.rows[job].state is JobState.HELD
    assert "3 crashes" in rig.rows[job].note
    assert rig.rows[job].advice
    rig.close()
    rig.open([account("p1")])
    rig.tell(ReleaseJobs, jobs=(job,))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 2


def test_an_answer_that_no_record_leads_to_serves_the_same_work_under_a_new_job(
    make_rig: MakeRig, clips: Clips
) -> None:
    """As after the state was restored from a backup, or was begun anew beside the answers."""
    rig = make_rig()
    done(rig, clips)
    for path in rig.places.state.glob("state.json*"):
        if path.name != "state.json.lock":
            path.unlink()
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1
    assert rig.rows[job].cost_usd == 0
    assert list((rig.home / "reports").glob("*.md"))


def test_an_answer_given_up_does_not_come_back_from_the_disk(make_rig: MakeRig, clips: Clips) -> None:
    from gsvr_tui.core.messages import RetryJobs

    rig = make_rig()
    job = done(rig, clips)
    rig.open([account("p1")])
    rig.tell(RetryJobs, jobs=(job,))
    rig.wait_for(lambda: len(rig.generates(outcome="answered")) == 2)
    rig.wait_until(JobState.DONE, job)
    assert rig.session is not None
    store = rig.session.parts.store
    assert len(list(store.answers.request_ids())) == 2
    assert len(store.meta_keys("given up ")) == 1


@pytest.mark.parametrize("spoilt", ["cut", "empty"])
def test_an_answer_without_a_record_that_is_no_good_is_not_taken(make_rig: MakeRig, clips: Clips, spoilt: str) -> None:
    rig = make_rig()
    done(rig, clips)
    (path,) = (rig.places.state / "answers").glob("*/*.json")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if spoilt == "cut" else data.split(b"\n", 1)[0] + b"\n")
    for state in rig.places.state.glob("state.json*"):
        if state.name != "state.json.lock":
            state.unlink()
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 2
