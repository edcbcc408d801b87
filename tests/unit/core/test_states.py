"""The table of states a job may pass through."""

from __future__ import annotations

from itertools import product

import pytest

from gsvr_tui.core.models import (
    FINAL_STATES,
    TRANSITIONS,
    IllegalTransition,
    JobState,
    check_path,
    check_transition,
)


def reachable(start: JobState) -> set[JobState]:
    found, todo = {start}, [start]
    while todo:
        for state in TRANSITIONS[todo.pop()] - found:
            found.add(state)
            todo.append(state)
    return found


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert reachable(JobState.QUEUED) == set(JobState)


def test_final_states_lead_only_back_into_the_queue() -> None:
    for state in JobState:
        assert state.final == (state in FINAL_STATES)
        assert (TRANSITIONS[state] == {JobState.QUEUED}) == state.final


def test_from_every_state_the_user_gets_back_to_the_queue() -> None:
    assert all(JobState.QUEUED in reachable(state) for state in JobState)


def test_only_what_runs_can_be_done() -> None:
    for state in JobState:
        assert (JobState.DONE in TRANSITIONS[state]) == (state is JobState.RUNNING)


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_the_check_says_what_the_table_says(before: JobState, after: JobState) -> None:
    if before is after or after in TRANSITIONS[before]:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransition):
            check_transition(before, after)


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_changes_within_one_moment_may_pass_through_the_queue(before: JobState, after: JobState) -> None:
    through = JobState.QUEUED in TRANSITIONS[before] and after in TRANSITIONS[JobState.QUEUED]
    if before is after or after in TRANSITIONS[before] or through:
        check_path(before, after)
    else:
        with pytest.raises(IllegalTransition):
            check_path(before, after)


def test_nothing_is_done_without_having_run() -> None:
    for state in set(JobState) - {JobState.RUNNING, JobState.DONE}:
        with pytest.raises(IllegalTransition):
            check_path(state, JobState.DONE)
