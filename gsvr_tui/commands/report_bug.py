"""`gsvr-tui report-bug`: a file to go with a bug report. Nothing leaves this machine by itself."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import out, plural

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.config.schema import Config
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.secrets.leak_scan import LeakScan
    from gsvr_tui.secrets.redact import Redactor

FROM_ENVIRONMENT = ("GEMINI_API_KEY", "GOOGLE_API_KEY")


@click.command("report-bug")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it (a new .zip).")
@click.option("--show", is_flag=True, help="Print what would be in it and write nothing.")
def report_bug(output: Path | None, show: bool) -> int:
    """Write a file for a bug report: versions, what doctor says, numbers of the queue, the end of the log.

    It holds no key, no address of an upload and no name of a video, folder, account or person. Before it is written it
    is searched for every key that is known here; if one is found, nothing is written.
    """
    members, scan, unseen = _bundle()
    for name, text in members.items():
        found = scan.find(text)
        if found:
            raise Complaint(
                f"nothing was written: {found} was found in {name}",
                "report the bug without this file, and say that this happened",
                Exit.SOME_FAILED,
            )
    if show:
        for name, text in members.items():
            out(f"== {name}")
            out(text.rstrip("\n"))
        return Exit.DONE
    target = output or Path(f"gsvr-report-{time.strftime('%Y%m%d-%H%M%S')}.zip")
    _write(target, members)
    size = target.stat().st_size
    out(f"Written: {target} ({size:,} bytes, {plural(len(members), 'part')})")
    out(f"Searched for {plural(scan.keys, 'key')}: none is in it.")
    if unseen:
        out(f"! {plural(unseen, 'key')} could not be looked up here, so only their shape was searched for.")
    out("Look into it before you send it: gsvr-tui report-bug --show")
    return Exit.DONE


def _bundle() -> tuple[dict[str, str], LeakScan, int]:
    """The parts by name, what to search them with, and how many keys could not be looked up."""
    from gsvr_tui.commands import bug_bundle
    from gsvr_tui.commands.examination import examine
    from gsvr_tui.config.load import load_config
    from gsvr_tui.config.places import find_places
    from gsvr_tui.config.problems import ConfigError
    from gsvr_tui.secrets.leak_scan import LeakScan
    from gsvr_tui.secrets.log_setup import KEPT, LOG_NAME
    from gsvr_tui.secrets.redact import Redactor
    from gsvr_tui.store.errors import StoreError
    from gsvr_tui.store.repository import Store

    places = find_places(os.environ)
    try:
        config: Config | None = load_config(places.config_file)
    except (ConfigError, OSError):
        config = None
    redactor = Redactor()
    secrets, unseen = _keys(places, config, redactor)
    scrubber = bug_bundle.Scrubber(redactor)
    bug_bundle.learn_surroundings(scrubber, config)
    queue: dict[str, object]
    try:
        store = Store.open(places.state, read_only=True)
    except StoreError as error:
        queue = {"readable": False, "why": type(error).__name__}
    else:
        bug_bundle.learn_store(scrubber, store)
        queue = bug_bundle.queue_facts(store)
        store.close()
    findings = [
        {
            "level": finding.level,
            "what": finding.what,
            "message": scrubber.clean(finding.message),
            "advice": scrubber.clean(finding.advice),
        }
        for finding in examine(check=False)
    ]
    report = {
        "findings": findings,
        "config": bug_bundle.shape_of_config(config),
        "queue": queue,
    }
    files = [places.logs / f"{LOG_NAME}.{number}" for number in range(KEPT, 0, -1)] + [places.logs / LOG_NAME]
    lines = bug_bundle.log_lines(files, scrubber)
    members = {
        "report.json": json.dumps(report, ensure_ascii=False, indent=2) + "\n",
        "log.jsonl": "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines),
        **bug_bundle.crash_texts(places.logs, scrubber),
    }
    return members, LeakScan(secrets), unseen


def _keys(places: Places, config: Config | None, redactor: Redactor) -> tuple[list[Secret], int]:
    """Every key that can be had with nobody asked, and the number of those that can't."""
    from gsvr_tui.core.models import KeyRef
    from gsvr_tui.secrets.keystore import KeyProblem, KeyStore

    store = KeyStore(places, os.environ, on_secret=redactor.add)
    found: list[Secret] = []
    unseen = 0
    references = [account.key for account in config.to_accounts()] if config is not None else []
    wanted = [*references, *(KeyRef("env", name) for name in FROM_ENVIRONMENT if os.environ.get(name))]
    for reference in wanted:
        try:
            secret = store.resolve(reference)
        except KeyProblem:
            unseen += 1
            continue
        redactor.add(secret)
        found.append(secret)
    return found, unseen


def _write(target: Path, members: dict[str, str]) -> None:
    """A new file for this user only."""
    from gsvr_tui.config.private_file import create_private

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text.encode("utf-8", "backslashreplace"))
    try:
        descriptor = create_private(target)
    except FileExistsError:
        raise Complaint(f"{target} is there already", "choose another name: -o FILE") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(packed.getvalue())
