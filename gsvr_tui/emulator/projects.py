"""Keys and projects at run time: who is calling, may they, and have they quota left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any

from gsvr_tui.emulator.errors import bare_quota, key_error, project_error, quota_error
from gsvr_tui.emulator.limits import QuotaBook
from gsvr_tui.emulator.scenario import KeySpec, KeyState, LimitChange, Limits, ProjectSpec, ProjectState


class Project:
    """A project with its quota books."""

    def __init__(self, spec: ProjectSpec, start: float) -> None:
        self.spec = spec
        self.name = spec.name
        digest = hashlib.sha256(spec.name.encode()).digest()
        self.number = spec.number or 100_000_000_000 + int.from_bytes(digest[:5], "big") % 800_000_000_000
        self.state = spec.state
        self._start = start
        self._books: dict[str, QuotaBook] = {}
        self._changes: list[LimitChange] = sorted(spec.changes, key=lambda change: change.at_s)
        self._limits = dict(spec.model_limits)
        self._default = spec.limits

    def state_at(self, now: float) -> ProjectState:
        """The state now, with what the scenario planned."""
        if self.spec.becomes is not None and now - self._start >= self.spec.at_s:
            return self.spec.becomes
        return self.state

    def set_limits(self, limits: Limits, model: str, now: float) -> None:
        """Put other limits in force for one model, or for all (empty name)."""
        if model:
            self._limits[model] = limits
        else:
            self._default = limits
            self._limits.clear()
        for name, book in self._books.items():
            if not model or name == model:
                book.change(limits, now)

    def book(self, model: str, now: float) -> QuotaBook:
        """The quota book of a model, after any planned change."""
        while self._changes and now - self._start >= self._changes[0].at_s:
            change = self._changes.pop(0)
            self.set_limits(change.limits, change.model, now)
        if model not in self._books:
            self._books[model] = QuotaBook(
                self._limits.get(model, self._default),
                kind=self.spec.limiter,
                bucket_capacity=self.spec.bucket_capacity,
                count_rejected=self.spec.count_rejected,
                other_traffic_rpm=self.spec.other_traffic_rpm,
            )
        return self._books[model]

    def admit(self, model: str, tokens: int, now: float, random: Random) -> None:
        """Count a request, or raise the 429."""
        breaches = self.book(model, now).admit(now, tokens)
        if not breaches:
            return
        if self.spec.bare_429:
            raise bare_quota()
        raise quota_error(
            breaches,
            model=model,
            tier=self.spec.tier,
            jitter=random.random(),
            quota_value=self.spec.quota_value,
            retry_info=self.spec.retry_info,
        )

    def describe(self, now: float) -> dict[str, Any]:
        """For the state page."""
        return {
            "state": self.state_at(now).value,
            "number": self.number,
            "tier": self.spec.tier.value,
            "quota": {model: book.used(now) for model, book in self._books.items()},
        }


class Projects:
    """All projects, found by key."""

    def __init__(self, specs: tuple[ProjectSpec, ...], start: float) -> None:
        self._start = start
        self.by_name: Mapping[str, Project] = {spec.name: Project(spec, start) for spec in specs}
        self._keys: dict[str, tuple[Project, KeySpec]] = {}
        self._states: dict[str, KeyState] = {}
        for spec in specs:
            for key in spec.keys:
                self._keys[key.key] = (self.by_name[spec.name], key)

    def key_state(self, key: KeySpec, now: float) -> KeyState:
        """The state of a key now."""
        if key.key in self._states:
            return self._states[key.key]
        if key.becomes is not None and now - self._start >= key.at_s:
            return key.becomes
        return key.state

    def set_key_state(self, tail: str, state: KeyState) -> int:
        """Set the state of every key that ends in `tail`; how many there were."""
        found = [key for key in self._keys if key.endswith(tail)]
        self._states.update(dict.fromkeys(found, state))
        return len(found)

    def project_of(self, key: str) -> Project | None:
        """The project of a key, whatever its state."""
        found = self._keys.get(key)
        return found[0] if found else None

    def authorise(self, key: str, now: float) -> Project:
        """The project that this key speaks for. Raises ApiError."""
        if not key:
            raise key_error("missing", 0)
        found = self._keys.get(key)
        if found is None:
            raise key_error(KeyState.INVALID, 0)
        project, spec = found
        state = self.key_state(spec, now)
        if state is not KeyState.OK:
            raise key_error(state, project.number)
        project_state = project.state_at(now)
        if project_state is not ProjectState.OK:
            raise project_error(project_state, project.number, key)
        return project
