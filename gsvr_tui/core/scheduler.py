"""The scheduler: the whole policy as a state machine without I/O.

`feed(event, now)` tells it what happened, `next_actions(now)` says what to do and when to ask again. It opens no
socket, reads no clock and makes no randomness of its own, so the service, the forecast and the property tests all drive
this same object. Its parts: `intake` (events), `failure_policy` (failures), `dispatch` (decisions), over one
`scheduler_state`.
"""

from __future__ import annotations

from random import Random

from gsvr_tui.core.dispatch import Dispatcher
from gsvr_tui.core.failure_policy import FailurePolicy
from gsvr_tui.core.intake import Intake
from gsvr_tui.core.models import Now
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import Event, Plan


class Scheduler:
    """See the module. One instance is driven from one thread."""

    def __init__(
        self,
        *,
        random: Random,
        caps: Caps | None = None,
        workers: int = 0,
        max_attempts: int = 3,
        fallback_after_s: float | None = None,
    ) -> None:
        self.state = SchedulerState(random, caps, workers, fallback_after_s)
        policy = FailurePolicy(self.state, max_attempts)
        self._intake = Intake(self.state, policy)
        self._dispatcher = Dispatcher(self.state, policy)

    def feed(self, event: Event, now: Now) -> None:
        """Take in what happened. Events about jobs that are gone only settle what they had reserved."""
        self._intake.feed(event, now)

    def next_actions(self, now: Now) -> Plan:
        """What to do now. Carrying the actions out brings events; ask again after each and at `wake_at`."""
        return self._dispatcher.next_actions(now)
