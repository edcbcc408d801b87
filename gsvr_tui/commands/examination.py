"""The looks doctor takes. Each yields findings; one that breaks yields that, and the others go on."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from gsvr_tui import __version__
from gsvr_tui.commands.guard import explain
from gsvr_tui.commands.say import is_terminal, plural
from gsvr_tui.core.text import format_bytes

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.config.schema import Config

LITTLE_ROOM = 1_000_000_000
LIBRARIES = ("textual", "google-genai", "httpx2", "av", "tinydb", "pydantic", "cryptography", "keyring")


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: ok, info, warn or error."""

    level: str
    what: str
    message: str
    advice: str = ""


class _Patient:
    """What is examined; `config` is None when it can't be read."""

    def __init__(self) -> None:
        from gsvr_tui.config.places import find_places

        self.places: Places = find_places(os.environ)
        self.config: Config | None = None


def examine(*, check: bool) -> Iterator[Finding]:
    """All findings."""
    patient = _Patient()
    looks: list[tuple[str, Callable[[_Patient], Iterator[Finding]]]] = [
        ("versions", _versions),
        ("terminal", _terminal),
        ("folders", _folders),
        ("config", _config),
        ("keys", _keys),
        ("state", _state),
        ("clock", _clock),
        ("network", _network),
        ("accounts", _accounts),
    ]
    if check:
        looks.append(("check", _live))
    for what, look in looks:
        try:
            yield from look(patient)
        except Exception as error:  # boundary: a doctor does not faint; the other looks go on
            message, advice = explain(error) or (f"could not be looked at: {type(error).__name__}", "")
            yield Finding("error", what, message, advice)


def _versions(patient: _Patient) -> Iterator[Finding]:
    yield Finding(
        "ok", "version", f"gsvr-tui {__version__}, Python {platform.python_version()} on {platform.platform()}"
    )
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Finding(
                "error", "version", f"{name} is not installed", "install gsvr-tui again: pip install gsvr-tui"
            )
    yield Finding("ok", "libraries", ", ".join(found))


def _terminal(patient: _Patient) -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    if not is_terminal(sys.stdout):
        yield Finding("info", "terminal", "the output goes to a file or pipe; the app needs a terminal")
    else:
        size = shutil.get_terminal_size()
        colours = os.environ.get("COLORTERM") or "256 or fewer colours"
        small = size.columns < 80 or size.lines < 24
        yield Finding(
            "warn" if small else "ok",
            "terminal",
            f"{term or 'TERM is not set'}, {size.columns}×{size.lines}, {colours}",
            "the app needs 80×24 to show everything" if small else "",
        )
    if os.environ.get("NO_COLOR"):
        yield Finding("info", "terminal", "NO_COLOR is set: no colours")
    encoding = (getattr(sys.stdout, "encoding", "") or locale.getpreferredencoding()).lower()
    if "utf" not in encoding:
        yield Finding(
            "warn", "terminal", f"its encoding is {encoding}, so some names can't be shown", "set LANG=C.UTF-8"
        )
    elif term:
        yield Finding("info", "width", "these lines should end at the same column: |中文字|  |abcdef|")


