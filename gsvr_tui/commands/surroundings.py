"""What every command starts from: places, config, environment; and what of it can't be used."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import note

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.config.schema import Config
    from gsvr_tui.core.models import Account
    from gsvr_tui.service.settings import ServiceSettings

BASE_URL = "GOOGLE_GEMINI_BASE_URL"
KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Places made, config read. `env` is the process's own: a passphrase is taken out of it."""

    places: Places
    config: Config
    env: MutableMapping[str, str]

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that are switched on."""
        return tuple(account for account in self.config.to_accounts() if account.enabled)


def surroundings() -> Surroundings:
    """Private from here on: umask, no memory dumps. Raises PlaceProblem and ConfigError."""
    from gsvr_tui.config.load import load_config
    from gsvr_tui.config.places import find_places, private_umask
    from gsvr_tui.secrets.crash import no_core_dumps

    private_umask()
    no_core_dumps()
    places = find_places(os.environ)
    for notice in places.ensure():
        note(notice)
    return Surroundings(places, load_config(places.config_file), os.environ)


def surroundings_for_looks() -> Surroundings:
    """Places and config as the demo needs them, for theme and the like: makes no folder, forgives a wrong config."""
    from gsvr_tui.config.load import load_config
    from gsvr_tui.config.places import find_places
    from gsvr_tui.config.problems import ConfigError
    from gsvr_tui.config.schema import Config

    places = find_places(os.environ)
    try:
        config = load_config(places.config_file)
    except ConfigError as error:
        note(f"the demo uses the defaults: {error}")
        config = Config()
    return Surroundings(places, config, os.environ)


def need_account(here: Surroundings) -> None:
    """Raises Complaint when there is none that may be used."""
    if here.accounts:
        return
    if here.config.accounts:
        raise Complaint("all accounts are switched off", f"set enabled: true for one in {here.places.config_file}")
    given = next((name for name in KEY_VARIABLES if here.env.get(name)), "")
    advice = (
        "add one: gsvr-tui accounts add main (a free key: https://aistudio.google.com/apikey), or try: gsvr-tui demo"
    )
    if given:
        advice = f"use the key in your environment: gsvr-tui accounts add main --env {given}"
    raise Complaint("there is no account", advice)


def check_base_url(settings: ServiceSettings) -> str:
    """The address that GOOGLE_GEMINI_BASE_URL sends requests to, "" for Google's.

    Raises Complaint when keys would go to a host that neither is this machine nor was allowed for each account.
    """
    from gsvr_tui.gemini.endpoint import BadEndpoint, checked_base_url

    url = settings.base_url
    if not url:
        return ""
    followers = [account for account in settings.accounts if account.enabled and not account.base_url]
    for account in followers:
        try:
            checked_base_url(url, allow_custom=account.name in settings.custom_endpoints)
        except BadEndpoint as error:
            raise Complaint(
                f"{BASE_URL}: account {account.name}: {error}",
                f"unset {BASE_URL}, or allow the host for this account in the config",
            ) from None
    return url if followers else ""
