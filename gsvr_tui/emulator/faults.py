"""Which fault a request meets: by rule, or by chance with a seed.

Chance depends on the seed and on what is asked for the how-manieth time, not on the order in which concurrent
requests arrive: the same run meets the same faults.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gsvr_tui.emulator.scenario import Action, Rule


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at."""

    kind: str
    project: str = ""
    model: str = ""
    display_name: str = ""
    streamed: bool = False
    identity: str = ""  # what is asked, the same for a repeat


def draw(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the arguments."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / (1 << 56)


@dataclass(slots=True)
class _Armed:
    rule: Rule
    seen: int = 0
    done: int = 0


@dataclass
class Faults:
    """The rules and probabilities of one emulator."""

    seed: int
    start: float
    chances: Mapping[Action, float] = field(default_factory=dict)
    upload_chances: Mapping[Action, float] = field(default_factory=dict)
    _armed: list[_Armed] = field(default_factory=list)
    _times: Counter[str] = field(default_factory=Counter)

    def add(self, rule: Rule) -> None:
        """One more rule, after the others."""
        self._armed.append(_Armed(rule))

    def clear(self) -> None:
        """Forget every rule."""
        self._armed.clear()

    def describe(self) -> list[dict[str, object]]:
        """For the state page."""
        return [
            {"action": armed.rule.action.value, "kind": armed.rule.kind, "seen": armed.seen, "done": armed.done}
            for armed in self._armed
        ]

    def _matches(self, rule: Rule, subject: Subject, now: float) -> bool:
        since = now - self.start
        return (
            rule.kind in ("any", subject.kind)
            and (not rule.project or rule.project == subject.project)
            and (not rule.model or rule.model == subject.model)
            and (not rule.display_name or fnmatch.fnmatchcase(subject.display_name, rule.display_name))
            and (rule.streamed is None or rule.streamed == subject.streamed)
            and since >= rule.from_s
            and (rule.until_s is None or since < rule.until_s)
        )

    def pick(self, subject: Subject, now: float) -> Rule | None:
        """The rule that this request meets, if any. Counts it."""
        key = f"{subject.kind}|{subject.model}|{subject.identity}"
        self._times[key] += 1
        time = self._times[key]
        for index, armed in enumerate(self._armed):
            rule = armed.rule
            if not self._matches(rule, subject, now):
                continue
            armed.seen += 1
            if armed.seen <= rule.after or (rule.nth and armed.seen not in rule.nth):
                continue
            if rule.every and (armed.seen - rule.after) % rule.every:
                continue
            if rule.count is not None and armed.done >= rule.count:
                continue
            if rule.probability < 1.0 and draw(self.seed, "rule", index, key, time) >= rule.probability:
                continue
            armed.done += 1
            return rule
        return self._by_chance(subject, key, time)

    def _by_chance(self, subject: Subject, key: str, time: int) -> Rule | None:
        if subject.kind == "generate":
            chances = self.chances
        elif subject.kind in ("upload_start", "upload_bytes"):
            chances = self.upload_chances
        else:
            return None
        ticket = draw(self.seed, "chance", key, time)
        for action, probability in chances.items():
            if ticket < probability:
                return Rule(action, kind=subject.kind, seconds=30.0 if action in (Action.HANG, Action.SLOW) else 0.0)
            ticket -= probability
        return None
