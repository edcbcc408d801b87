"""The scenes: what each world is like for the emulator, for the client that is told of it, and for the bound.

Times are emulator seconds after the start of the work, which is `lead_s` after the emulator's own start. Jobs are so
many that the last minute of the bound is half full: where it is quite full, a single slot lost anywhere costs a whole
minute, and the share tells more about the number of jobs than about the client.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bench.balance.bound import Supply, lower_bound

MODEL = "gemini-3.8-flash"
CLIP_BYTES = 3_400.0
"""About the size of the shortest clip."""
LEAD_REAL_S = 2.5
"""Real seconds between the emulator's start and the start of the work, in which a contestant makes itself ready."""


def _pacific(hour: int, minute: int) -> float:
    return datetime(2026, 11, 24, hour, minute, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()


@dataclass(frozen=True, slots=True)
class Project:
    """A project of a scene. `told`: the client knows its limits at the start."""

    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None
    keys: int = 1
    told: bool = True
    changes: tuple[tuple[float, int], ...] = ()
    dies_at: float = math.inf  # its (first) key
    other_rpm: float = 0.0

    @property
    def supply(self) -> Supply:
        """For the bound."""
        ends_at = self.dies_at if self.keys == 1 else math.inf
        return Supply(self.rpm, self.tpm, self.rpd, self.changes, ends_at, self.other_rpm)


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene. `factor`: emulator seconds per real second. `durations`: of the videos, used in turn, in seconds."""

    name: str
    title: str
    projects: tuple[Project, ...]
    jobs: int
    factor: float = 6.0
    durations: tuple[float, ...] = (3.0,)
    service_s: float = 3.0
    spread: float = 0.2
    upload_s: float = 0.0  # of a video that the contestant uploads; 0: as fast as it goes
    start_at: float = _pacific(10, 0)
    count_rejected: bool = False
    quota_value: bool = True
    overload: tuple[float, float] | None = None
    cap_usd: float | None = 5.0
    cap_binds: bool = False  # the money is not enough for all jobs
    peers: tuple[str, ...] = ("round-robin+tenacity", "litellm-shuffle+requeue", "gemini-balance")

    @property
    def lead_s(self) -> float:
        """Emulator seconds before the start of the work."""
        return LEAD_REAL_S * self.factor

    @property
    def shortest_service_s(self) -> float:
        """The quickest upload and answer."""
        return self.upload_s + self.service_s * (1 - self.spread)

    @property
    def supplies(self) -> tuple[Supply, ...]:
        """All projects for the bound."""
        return tuple(project.supply for project in self.projects)

    def bound(self, tokens: list[int]) -> float:
        """The lower bound for these jobs."""
        return lower_bound(self.supplies, tokens, self.shortest_service_s, self.start_at, self.overload)

    def keys(self) -> list[tuple[str, str]]:
        """(project, key) for every key."""
        return [
            (f"p{number}", f"bench-{number:02}-{letter}-key")
            for number, project in enumerate(self.projects, 1)
            for letter in "abcdefgh"[: project.keys]
        ]

    def of_size(self, share: float) -> Scene:
        """The same scene with a share of the jobs."""
        return dataclasses.replace(self, jobs=max(1, round(self.jobs * share)))

    def at_factor(self, factor: float) -> Scene:
        """The same scene in another time."""
        return dataclasses.replace(self, factor=factor)

    def scenario(self) -> dict[str, Any]:
        """The emulator's scenario, as its YAML holds it."""
        rules: list[dict[str, Any]] = []
        if self.overload is not None:
            first, last = self.overload
            rules.append({"action": "error_503", "from_s": self.lead_s + first, "until_s": self.lead_s + last})
        return {
            "name": f"bench {self.name}",
            "projects": [self._project(f"p{n}", project) for n, project in enumerate(self.projects, 1)],
            "latency": {"base_s": self.service_s, "spread": self.spread},
            "files": {"bytes_per_s": CLIP_BYTES / self.upload_s if self.upload_s else 0.0},
            "rules": rules,
            "time_factor": self.factor,
            "start_at": self.start_at - self.lead_s,
        }

    def _project(self, name: str, project: Project) -> dict[str, Any]:
        keys: list[dict[str, Any]] = [{"key": key} for owner, key in self.keys() if owner == name]
        if math.isfinite(project.dies_at):
            keys[0] |= {"becomes": "invalid", "at_s": self.lead_s + project.dies_at}
        limits = {"rpm": project.rpm, "tpm": project.tpm, "rpd": project.rpd}
        return {
            "name": name,
            "keys": keys,
            "tier": "paid",
            "limits": limits,
            "changes": [{"at_s": self.lead_s + at, "limits": limits | {"rpm": rpm}} for at, rpm in project.changes],
            "count_rejected": self.count_rejected,
            "quota_value": self.quota_value,
            "other_traffic_rpm": project.other_rpm,
        }


ALL_PEERS = (
    "one-account",
    "round-robin+tenacity",
    "google-genai-retries",
    "litellm-shuffle",
    "litellm-shuffle+requeue",
    "litellm-usage-v2",
    "litellm-usage-v2+requeue",
    "gemini-balance",
    "gpt-load",
)


def _equal(count: int, **more: Any) -> tuple[Project, ...]:
    return tuple(Project(**more) for _ in range(count))


_FOUR = (Project(rpm=5, keys=2), *_equal(3, rpm=5))
_UNTOLD = (Project(rpm=5, keys=2, told=False), *_equal(3, rpm=5, told=False))
_MIXED_S = (20.0, 45.0, 300.0, 90.0, 30.0, 180.0, 60.0, 240.0, 120.0)

SCENES = (
    Scene("requests", "requests a minute bind; 5 keys in 4 projects", _FOUR, 110, peers=ALL_PEERS),
    Scene("tokens", "tokens a minute bind; videos of 20 to 300 s", _equal(3, tpm=60_000), 112, 8.0, _MIXED_S),
    Scene(
        "midnight",
        "8 requests a day, begun 25 minutes before midnight Pacific",
        _equal(3, rpm=4, rpd=8),
        42,
        30.0,
        start_at=_pacific(23, 35),
    ),
    Scene("unknown", "limits are not known", _UNTOLD, 110, peers=("litellm-shuffle+requeue", "gemini-balance")),
    Scene(
        "unknown-nameless",
        "limits are not known, and a 429 does not name them",
        _UNTOLD,
        110,
        quota_value=False,
        peers=(),
    ),
    Scene(
        "shrink",
        "8 requests a minute become 4 at noon",
        _equal(3, rpm=8, changes=((190.0, 4),)),
        126,
        8.0,
        start_at=_pacific(12, 0) - 190.0,
    ),
    Scene("dead-key", "the only key of one project dies", (*_equal(3, rpm=5), Project(rpm=5, dies_at=150.0)), 113, 8.0),
    Scene("overload", "the model is overloaded for 5 minutes", _FOUR, 110, 12.0, overload=(120.0, 420.0)),
    Scene("shared", "another program uses one project", (*_equal(3, rpm=5), Project(rpm=5, other_rpm=2.0)), 99),
    Scene("rejected-count", "refused requests count, too", _FOUR, 110, count_rejected=True),
    Scene(
        "lectures",
        "15 requests a minute, but answers take 45 s",
        _equal(2, rpm=15),
        165,
        10.0,
        service_s=45.0,
        peers=(),
    ),
    Scene("uploads", "an upload takes 20 s", _equal(4, rpm=2), 44, 10.0, upload_s=20.0, peers=()),
    Scene("one", "1 project", _equal(1, rpm=2), 11, peers=()),
    Scene("three", "3 equal projects", _equal(3, rpm=2), 33, peers=()),
    Scene("five", "5 equal projects", _equal(5, rpm=2), 55, peers=()),
    Scene("ten", "10 equal projects", _equal(10, rpm=2), 110, peers=()),
    Scene("cap", "the money is enough for half", _equal(2, rpm=10), 80, 8.0, cap_usd=0.35, cap_binds=True, peers=()),
)
SCALING = ("one", "three", "five", "ten")


def scene(name: str) -> Scene:
    """By name. Raises KeyError."""
    return {known.name: known for known in SCENES}[name]