def _folders(patient: _Patient) -> Iterator[Finding]:
    places = patient.places
    for what, folder in (
        ("config", places.root),
        ("data", places.data),
        ("state", places.state),
        ("logs", places.logs),
    ):
        yield _folder(what, folder)
    nearest = next(path for path in (places.state, *places.state.parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    little = free < LITTLE_ROOM
    advice = "make room: answers and reports are small, but a full disk stops the queue" if little else ""
    yield Finding("warn" if little else "ok", "disk", f"{format_bytes(free)} free for the state", advice)


def _folder(what: str, folder: Path) -> Finding:
    if not folder.exists():
        return Finding("info", what, f"{folder} is not there yet; it is made when needed")
    if not folder.is_dir():
        return Finding("error", what, f"{folder} is not a folder", "move that file away, or set GSVR_HOME to a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("error", what, f"{folder} can't be written to", "make it yours: chown, or set GSVR_HOME")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if os.name != "nt" and mode & 0o077:
        return Finding("warn", what, f"{folder} is open to others (mode {mode:03o})", f"chmod 700 {folder}")
    return Finding("ok", what, f"{folder} (mode {mode:03o})")


def _config(patient: _Patient) -> Iterator[Finding]:
    from gsvr_tui.config.load import load_config
    from gsvr_tui.config.models_file import load_catalogue
    from gsvr_tui.config.package_data import read_themes
    from gsvr_tui.config.problems import ConfigError
    from gsvr_tui.report.templates import load_templates

    places = patient.places
    there = places.config_file.exists()
    try:
        patient.config = config = load_config(places.config_file)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("error", "config", str(problem), "correct this line")
        return
    yield Finding("ok", "config", f"{places.config_file} {'is sound' if there else 'is not there: the defaults hold'}")
    catalogue = load_catalogue(places.models_file)
    for name in (config.model, *config.fallback_models):
        warning = catalogue.warning(name, time.time())
        level = "error" if catalogue.get(name) is None else "warn" if warning else "ok"
        yield Finding(level, "model", warning or f"{name} (catalogue of {catalogue.dated})")
    templates = load_templates(places.templates)
    for broken in templates.problems:
        yield Finding("warn", "template", f"{places.templates / broken.file}: {broken.message}", "correct or remove it")
    if config.template and config.template not in templates.ids():
        yield Finding("error", "template", f"there is no template {config.template}", "see: gsvr-tui templates list")
    themes, problems = read_themes(places)
    for problem in problems:
        yield Finding("warn", "theme", str(problem), "correct or remove it")
    if config.theme not in dict(themes):
        yield Finding("warn", "theme", f"there is no theme {config.theme}", f"use one of {', '.join(dict(themes))}")


def _keys(patient: _Patient) -> Iterator[Finding]:
    from gsvr_tui.secrets.keystore import KeyStore

    facts = KeyStore(patient.places, dict(os.environ)).describe()
    if facts.keyring_ok:
        yield Finding("ok", "keyring", facts.keyring_name)
    else:
        yield Finding("info", "keyring", facts.keyring_note, "new keys go into the encrypted vault instead")
    if facts.vault_exists:
        source = f"passphrase from {facts.passphrase_source}" if facts.passphrase_source else "passphrase is asked for"
        yield Finding("ok", "vault", f"{facts.vault_path}; {source}")
        if not facts.passphrase_source and not is_terminal(sys.stdin):
            yield Finding("warn", "vault", "nobody can be asked for its passphrase here", "set GSVR_PASSPHRASE_FILE")
    else:
        yield Finding("info", "vault", "there is none")


def _state(patient: _Patient) -> Iterator[Finding]:
    from gsvr_tui.commands.batches import holder, reading

    if not patient.places.state.exists():
        yield Finding("info", "state", "there is no queue yet")
        return
    busy = holder(patient.places)
    if busy:
        yield Finding("info", "state", f"in use by {busy}")
    with reading(patient.places) as store:
        jobs = store.job_count()
        yield Finding("ok", "state", f"{plural(len(store.batches()), 'batch')}, {plural(jobs, 'job')}")
        unknown = len(store.open_requests())
        if unknown and not busy:
            yield Finding(
                "info",
                "state",
                f"{plural(unknown, 'request')} in flight when the last run was killed",
                "gsvr-tui resume sends them again",
            )
        for text in store.recovery.notes:
            yield Finding("warn", "state", text)


def _clock(patient: _Patient) -> Iterator[Finding]:
    from gsvr_tui.core.pacific import next_midnight

    now = time.time()
    if now < 1_767_225_600:  # before this program was written
        yield Finding("error", "clock", f"it says {time.ctime(now)}", "set the clock: TLS and daily quotas need it")
        return
    left = (next_midnight(now) - now) / 3600
    yield Finding("ok", "clock", f"{time.strftime('%Y-%m-%d %H:%M %Z')}; daily quotas begin anew in {left:.1f} h")


def _network(patient: _Patient) -> Iterator[Finding]:
    base_url = os.environ.get("GOOGLE_GEMINI_BASE_URL", "")
    if base_url:
        yield Finding("warn", "network", f"GOOGLE_GEMINI_BASE_URL sends requests to {base_url}", "unset it for Google")
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    proxies = sorted({name.upper() for name in names if os.environ.get(name)})
    if proxies:  # their values may hold a password
        yield Finding("info", "network", f"{' and '.join(proxies)} is set: requests go through a proxy")


def _accounts(patient: _Patient) -> Iterator[Finding]:
    config = patient.config
    if config is None:
        return
    accounts = [account for account in config.to_accounts() if account.enabled]
    if not accounts:
        yield Finding("warn", "accounts", "there is none in use", "gsvr-tui accounts add main, or gsvr-tui demo")
        return
    projects = {account.project for account in accounts}
    yield Finding("ok", "accounts", f"{plural(len(accounts), 'account')} in {plural(len(projects), 'project')}")
    for account in accounts:
        if account.key.kind == "env" and account.key.name not in os.environ:
            name = account.key.name
            yield Finding("error", "accounts", f"{account.name}: the variable {name} is not set", f"export {name}=…")
        if account.tier == "unknown":
            yield Finding(
                "info",
                "accounts",
                f"{account.name}: its tier is not stated, so requests count as paid",
                "add tier: free (or tier1 …) in the config",
            )


def _live(patient: _Patient) -> Iterator[Finding]:
    from gsvr_tui.commands.accounts import check_accounts
    from gsvr_tui.commands.passphrase import unlock_for
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.secrets.keystore import KeyStore

    if patient.config is None:
        return
    here = Surroundings(patient.places, patient.config, os.environ)
    if not here.accounts:
        return
    keys = KeyStore(here.places, here.env)
    unlock_for(here.accounts, keys)
    for account, ok, message, advice in check_accounts(here, here.accounts, keys):
        yield Finding("ok" if ok else "error", "check", f"{account.name}: {message}", advice)
