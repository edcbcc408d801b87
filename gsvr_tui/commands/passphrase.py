"""Asks for the vault's passphrase where there is somebody to ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.say import is_terminal, problem

if TYPE_CHECKING:
    from gsvr_tui.core.models import Account
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.secrets.keystore import KeyStore

_TRIES = 3


def ask_new() -> Secret:
    """A passphrase for a new vault, typed twice."""
    from gsvr_tui.core.secret import Secret

    return Secret(click.prompt("New passphrase for the vault", hide_input=True, confirmation_prompt=True, err=True))


def unlock_for(accounts: tuple[Account, ...], keys: KeyStore) -> None:
    """Open the vault now if an account needs it, so that nothing asks in the middle of a run.

    Does nothing where a variable gives the passphrase, or where nobody can be asked: the accounts then say why they
    can't be used.
    """
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.secrets.keystore import KeyProblem

    if not any(account.enabled and account.key.kind == "vault" for account in accounts) or not is_terminal(sys.stdin):
        return
    facts = keys.describe()
    if not facts.vault_exists or facts.vault_unlocked or facts.passphrase_source:
        return
    for attempt in range(1, _TRIES + 1):
        given = Secret(click.prompt("Passphrase of the vault", hide_input=True, err=True))
        try:
            keys.unlock(given)
        except KeyProblem as error:
            if error.code != "VAULT_PASSPHRASE" or attempt == _TRIES:
                raise
            problem(error.message, "try again")
        else:
            return
