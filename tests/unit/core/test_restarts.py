"""Histories with restarts in the middle: what is on disk is all a new process has, and every promise still holds."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsvr_tui.core.models import JobState, Limits, RequestState
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import AccountPut, Answered, JobArrived, SegmentNeed, SendRequest
from tests.unit.core.world import World, account

SEGMENTS = 2


class Mortal(World):
    """A world whose process dies: it keeps what the service keeps on disk, and starts again from that."""

    def __init__(self, rpm: list[int], seed: int, rpd: int | None) -> None:
        self.known = [
            account(f"a{i}", limits={"m": Limits(rpm=limit, rpd=rpd, source="user")}) for i, limit in enumerate(rpm)
        ]
        self.outcomes: dict[str, RequestState] = {}
        self.answered: set[tuple[str, int]] = set()
        self.deaths = 0
        super().__init__(
            self.known,
            workers=4,
            seed=seed,
            segments=lambda job: tuple(SegmentNeed(i, 1000, 0.01) for i in range(SEGMENTS)),
        )
        self.jobs: list[str] = []

    def send(self, action: SendRequest) -> None:
        assert (action.job, action.segment) not in self.answered, "an answer that is on disk was paid again"
        self.outcomes[action.request] = RequestState.OPEN
        super().send(action)

    def feed(self, event: object) -> None:
        if isinstance(event, Answered) and self.outcomes.get(event.request) is RequestState.OPEN:
            self.outcomes[event.request] = RequestState.ANSWERED
            segment = next(s.segment for _, _, s in self.sends if s.request == event.request)
            self.answered.add((event.job, segment))
        super().feed(event)  # type: ignore[arg-type]

    def die(self) -> None:
        """SIGKILL, then a new process that reads the state."""
        self.deaths += 1
        for request, outcome in self.outcomes.items():
            if outcome is RequestState.OPEN:
                self.outcomes[request] = RequestState.UNKNOWN
        self.queue.clear()
        self.out.clear()
        self.scheduler = Scheduler(random=Random(10_000 + self.deaths), workers=4)
        for item in self.known:
            self.feed(AccountPut(item, {}))
        ledger = self.scheduler.state.ledger
        today = pacific_day(self.now.wall)
        days: dict[str, int] = {}
        for _, wall, send in self.sends:
            ledger.restore_send(send.project, "m", wall, 1000, self.now)
            if pacific_day(wall) == today:
                days[send.project] = days.get(send.project, 0) + 1
        for project, count in days.items():
            ledger.restore_day(project, "m", today, count, self.now)
        for job in self.jobs:
            move = self.moves.get(job)
            if move is not None and move.state.final:
                continue
            needs: tuple[SegmentNeed, ...] = ()
            if self.files[job]:
                needs = tuple(SegmentNeed(i, 1000, 0.01, (job, i) in self.answered) for i in range(SEGMENTS))
            held = move is not None and move.state is JobState.HELD
            state = JobState.HELD if held else JobState.QUEUED
            self.feed(JobArrived(job, "b", ("m",), state, segments=needs, file_projects=frozenset(self.files[job])))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rpm=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    rpd=st.sampled_from([None, None, 4]),
    count=st.integers(1, 8),
    lives=st.lists(st.integers(1, 12), max_size=5),
    seed=st.integers(0, 1000),
)
def test_a_process_that_dies_at_any_moment_pays_nothing_twice_and_passes_no_limit(
    rpm: list[int], rpd: int | None, count: int, lives: list[int], seed: int
) -> None:
    world = Mortal(rpm, seed, rpd)
    world.jobs = world.add(count)
    for rounds in lives:
        for _ in range(rounds):
            world.step()
        world.die()
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in world.jobs)
    unknown = sum(1 for outcome in world.outcomes.values() if outcome is RequestState.UNKNOWN)
    assert len(world.sends) == count * SEGMENTS + unknown
    assert unknown <= 4 * world.deaths
    for index, limit in enumerate(rpm):
        assert world.most_in_a_minute(f"p-a{index}") <= limit
        if rpd is not None:
            days: dict[str, int] = {}
            for _, wall, send in world.sends:
                if send.project == f"p-a{index}":
                    days[pacific_day(wall)] = days.get(pacific_day(wall), 0) + 1
            assert max(days.values(), default=0) <= rpd
