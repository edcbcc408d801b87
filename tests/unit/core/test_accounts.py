"""The pool of accounts, grouped by project."""

from __future__ import annotations

from gsvr_tui.core.accounts import MultiAccountManager
from gsvr_tui.core.models import Account, AccountHealth, KeyRef


def account(name: str, project: str = "p", *, enabled: bool = True) -> Account:
    return Account(name, project, KeyRef("memory", name), enabled=enabled)


def test_accounts_are_grouped_by_project_in_order() -> None:
    pool = MultiAccountManager([account("a", "q"), account("b", "p"), account("c", "q")])
    assert pool.projects() == ("q", "p")
    assert [item.name for item in pool.all()] == ["a", "b", "c"]


def test_a_dead_key_leaves_its_project_to_the_other_key() -> None:
    pool = MultiAccountManager([account("a"), account("b")])
    pool.kill_key("a", "not valid", "replace it")
    assert pool.projects() == ("p",)
    chosen = pool.account_for("p", prefer="a")
    assert chosen is not None
    assert chosen.name == "b"
    pool.kill_key("b", "not valid", "replace it")
    assert pool.projects() == ()
    assert pool.account_for("p") is None
    assert pool.status("b").advice == "replace it"


def test_a_dead_project_takes_all_its_keys_but_not_those_switched_off() -> None:
    pool = MultiAccountManager([account("a"), account("b", enabled=False), account("c", "q")])
    pool.kill_project("p", "suspended", "ask Google")
    assert pool.status("a").health is AccountHealth.DEAD_PROJECT
    assert pool.status("b").health is AccountHealth.DISABLED
    assert pool.projects() == ("q",)


def test_the_key_with_least_in_flight_is_taken_unless_one_is_preferred() -> None:
    pool = MultiAccountManager([account("a"), account("b")])
    pool.started("a")
    assert [pool.account_for("p", prefer).name for prefer in ("", "a", "b", "x")] == ["b", "a", "b", "b"]  # type: ignore[union-attr]
    pool.ended("a")
    pool.ended("a")
    assert pool.in_flight("a") == 0


def test_an_account_put_again_starts_afresh() -> None:
    pool = MultiAccountManager([account("a")])
    pool.kill_key("a", "not valid", "")
    pool.put(account("a", "other"))
    assert pool.projects() == ("other",)
    assert pool.status("a").health is AccountHealth.UNCHECKED


def test_one_switched_off_is_not_used_until_it_is_switched_on() -> None:
    pool = MultiAccountManager([account("a")])
    pool.enable("a", False)
    assert not pool.usable("a")
    assert not pool.project_usable("p")
    pool.revive("a")  # a check alone does not switch it on
    assert not pool.usable("a")
    pool.enable("a", True)
    assert pool.project_usable("p")


def test_a_check_revives_a_dead_key() -> None:
    pool = MultiAccountManager([account("a")])
    pool.kill_key("a", "not valid", "")
    pool.works("a")  # a late answer does not
    assert not pool.usable("a")
    pool.revive("a")
    assert pool.status("a").health is AccountHealth.OK


def test_a_removed_account_is_gone_and_late_news_of_it_are_harmless() -> None:
    pool = MultiAccountManager([account("a")])
    pool.started("a")
    pool.remove("a")
    pool.ended("a")
    pool.works("a")
    pool.kill_key("a", "late", "")
    pool.revive("a")
    assert pool.all() == ()
    assert pool.projects() == ()
    assert pool.get("a") is None


def test_changes_are_flagged_once_they_change_something() -> None:
    pool = MultiAccountManager([account("a")])
    pool.changed = False
    pool.works("a")
    assert pool.changed
    pool.changed = False
    pool.works("a")
    assert not pool.changed
