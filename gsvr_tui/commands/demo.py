"""`gsvr-tui demo`: everything for real, except that the Gemini API is an emulator on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.run_options import farewell, show_for
from gsvr_tui.commands.say import note, out

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.core.models import Account
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.emulator.scenario import Scenario
    from gsvr_tui.service.settings import ServiceSettings

SCENARIO = "demo"
REPORTS = "gsvr-demo"


@click.command()
@click.option("--headless", is_flag=True, help="No screen: work, write the reports, end.")
@click.option("-o", "--output", default="", metavar="DIR", help=f"Folder for the reports (default: ./{REPORTS}).")
@click.option("--json", "as_json", is_flag=True, help="With --headless: JSON Lines of events.")
def demo(headless: bool, output: str, as_json: bool) -> int:
    """Make sample videos and turn them into reports with a Gemini emulator on this machine.

    Needs no key and no network, and leaves your config and queue alone. The reports go into a new folder gsvr-demo in
    the working folder, or into demo/ under GSVR_HOME when that is set.
    """
    if headless or as_json:
        return _headless(output, as_json)
    return demo_app(output)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A demo set up: its own places, two accounts with keys made just now, the videos to add."""

    places: Places
    settings: ServiceSettings
    keys: dict[str, Secret]
    accounts: tuple[Account, ...]
    command: AddJobs
    reports: Path


def _headless(output: str, as_json: bool) -> int:
    from gsvr_tui.commands.headless import Headless
    from gsvr_tui.commands.opening import opened

    with (
        _stage(output) as stage,
        opened(stage.places, stage.settings, {}, memory_keys=stage.keys, memory_accounts=stage.accounts) as session,
    ):
        summary = Headless(session, show_for(as_json), commands=(stage.command,)).run()
    if not as_json:
        if summary.outputs:
            out("Reports:")
        for path in summary.outputs:
            out(f"  {path}")
        out("Next: gsvr-tui demo shows the same in the app; gsvr-tui accounts add main adds your own key.")
    return farewell(summary)


def demo_app(output: str = "") -> int:
    """The demo in the app."""
    from gsvr_tui.app import run_app
    from gsvr_tui.commands.opening import opened
    from gsvr_tui.commands.screens import ui_options
    from gsvr_tui.commands.surroundings import surroundings_for_looks

    here = surroundings_for_looks()
    with (
        _stage(output) as stage,
        opened(stage.places, stage.settings, {}, memory_keys=stage.keys, memory_accounts=stage.accounts) as session,
    ):
        session.service.start()
        session.service.send(stage.command)
        options = replace(ui_options(here), first_run=False, demo=True, default_output=str(stage.reports))
        status = run_app(session.service, options)
    out(f"The demo's reports are in {stage.reports}")
    return status


@contextmanager
def _stage(output: str) -> Iterator[_Stage]:
    """Emulator, videos, accounts; the emulator ends after everything that uses it."""
    from gsvr_tui.config.places import find_places, private_umask
    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.emulator.server import EmulatorServer
    from gsvr_tui.media.samples import demo_clips
    from gsvr_tui.secrets.crash import no_core_dumps
    from gsvr_tui.service.settings import ServiceSettings

    private_umask()
    no_core_dumps()
    base, passing = _base()
    home = Path(tempfile.mkdtemp(prefix="run-", dir=base))  # the demo's own state, never the user's
    try:
        reports = Path(output).expanduser().absolute() if output else _fresh(_reports_in(base, passing))
        note("Demo: sample videos, a Gemini emulator on this machine, no key, no network.")
        videos = demo_clips(base / "videos")
        note(f"{len(videos)} videos in {base / 'videos'}; reports go to {reports}")
        places = find_places({"GSVR_HOME": str(home)})
        places.ensure()
        scenario, accounts, keys = _people()
        with EmulatorServer(scenario) as server:
            yield _Stage(
                places=places,
                settings=ServiceSettings(accounts=(), output_dir=str(reports), keep_config=False),
                keys=keys,
                accounts=tuple(replace(account, base_url=server.base_url) for account in accounts),
                command=AddJobs("demo", (str(base / "videos"),), output_dir=str(reports), name="Demo"),
                reports=reports,
            )
    finally:
        shutil.rmtree(base if passing else home, ignore_errors=True)


def _base() -> tuple[Path, bool]:
    """The demo's folder, and whether it goes away with the demo."""
    home = os.environ.get("GSVR_HOME", "")
    if not home:
        return Path(tempfile.mkdtemp(prefix="gsvr-demo-")), True
    base = Path(home).expanduser().absolute() / "demo"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    return base, False


def _reports_in(base: Path, passing: bool) -> Path:
    return Path.cwd() / REPORTS if passing else base / "reports"


def _fresh(folder: Path) -> Path:
    """`folder`, or with a number behind it: a demo never writes among earlier reports."""
    number = 1
    choice = folder
    while choice.exists():
        number += 1
        choice = folder.with_name(f"{folder.name}-{number}")
    return choice


def _people() -> tuple[Scenario, tuple[Account, ...], dict[str, Secret]]:
    """The scenario with keys nobody knew before, and an account for each."""
    from gsvr_tui.core.models import Account, KeyRef
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.emulator.scenario import KeySpec
    from gsvr_tui.emulator.scenario_file import built_in_scenario

    scenario = built_in_scenario(SCENARIO)
    projects = []
    accounts = []
    keys = {}
    for project in scenario.projects:
        key = f"demo-{secrets.token_urlsafe(24)}"
        projects.append(replace(project, keys=(KeySpec(key),)))
        name = project.name.removeprefix("demo-")
        accounts.append(Account(name, project.name, KeyRef("memory", name), tier=str(project.tier)))
        keys[name] = Secret(key)
    return replace(scenario, projects=tuple(projects)), tuple(accounts), keys
