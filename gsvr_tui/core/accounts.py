"""MultiAccountManager: the pool of accounts, grouped by project, and how each stands.

An account is a credential the user is entitled to use; its project owns quota and files. A dead key leaves the project
alive as long as it has another key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gsvr_tui.core.models import Account, AccountHealth


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """How an account stands, in words."""

    health: AccountHealth = AccountHealth.UNCHECKED
    note: str = ""
    advice: str = ""


_USABLE = frozenset({AccountHealth.UNCHECKED, AccountHealth.OK})


class MultiAccountManager:
    """Pure state of the pool; the service feeds it what it learns."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self._accounts: dict[str, Account] = {}
        self._status: dict[str, AccountStatus] = {}
        self._in_flight: dict[str, int] = {}
        self._projects: tuple[str, ...] | None = None  # with a usable account, once somebody has asked
        self.changed = False
        for account in accounts:
            self.put(account)

    def put(self, account: Account) -> None:
        """Add an account, or replace one of the same name: it starts afresh."""
        self._accounts[account.name] = account
        self._projects = None
        health = AccountHealth.UNCHECKED if account.enabled else AccountHealth.DISABLED
        self._set(account.name, AccountStatus(health))

    def remove(self, name: str) -> None:
        """Forget an account. What it has in flight is still settled."""
        self._accounts.pop(name, None)
        self._status.pop(name, None)
        self._projects = None
        self.changed = True

    def enable(self, name: str, enabled: bool) -> None:
        """Use or stop using an account."""
        self.put(replace(self._accounts[name], enabled=enabled))

    def _set(self, name: str, status: AccountStatus) -> None:
        if self._status.get(name) != status:
            self._status[name] = status
            self._projects = None
            self.changed = True

    def get(self, name: str) -> Account | None:
        """The account of that name."""
        return self._accounts.get(name)

    def all(self) -> tuple[Account, ...]:
        """All accounts in the order they were added."""
        return tuple(self._accounts.values())

    def status(self, name: str) -> AccountStatus:
        """How an account stands."""
        return self._status[name]

    def usable(self, name: str) -> bool:
        """True when requests may go to it as far as its key and project are concerned."""
        status = self._status.get(name)
        return status is not None and status.health in _USABLE

    def projects(self) -> tuple[str, ...]:
        """Projects with at least one usable account, in order."""
        if self._projects is None:
            usable = (a.project for a in self._accounts.values() if self.usable(a.name))
            self._projects = tuple(dict.fromkeys(usable))
        return self._projects

    def project_usable(self, project: str) -> bool:
        """True when a project has a usable account."""
        return project in self.projects()

    def account_for(self, project: str, prefer: str = "") -> Account | None:
        """A usable account of a project: `prefer` if it is one, else the one with least in flight."""
        choices = [a for a in self._accounts.values() if a.project == project and self.usable(a.name)]
        if len(choices) < 2:
            return choices[0] if choices else None
        return min(choices, key=lambda a: (a.name != prefer, self._in_flight.get(a.name, 0)))

    def free_account(self, project: str, prefer: str = "") -> Account | None:
        """The same, among accounts that have not reached what the user allows them at the same time."""
        best = self.account_for(project, prefer)
        if best is None or not self._full(best):
            return best
        choices = [a for a in self._accounts.values() if a.project == project and self.usable(a.name)]
        free = [account for account in choices if not self._full(account)]
        return min(free, key=lambda a: self._in_flight.get(a.name, 0), default=None)

    def all_full(self, project: str) -> bool:
        """True when a project has usable accounts and all have reached what the user allows them."""
        return self.project_usable(project) and self.free_account(project) is None

    def _full(self, account: Account) -> bool:
        return 0 < account.max_in_flight <= self._in_flight.get(account.name, 0)

    def started(self, name: str) -> None:
        """Something went out on this account."""
        self._in_flight[name] = self._in_flight.get(name, 0) + 1

    def ended(self, name: str) -> None:
        """It came back."""
        self._in_flight[name] = max(0, self._in_flight.get(name, 0) - 1)

    def in_flight(self, name: str) -> int:
        """How much is out on this account."""
        return self._in_flight.get(name, 0)

    def works(self, name: str) -> None:
        """A request of this account was answered."""
        if self.usable(name):
            self._set(name, AccountStatus(AccountHealth.OK))

    def revive(self, name: str) -> None:
        """The user checked the key and it is fine, whatever was thought of it."""
        if name in self._accounts and self._accounts[name].enabled:
            self._set(name, AccountStatus(AccountHealth.OK))

    def kill_key(self, name: str, note: str, advice: str) -> None:
        """The service refuses this key."""
        if name in self._accounts:
            self._set(name, AccountStatus(AccountHealth.DEAD_KEY, note, advice))

    def kill_project(self, project: str, note: str, advice: str) -> None:
        """The service refuses this project: all its keys."""
        for account in self._accounts.values():
            if account.project == project and account.enabled:
                self._set(account.name, AccountStatus(AccountHealth.DEAD_PROJECT, note, advice))
