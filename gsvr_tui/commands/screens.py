"""`gsvr-tui` without a command: the app, beginning with the wizard where no account is set up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import is_terminal, note

if TYPE_CHECKING:
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.ui.options import UiOptions

SIGNALLED = 128
"""Above it the app's status says which signal ended it."""


def open_app() -> int:
    """Run the app, and the demo when the wizard was asked for it; the exit code."""
    import sys

    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise Complaint(
            "the app needs a terminal", "without one use: gsvr-tui run PATH, gsvr-tui status, gsvr-tui --help"
        )
    from gsvr_tui.app import WANTS_DEMO
    from gsvr_tui.commands.demo import demo_app

    while True:
        status = _one()
        if status != WANTS_DEMO:
            return Exit.INTERRUPTED if status > SIGNALLED else status
        demo_app()


def _one() -> int:
    from gsvr_tui.app import run_app
    from gsvr_tui.commands.opening import opened
    from gsvr_tui.commands.surroundings import check_base_url, surroundings
    from gsvr_tui.service.assembly import settings_of

    here = surroundings()
    settings = settings_of(here.config, here.places, here.env)
    check_base_url(settings)
    with opened(here.places, settings, here.env, log_level=here.config.log.level) as session:
        session.service.start()
        return run_app(session.service, ui_options(here))


def ui_options(here: Surroundings) -> UiOptions:
    """The app's options as config, environment and folders say."""
    from gsvr_tui.config.package_data import read_themes
    from gsvr_tui.secrets.keystore import KeyStore
    from gsvr_tui.service.assembly import settings_of
    from gsvr_tui.ui.options import UiOptions

    themes, problems = read_themes(here.places)
    for problem in problems:
        note(f"theme left out: {problem}")
    ui = here.config.ui
    if ui.no_color:
        os.environ["NO_COLOR"] = "1"
    facts = KeyStore(here.places, here.env).describe()
    return UiOptions(
        theme=here.config.theme,
        themes=dict(themes),
        ascii=ui.ascii,
        reduce_motion=bool(ui.reduce_motion),
        first_run=not here.config.accounts,
        keyring_available=facts.keyring_ok,
        vault_exists=facts.vault_exists,
        default_output=settings_of(here.config, here.places, here.env).output_dir,
    )
