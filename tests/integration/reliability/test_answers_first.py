"""A paid answer goes to disk before anything else, whatever else is to be done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from gsvr_tui.core.models import JobState
from gsvr_tui.emulator import Action, Rule
from gsvr_tui.service.engine import THREADS
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, world

Clips = Callable[[int], Path]


def test_an_answer_does_not_wait_for_a_thread_behind_hashing_and_reports(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.SLOW, seconds=0.8, count=1)]))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    assert rig.session is not None
    engine = rig.session.service._engine
    may = threading.Event()
    busy = [engine._executor.submit(may.wait, 60) for _ in range(THREADS)]
    rig.wait_for(lambda: bool(list((rig.places.state / "answers").glob("*/*.json"))))
    assert not any(future.done() for future in busy)
    may.set()
    rig.wait_until(JobState.DONE, job)
