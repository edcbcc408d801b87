"""Whole runs of the service against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gsvr_tui.core.models import JobState
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]


def test_a_folder_of_videos_is_done_with_one_request_each(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    jobs = rig.add(clips(3))
    rig.wait_until(JobState.DONE, *jobs)
    assert len(rig.generates(outcome="answered")) == 3
    assert len(rig.uploads()) == 3
    assert rig.status.spent_usd > 0
    rig.close()
    assert rig.stopped is not None
    assert (rig.stopped.error, rig.stopped.resumable) == ("", 0)


def test_two_projects_share_the_work(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(project("p1"), project("p2")))
    rig.open([account("p1"), account("p2")])
    rig.add(clips(6))
    rig.wait_until(JobState.DONE)
    used = {entry.project for entry in rig.generates(outcome="answered")}
    assert used == {"p1", "p2"}
