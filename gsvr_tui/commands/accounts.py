"""`gsvr-tui accounts`: add, check, list, remove. A key comes in by a hidden question or stdin, never as an option."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint, remember
from gsvr_tui.commands.say import is_terminal, json_line, note, out, problem, table

if TYPE_CHECKING:
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.core.models import Account
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.secrets.keystore import KeyStore

_MOST_KEY_BYTES = 4_096


@click.group()
def accounts() -> None:
    """Add, check, list and remove accounts.

    An account is a Gemini API key you may use. Its key is kept in the system's keyring, in an encrypted vault, or in a
    variable of the environment; the config only says where.
    """


def _keys(here: Surroundings) -> KeyStore:
    from gsvr_tui.secrets.keystore import KeyStore
    from gsvr_tui.secrets.redact import Redactor

    redactor = Redactor()
    remember(redactor)
    return KeyStore(here.places, here.env, on_secret=redactor.add)


def _custom(here: Surroundings) -> frozenset[str]:
    return frozenset(account.name for account in here.config.accounts if account.allow_custom_endpoint)


@accounts.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per account.")
def list_(as_json: bool) -> None:
    """List the accounts, with how each stands by what the last runs learned. Opens no key."""
    from gsvr_tui.commands.surroundings import surroundings

    here = surroundings()
    found = here.config.to_accounts()
    reasons = _reasons(here) if found else {}
    if as_json:
        for account in found:
            json_line({**_record(account), "why": reasons.get(account.name, "")})
        return
    if not found:
        out("There is no account. Add one: gsvr-tui accounts add main")
        return
    rows = [("account", "project", "tier", "key", "address", "stands")]
    for account in found:
        key = f"{account.key.kind} {account.key.name}"
        address = account.base_url or "Google"
        rows.append((account.name, account.project, account.tier, key, address, reasons[account.name]))
    out(table(rows))


@accounts.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per account.")
def why(as_json: bool) -> None:
    """Say in one sentence per account why the next job goes there or not, and when next. Opens no key.

    From what is on disk: today's use, limits learned, the config. What a run at work has in flight at this moment its
    own Accounts screen knows better.
    """
    from gsvr_tui.commands.batches import holder
    from gsvr_tui.commands.surroundings import need_account, surroundings

    here = surroundings()
    need_account(here)
    reasons = _reasons(here)
    if as_json:
        for name, reason in reasons.items():
            json_line({"event": "why", "name": name, "why": reason})
        return
    out(table([("account", "why"), *reasons.items()]))
    busy = holder(here.places)
    if busy:
        out(f"\nAt work: {busy}; its minutes and rests are on its Accounts screen.")


def _reasons(here: Surroundings) -> dict[str, str]:
    """Account → sentence, by store and config."""
    import time

    from gsvr_tui.commands.batches import reading
    from gsvr_tui.config.models_file import load_catalogue
    from gsvr_tui.core.models import Now
    from gsvr_tui.core.why import why
    from gsvr_tui.service.assembly import settings_of
    from gsvr_tui.service.standing import offline_scheduler

    settings = settings_of(here.config, here.places, here.env)
    catalogue = load_catalogue(here.places.models_file)
    now = Now(time.monotonic(), time.time())
    model = catalogue.resolve(settings.model, now.wall).id
    with reading(here.places) as store:
        scheduler = offline_scheduler(store, here.config.to_accounts(), catalogue, settings.caps, settings.workers, now)
    return why(scheduler.state, now, model)


def _record(account: Account) -> dict[str, Any]:
    return {
        "event": "account",
        "name": account.name,
        "project": account.project,
        "tier": account.tier,
        "key": {account.key.kind: account.key.name},
        "base_url": account.base_url or None,
        "enabled": account.enabled,
    }


# ---------------------------------------------------------------- add


@accounts.command()
@click.argument("name")
@click.argument("key_from", required=False, metavar="[-]", default="")
@click.option("--project", default="", help="Its Google Cloud project; accounts of one project share a quota.")
@click.option(
    "--store", type=click.Choice(["keyring", "vault"]), help="Where to keep the key (default: keyring if any)."
)
@click.option("--env", default="", metavar="VARIABLE", help="The key lies in this variable; nothing is stored.")
@click.option("--tier", type=click.Choice(["free", "tier1", "tier2", "tier3"]), help="The project's tier.")
@click.option("--base-url", default="", metavar="URL", help="Another address than Google's.")
@click.option("--allow-custom-endpoint", is_flag=True, help="Let the key go to that address.")
@click.option("--no-check", is_flag=True, help="Do not ask the service whether the key works.")
def add(
    name: str,
    key_from: str,
    project: str,
    store: str | None,
    env: str,
    tier: str | None,
    base_url: str,
    allow_custom_endpoint: bool,
    no_check: bool,
) -> None:
    """Add an account. Asks for the key, or reads it from stdin with -.

    For example: gsvr-tui accounts add main --tier free
    """
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.config.edit import add_account
    from gsvr_tui.config.problems import ConfigError

    if key_from not in ("", "-"):
        raise Complaint(
            "a key is not given on the command line, where the shell's history and other users see it",
            "leave it out to be asked for it, or pipe it in: gsvr-tui accounts add NAME - < FILE. "
            "If that was a real key, replace it.",
        )
    if env and (store or key_from):
        raise Complaint("--env says where the key lies; --store and - say where to put one", "use one of them")
    here = surroundings()
    if any(account.name == name for account in here.config.accounts):
        raise Complaint(f"there is an account named {name}", "choose another name, or remove that one first")
    keys = _keys(here)
    kind = "env" if env else store or keys.default_kind()
    entry: dict[str, Any] = {"name": name, "project": project or name, "key": {kind: env or name}}
    if tier:
        entry["tier"] = tier
    if base_url:
        entry["base_url"] = base_url
    if allow_custom_endpoint:
        entry["allow_custom_endpoint"] = True
    account = _proved(here, entry)
    key = keys.resolve(account.key) if env else _read_key(key_from)
    if not no_check:
        _live(here, account, key, allow_custom_endpoint)
    if not env:
        _keep(keys, kind, name, key)
    try:
        add_account(here.places.config_file, entry)
    except (ConfigError, OSError):
        if not env:
            keys.delete(account.key)
        raise
    tail = f" (…{key.tail})" if key.tail else ""
    where = {"env": f"variable {env}", "keyring": "the system's keyring"}.get(
        kind, f"the vault {here.places.vault_file}"
    )
    out(f"Account {name}{tail} added to project {account.project}; its key is in {where}.")
    if not tier:
        note("Its tier is not known, so costs are counted as if it paid; say --tier free for a free key.")
    out("Next: gsvr-tui run FOLDER")


def _proved(here: Surroundings, entry: dict[str, Any]) -> Account:
    """The account as the config would have it. Raises ConfigError before a key is asked for."""
    import json

    from gsvr_tui.config.load import parse_config

    return parse_config(json.dumps({"accounts": [entry]}).encode(), "this account.json").to_accounts()[0]


def _read_key(key_from: str) -> Secret:
    from gsvr_tui.core.secret import Secret

    if key_from == "-":
        text = sys.stdin.read(_MOST_KEY_BYTES)
    elif is_terminal(sys.stdin):
        text = click.prompt("API key (not shown)", hide_input=True, err=True)
    else:
        raise Complaint("nobody can be asked for the key", "pipe it in: gsvr-tui accounts add NAME - < FILE")
    if not text.strip():
        raise Complaint("the key is empty", "copy it from https://aistudio.google.com/apikey")
    return Secret(text.strip())


def _live(
    here: Surroundings, account: Account, key: Secret, custom: bool, otherwise: str = "the key was not added"
) -> None:
    from gsvr_tui.commands.key_check import check_keys

    allowed = frozenset({account.name}) if custom else frozenset()
    base_url = here.env.get("GOOGLE_GEMINI_BASE_URL", "")
    found = check_keys([(account, key)], here.config.model, base_url, allowed)[0]
    if not found.ok:
        advice = found.advice or "correct it, or keep it anyhow with --no-check"
        raise Complaint(f"{otherwise}: {found.message}", advice)
    note(f"{found.message} ({found.latency_ms} ms)")


def _keep(keys: KeyStore, kind: str, name: str, key: Secret) -> None:
    from gsvr_tui.commands.passphrase import ask_new, unlock_for
    from gsvr_tui.core.models import Account, KeyRef

    passphrase = None
    if kind == "vault":
        facts = keys.describe()
        if facts.vault_exists:
            unlock_for((Account(name, name, KeyRef("vault", name)),), keys)
        elif not facts.passphrase_source and is_terminal(sys.stdin):
            passphrase = ask_new()
    keys.put(kind, name, key, passphrase=passphrase)


# ---------------------------------------------------------------- replace


@accounts.command()
@click.argument("name")
@click.argument("key_from", required=False, metavar="[-]", default="")
@click.option("--no-check", is_flag=True, help="Do not ask the service whether the key works.")
def replace(name: str, key_from: str, no_check: bool) -> None:
    """Give an account another key, kept where the old one is. Asks for it, or reads it from stdin with -.

    Project, limits and history stay. An app that is open keeps the old key until it is started again; there, replace
    the key on the Accounts screen instead.
    """
    from gsvr_tui.commands.surroundings import surroundings

    if key_from not in ("", "-"):
        raise Complaint(
            "a key is not given on the command line, where the shell's history and other users see it",
            "leave it out to be asked for it, or pipe it in: gsvr-tui accounts replace NAME - < FILE",
        )
    here = surroundings()
    account = _named(here, (name,))[0]
    if account.key.kind == "env":
        raise Complaint(
            f"the key of {name} lies in the variable {account.key.name}, which is yours to set",
            f"set {account.key.name} to the new key and start again",
        )
    keys = _keys(here)
    key = _read_key(key_from)
    if not no_check:
        _live(here, account, key, name in _custom(here), "the key was not replaced")
    _keep(keys, account.key.kind, account.key.name, key)
    tail = f" (…{key.tail})" if key.tail else ""
    out(f"Account {name} has a new key{tail}.")


# ---------------------------------------------------------------- check, remove


@accounts.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per account.")
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Ask the service whether keys work; all accounts when none is named. Costs nothing."""
    from gsvr_tui.commands.passphrase import unlock_for
    from gsvr_tui.commands.surroundings import need_account, surroundings

    here = surroundings()
    need_account(here)
    chosen = _named(here, names) if names else here.accounts
    keys = _keys(here)
    unlock_for(chosen, keys)
    results = check_accounts(here, chosen, keys)
    for account, ok, message, advice in results:
        if as_json:
            json_line({"event": "check", "name": account.name, "ok": ok, "message": message, "advice": advice})
        elif ok:
            out(f"{account.name}: {message}")
        else:
            problem(f"{account.name}: {message}", advice)
    return Exit.DONE if all(ok for _, ok, _, _ in results) else Exit.SOME_FAILED


