"""Whatever happens, in any order: limits hold, money holds, no job is lost, nothing idles that could work."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Account, JobState, Limits, Priority, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduling import (
    AccountGone,
    AccountPut,
    AccountSwitched,
    AccountVerified,
    Event,
    JobsCancelled,
    JobsHeld,
    JobsReleased,
    PauseSet,
    PrioritySet,
    SegmentNeed,
    StallSet,
    WorkersSet,
)
from tests.unit.core.chaos import ChaosWorld
from tests.unit.core.world import account, quota_failure

CHAINS = (("m",), ("m", "n"), ("n", "m"))
GENERATE_FAULTS = (
    None,
    None,
    None,
    None,
    None,
    quota_failure("rpm", 9, retry=20.0),
    Failure(FailureKind.REST_MINUTE, Scope.PROJECT_MODEL, "QUOTA", "bare 429", http_status=429),
    Failure(FailureKind.REST_SPEND, Scope.PROJECT, "SPEND", "spend limit", http_status=429),
    Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503),
    Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "INTERNAL", "internal", http_status=500),
    Failure(FailureKind.RETRY, Scope.ITEM, "DROPPED", "dropped", maybe_paid=True),
    Failure(FailureKind.RETRY, Scope.MACHINE, "NO_NETWORK", "no network"),
    Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "gone", http_status=403),
    Failure(FailureKind.ITEM_RETRY, Scope.ITEM, "EMPTY", "empty answer"),
    Failure(FailureKind.WAIT_FILE, Scope.ITEM, "NOT_ACTIVE", "not active", http_status=400),
    Failure(FailureKind.ITEM, Scope.ITEM, "BLOCKED", "blocked", http_status=400),
    Failure(FailureKind.STOP_ALL, Scope.MACHINE, "LOCATION", "location", http_status=400),
    Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "key not valid", "replace it", http_status=400),
    Failure(FailureKind.NO_ACCESS, Scope.PROJECT_MODEL, "NO_ACCESS", "no access", http_status=404),
)
UPLOAD_FAULTS = (
    None,
    None,
    None,
    Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503),
    Failure(FailureKind.RETRY, Scope.MACHINE, "NO_NETWORK", "no network"),
    Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "gone before it was used"),
    Failure(FailureKind.ITEM, Scope.ITEM, "FILE_FAILED", "not a video"),
    Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "key not valid", "replace it", http_status=400),
)
COMMANDS = (
    *("", "", "pause", "resume", "hold", "release", "cancel", "urgent", "workers", "interrupt"),
    *("off", "on", "remove", "add", "verify", "stall", "unstall", "more"),
)


@dataclass(frozen=True)
class Setting:
    """One random world."""

    limits: tuple[tuple[int | None, int | None, int | None], ...]
    free: tuple[bool, ...]
    count: int
    segments: int
    batches: int
    cap: float | None
    batch_cap: float | None
    seed: int
    source: str  # of the limits: what the user does not state is felt for where others stated it


SETTINGS = st.builds(
    Setting,
    limits=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(1, 6)),
            st.one_of(st.none(), st.integers(3000, 9000)),
            st.one_of(st.none(), st.integers(2, 10)),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    free=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    count=st.integers(1, 12),
    segments=st.integers(1, 3),
    batches=st.integers(1, 3),
    cap=st.one_of(st.none(), st.none(), st.floats(0.0, 0.2)),
    batch_cap=st.one_of(st.none(), st.none(), st.floats(0.0, 0.1)),
    seed=st.integers(0, 10_000),
    source=st.sampled_from(["user", "tier"]),
)


def build(
    setting: Setting, faults: list[Failure | None], upload_faults: list[Failure | None]
) -> tuple[ChaosWorld, list[Account]]:
    """The world of a setting, and its accounts."""
    script, uploads = iter(faults), iter(upload_faults)
    accounts = []
    for index, (rpm, tpm, rpd) in enumerate(setting.limits):
        limits = Limits(rpm=rpm, tpm=tpm, rpd=rpd, source=setting.source)
        tier = "free" if setting.free[index] else "unknown"
        accounts.append(account(f"a{index}", limits={"m": limits, "n": limits}, tier=tier))
    caps = Caps(run=setting.cap, batches={"b0": setting.batch_cap} if setting.batch_cap is not None else {})
    world = ChaosWorld(
        accounts,
        workers=4,
        seed=setting.seed,
        caps=caps,
        faults=lambda s, n, at: next(script, None),
        upload_faults=lambda action: next(uploads, None),
        verdicts=lambda job, n: Verdict.REJECTED if n == 1 and job[-1] in "0123" else Verdict.OK,
        segments=lambda job: tuple(SegmentNeed(i, 1000 + 200 * i, 0.01) for i in range(setting.segments)),
    )
    return world, accounts


def do(world: ChaosWorld, command: str, jobs: list[str], accounts: list[Account]) -> None:
    """One act of the user or of the disk."""
    job = jobs[world.random.randrange(len(jobs))]
    chosen = accounts[world.random.randrange(len(accounts))]
    events: dict[str, Event] = {
        "pause": PauseSet(True),
        "resume": PauseSet(False),
        "hold": JobsHeld((job,)),
        "release": JobsReleased((job,)),
        "cancel": JobsCancelled((job,)),
        "urgent": PrioritySet((job,), Priority.HIGH),
        "workers": WorkersSet(world.random.randrange(0, 6)),
        "off": AccountSwitched(chosen.name, False),
        "on": AccountSwitched(chosen.name, True),
        "remove": AccountGone(chosen.name),
        "add": AccountPut(chosen, {}),
        "verify": AccountVerified(chosen.name),
        "stall": StallSet("disk full"),
        "unstall": StallSet(""),
    }
    if command in events:
        world.feed(events[command])
    elif command == "interrupt":
        world.interrupt_everything()
    elif command == "more":
        jobs.extend(world.add(1, batch="b0", models=CHAINS[world.random.randrange(3)]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    setting=SETTINGS,
    faults=st.lists(st.sampled_from(GENERATE_FAULTS), max_size=30),
    upload_faults=st.lists(st.sampled_from(UPLOAD_FAULTS), max_size=12),
    commands=st.lists(st.sampled_from(COMMANDS), max_size=20),
)
def test_whatever_happens_every_promise_is_kept(
    setting: Setting, faults: list[Failure | None], upload_faults: list[Failure | None], commands: list[str]
) -> None:
    world, accounts = build(setting, faults, upload_faults)
    jobs: list[str] = []
    for batch in range(setting.batches):
        jobs += world.add(setting.count, batch=f"b{batch}", models=CHAINS[batch])
    for command in commands:
        for _ in range(3):
            world.step()
        do(world, command, jobs, accounts)
    for item in accounts:
        world.feed(AccountPut(item, {}))
    for event in (PauseSet(False), StallSet(""), JobsReleased(tuple(jobs)), WorkersSet(4)):
        world.feed(event)
    world.run()
    world.check_end(jobs)
    world.check_quota(accounts)
    state = world.scheduler.state
    if setting.cap is not None:
        assert state.money.run_spent <= setting.cap + 1e-9
        assert sum(s.usd for _, _, s in world.charged) <= setting.cap + 1e-9
    assert state.money.run_spent >= sum(s.usd for _, _, s in world.charged) - 1e-9
    if setting.batch_cap is not None:
        spent = sum(s.usd for _, _, s in world.charged if world.batch_of(s.job) == "b0")
        assert spent <= setting.batch_cap + 1e-9
    if (
        setting.cap is None
        and setting.batch_cap is None
        and not any(f and f.kind is FailureKind.DEAD_KEY for f in faults)
    ):
        known = {JobState.DONE, JobState.FAILED, JobState.CANCELLED}
        access = any(f and f.kind is FailureKind.NO_ACCESS for f in faults)
        dead = any(f and f.kind is FailureKind.DEAD_KEY for f in upload_faults)
        if not access and not dead:
            assert {world.moves[job].state for job in jobs} <= known
