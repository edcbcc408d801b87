"""The read model and the view of the queue, without Textual."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.messages import JobRow, JobsChanged, LogLine, RunState, Snapshot, Status
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.ui import filters
from gsvr_tui.ui.queue_view import QueueView, Sort
from gsvr_tui.ui.read_model import LOG_LINES, ReadModel
from gsvr_tui.ui.rehearsal import scenes

NOW = 1_800_000_000.0


def loaded(rows: list[JobRow]) -> ReadModel:
    model = ReadModel()
    model.apply([Snapshot(Status(RunState.RUNNING), (), tuple(rows), (), ())])
    return model


def test_a_change_says_what_was_and_what_is() -> None:
    model = loaded(scenes.working_jobs(NOW))
    before = model.rows[3]
    after = replace(before, state=JobState.RUNNING)
    new = scenes.job(99, "new.mp4")
    change = model.apply([JobsChanged((after, new))])
    assert change.jobs == [(3, before, after), (16, None, new)]
    assert model.row(new.id) is new
    assert model.counts[JobState.RUNNING] == 4


def test_a_snapshot_makes_everything_before_it_void() -> None:
    model = loaded(scenes.working_jobs(NOW))
    change = model.apply([JobsChanged((scenes.job(50, "x"),)), scenes.empty(NOW)])
    assert change.everything
    assert change.jobs == []
    assert model.rows == []


def test_equal_failures_are_one_alert_that_leads_to_them() -> None:
    model = loaded(list(scenes.many(NOW, 1000).jobs))
    alert = model.alerts()[-1]
    assert (alert.text, alert.count) == ("no sound track", 10)
    view = QueueView(model)
    view.set_filter(chip=None, query=filters.parse(alert.query))
    assert len(view) == 10


def test_the_log_ring_keeps_the_newest_lines() -> None:
    model = ReadModel()
    model.apply([LogLine(NOW, "info", "x", str(i)) for i in range(LOG_LINES + 5)])
    assert len(model.logs) == LOG_LINES
    assert model.logs[0].message == "5"
    assert model.log_end == LOG_LINES + 5


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("optics", {"phys/optics-1.mp4", "phys/optics-2.mp4", "phys/optics-3.mp4"}),
        ("state:fail", {"phys/intro.mp4"}),
        ('why:"sound track"', {"phys/intro.mp4"}),
        ("OPTICS state:done", {"phys/optics-2.mp4", "phys/optics-3.mp4"}),
        ("acct:lab-b", {"bio101/week-03-lab.mp4"}),
        ("batch:nothing", set()),
        ("历史 第一", {"历史/第一讲-丝绸之路.mp4"}),
    ],
)
def test_the_filter_line_narrows(text: str, names: set[str]) -> None:
    view = QueueView(loaded(scenes.working_jobs(NOW)))
    view.set_filter(chip=None, query=filters.parse(text))
    assert {row.name for row in view.shown()} == names


def test_an_unknown_state_is_reported_and_hides_nothing() -> None:
    query = filters.parse("state:flying optics")
    assert "no state begins with" in query.problem
    assert query.names == ("optics",)


@given(st.text(max_size=60))
def test_any_text_is_a_filter(text: str) -> None:
    view = QueueView(loaded(scenes.working_jobs(NOW)))
    view.set_filter(chip=None, query=filters.parse(text))
    assert len(view) <= 16


states = st.sampled_from(list(JobState))
changes = st.lists(st.tuples(st.integers(0, 24), states, st.integers(0, 3)), max_size=30)


@settings(max_examples=200)
@given(
    st.sampled_from(list(Sort)),
    st.booleans(),
    st.sampled_from([None, *JobState]),
    st.sampled_from(["", "a", "state:r", "b2"]),
    st.lists(changes, max_size=4),
    st.integers(0, 12),
)
def test_small_changes_give_the_same_list_as_building_it_anew(
    sort: Sort, reverse: bool, chip: JobState | None, text: str, bursts: list[list[tuple[int, JobState, int]]], at: int
) -> None:
    names = ["a", "b2", "B1", "a", "c"]
    model = loaded([scenes.job(i, names[i % 5] + str(i % 3), duration_s=float(i % 4)) for i in range(12)])
    view = QueueView(model)
    view.set_sort(sort, reverse=reverse)
    view.set_filter(chip=chip, query=filters.parse(text))
    view.move_to(at)
    for burst in bursts:
        rows = []
        for number, state, cost in burst:
            old = model.row(f"job{number:07d}") or scenes.job(number, names[number % 5])
            rows.append(replace(old, state=state, step=Step.GENERATE, cost_usd=float(cost)))
        before = view.row
        view.apply(model.apply([JobsChanged(tuple(rows))]))
        fresh = QueueView(model)
        fresh.set_sort(sort, reverse=reverse)
        fresh.set_filter(chip=chip, query=filters.parse(text))
        assert list(view.order) == list(fresh.order)
        shown = {row.id for row in view.shown()}
        if before is not None and before.id in shown:
            assert view.row is not None
            assert view.row.id == before.id
        assert all(view.index_of(row.id) == index for index, row in enumerate(view.shown()))


def test_a_change_among_a_hundred_thousand_jobs_costs_no_pass_over_them() -> None:
    model = loaded(list(scenes.many(NOW, 100_000).jobs))
    view = QueueView(model)
    view.set_filter(chip=JobState.QUEUED, query=filters.parse(""))
    rows = [replace(row, state=JobState.RUNNING) for row in model.rows[::997]]
    start = time.perf_counter()
    view.apply(model.apply([JobsChanged(tuple(rows))]))
    spent = time.perf_counter() - start
    # a pass over all rows takes above 10 ms for each of the 101 changes
    assert spent < 0.1
    assert len(view) == 86_000 - sum(row.state is JobState.QUEUED for row in scenes.many(NOW, 100_000).jobs[::997])
