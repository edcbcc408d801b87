"""`gsvr-tui demo`: everything for real, except that the Gemini API is an emulator on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
    from gsvr_tui.service.assembly import Session
    from gsvr_tui.service.settings import Clock, ServiceSettings

SCENARIO = "demo"
SEVERAL = "demo_accounts"
MOST_ACCOUNTS = 8
MOST_NAMED = 24
MINUTE = 6  # requests a minute of each account in the demo with several, as its owner states it
TAKEN_BY_FIRST = 4  # what the first one's project really takes
REPORTS = "gsvr-demo"


@click.command()
@click.option("--headless", is_flag=True, help="No screen: work, write the reports, end.")
@click.option("-o", "--output", default="", metavar="DIR", help=f"Folder for the reports (default: ./{REPORTS}).")
@click.option("--json", "as_json", is_flag=True, help="With --headless: JSON Lines of events.")
@click.option(
    "--accounts",
    type=click.IntRange(2, MOST_ACCOUNTS),
    help="A busier scene of 40 seconds: so many accounts, of which one rests and one key dies.",
)
def demo(headless: bool, output: str, as_json: bool, accounts: int | None) -> int:
    """Make sample videos and turn them into reports with a Gemini emulator on this machine.

    Needs no key and no network, and leaves your config and queue alone. The reports go into a new folder gsvr-demo in
    the working folder, or into demo/ under GSVR_HOME when that is set.
    """
    if headless or as_json:
        return _headless(output, as_json, accounts or 0)
    return demo_app(output, accounts or 0)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A demo set up: its own places, accounts with keys made just now, the videos to add, and its time."""

    places: Places
    settings: ServiceSettings
    keys: dict[str, Secret]
    accounts: tuple[Account, ...]
    command: AddJobs
    reports: Path
    clock: Clock


def _headless(output: str, as_json: bool, several: int) -> int:
    from gsvr_tui.commands.headless import Headless

    with (
        _stage(output, several) as stage,
        _opened(stage) as session,
    ):
        summary = Headless(session, show_for(as_json), commands=(stage.command,)).run()
    if not as_json:
        if len(summary.outputs) > MOST_NAMED:
            out(f"{len(summary.outputs)} files with reports are in {stage.reports}")
        elif summary.outputs:
            out("Reports:")
            for path in summary.outputs:
                out(f"  {path}")
        out("Next: gsvr-tui demo shows the same in the app; gsvr-tui accounts add main adds your own key.")
    return farewell(summary)


def _opened(stage: _Stage) -> AbstractContextManager[Session]:
    from gsvr_tui.commands.opening import opened

    return opened(
        stage.places,
        stage.settings,
        {},
        memory_keys=stage.keys,
        memory_accounts=stage.accounts,
        clock=stage.clock,
    )


def demo_app(output: str = "", several: int = 0) -> int:
    """The demo in the app; `several`: with so many accounts, else the usual two."""
    from gsvr_tui.app import run_app
    from gsvr_tui.commands.screens import ui_options
    from gsvr_tui.commands.surroundings import surroundings_for_looks

    here = surroundings_for_looks()
    with (
        _stage(output, several) as stage,
        _opened(stage) as session,
    ):
        session.service.start()
        session.service.send(stage.command)
        options = replace(
            ui_options(here),
            first_run=False,
            demo=True,
            default_output=str(stage.reports),
            clock=lambda: stage.clock.now().wall,
        )
        status = run_app(session.service, options)
    out(f"The demo's reports are in {stage.reports}")
    return status


@contextmanager
def _stage(output: str, several: int) -> Iterator[_Stage]:
    """Emulator, videos, accounts; the emulator ends after everything that uses it."""
    from gsvr_tui.config.places import find_places, private_umask
    from gsvr_tui.core.messages import AddJobs
    from gsvr_tui.emulator.server import EmulatorServer
    from gsvr_tui.media.samples import demo_clips
    from gsvr_tui.secrets.crash import no_core_dumps
    from gsvr_tui.service.settings import Clock, ServiceSettings

    private_umask()
    no_core_dumps()
    base, passing = _base()
    home = Path(tempfile.mkdtemp(prefix="run-", dir=base))  # the demo's own state, never the user's
    try:
        reports = Path(output).expanduser().absolute() if output else _fresh(_reports_in(base, passing))
        note("Demo: sample videos, a Gemini emulator on this machine, no key, no network.")
        folder = base / ("videos" if not several else f"videos-{several}")
        videos = _many_clips(folder, _jobs_for(several)) if several else demo_clips(folder)
        note(f"{len(videos)} videos in {folder}; reports go to {reports}")
        places = find_places({"GSVR_HOME": str(home)})
        places.ensure()
        scenario, accounts, keys = _people(several)
        with EmulatorServer(scenario) as server:
            time_of = server.clock.wall  # the emulator's world and the service live in one time
            yield _Stage(
                places=places,
                settings=ServiceSettings(accounts=(), output_dir=str(reports), keep_config=False),
                keys=keys,
                accounts=tuple(replace(account, base_url=server.base_url) for account in accounts),
                command=AddJobs("demo", (str(folder),), output_dir=str(reports), name="Demo"),
                reports=reports,
                clock=Clock(time_of, time_of, factor=scenario.time_factor),
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


def _jobs_for(several: int) -> int:
    """Videos for about three minutes of these accounts, which the emulator's time makes 40 seconds."""
    working = several - 2
    return MINUTE + 3 * (working * MINUTE + TAKEN_BY_FIRST)


def _many_clips(folder: Path, count: int) -> list[Path]:
    """Short videos, all different, made where they are missing."""
    from gsvr_tui.media.samples import ClipSpec, make_clip

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d} Lecture.mp4" for number in range(1, count + 1)]
    for number, path in enumerate(paths):
        if not path.exists():
            make_clip(path, ClipSpec(6 + number % 5, 96, 64, 2, seed=number, tone_hz=0, title=f"Lecture {number + 1}"))
    return paths


def _people(several: int) -> tuple[Scenario, tuple[Account, ...], dict[str, Secret]]:
    """The scenario with keys nobody knew before, and an account for each."""
    from gsvr_tui.config.schema import DEFAULT_MODEL
    from gsvr_tui.core.models import Account, KeyRef, Limits
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.emulator.scenario_file import built_in_scenario

    scenario = built_in_scenario(SEVERAL if several else SCENARIO)
    stated = {DEFAULT_MODEL: Limits(rpm=MINUTE, tpm=250_000, source="user")} if several else {}
    projects = []
    accounts = []
    keys = {}
    for project in scenario.projects[: several or None]:
        key = f"demo-{secrets.token_urlsafe(24)}"
        projects.append(replace(project, keys=(replace(project.keys[0], key=key),)))
        name = project.name.removeprefix("demo-")
        accounts.append(Account(name, project.name, KeyRef("memory", name), tier=str(project.tier), limits=stated))
        keys[name] = Secret(key)
    return replace(scenario, projects=tuple(projects)), tuple(accounts), keys