def check_accounts(
    here: Surroundings, chosen: tuple[Account, ...], keys: KeyStore
) -> list[tuple[Account, bool, str, str]]:
    """(account, works, what was said, what to do) for each; also for those whose key can't be had."""
    from gsvr_tui.commands.key_check import check_keys
    from gsvr_tui.secrets.keystore import KeyProblem

    ready: list[tuple[Account, Secret]] = []
    results: dict[str, tuple[Account, bool, str, str]] = {}
    for account in chosen:
        try:
            ready.append((account, keys.resolve(account.key)))
        except KeyProblem as error:
            results[account.name] = (account, False, error.message, error.advice)
    found = check_keys(ready, here.config.model, here.env.get("GOOGLE_GEMINI_BASE_URL", ""), _custom(here))
    for (account, _), result in zip(ready, found, strict=True):
        results[account.name] = (account, result.ok, result.message, result.advice)
    return [results[account.name] for account in chosen]


def _named(here: Surroundings, names: tuple[str, ...]) -> tuple[Account, ...]:
    known = {account.name: account for account in here.config.to_accounts()}
    for name in names:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there is none"
            raise Complaint(f"there is no account named {name}; {there}", "see: gsvr-tui accounts list")
    return tuple(known[name] for name in names)


@accounts.command()
@click.argument("name")
@click.option("--keep-key", is_flag=True, help="Leave the key where it is.")
def remove(name: str, keep_key: bool) -> None:
    """Remove an account and its stored key."""
    from gsvr_tui.commands.passphrase import unlock_for
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.config.edit import remove_account

    here = surroundings()
    account = _named(here, (name,))[0]
    gone = False
    if not keep_key and account.key.kind != "env":
        keys = _keys(here)
        unlock_for((account,), keys)
        gone = keys.delete(account.key)
    remove_account(here.places.config_file, name)
    out(f"Account {name} removed{', its key too' if gone else ''}.")
