"""The one place where what went wrong becomes a message and an exit code: never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.say import mute, problem
from gsvr_tui.core.text import clean_text

if TYPE_CHECKING:
    from gsvr_tui.secrets.redact import Redactor


class Complaint(Exception):
    """Something the user can put right, found by a command."""

    def __init__(self, message: str, advice: str = "", code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code


_redactors: list[Redactor] = []
"""Those that know keys in use, the newest last: for the report about a fault of our own."""


def remember(redactor: Redactor) -> None:
    """Should the program break from here on, its report passes this redactor."""
    _redactors[:] = [redactor]


def guarded(call: Callable[[], Any]) -> int:
    """The exit code of `call`, whatever happens in it."""
    try:
        result = call()
    except Complaint as complaint:
        problem(complaint.message, complaint.advice)
        return complaint.code
    except click.exceptions.Abort:  # Ctrl-C or Ctrl-D at a question
        problem("stopped; nothing was changed")
        return Exit.INTERRUPTED
    except KeyboardInterrupt:
        problem("interrupted", "what is finished is saved; go on with: gsvr-tui resume")
        return Exit.INTERRUPTED
    except click.ClickException as error:
        _usage(error)
        return Exit.USAGE
    except BrokenPipeError:  # `gsvr-tui models | head`
        mute(sys.stdout)
        return Exit.DONE
    except Exception as error:  # the boundary of the program
        return _explained(error)
    return result if isinstance(result, int) else Exit.DONE


def _usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    advice = f"see: {context.command_path} --help" if context is not None else ""
    problem(error.format_message(), advice)


def _explained(error: Exception) -> int:
    words = explain(error)
    if words is None:
        return _fault(error)
    problem(*words)
    return Exit.USAGE


def explain(error: Exception) -> tuple[str, str] | None:
    """What is wrong and what to do, for every problem the rooms know; None for a fault of our own."""
    from gsvr_tui.config.places import PlaceProblem
    from gsvr_tui.config.problems import ConfigError
    from gsvr_tui.core.catalogue import CatalogueError, UnknownModel
    from gsvr_tui.emulator.scenario_file import ScenarioError
    from gsvr_tui.gemini.endpoint import BadEndpoint
    from gsvr_tui.media.problem import MediaProblem
    from gsvr_tui.report.template_model import ParameterProblem
    from gsvr_tui.report.templates import UnknownTemplate
    from gsvr_tui.secrets.keystore import KeyProblem
    from gsvr_tui.store.errors import StoreError

    if isinstance(error, KeyProblem | PlaceProblem | StoreError | MediaProblem):
        return error.message, error.advice
    if isinstance(error, ConfigError):
        return str(error), "correct the file and start again; config.yaml.example shows every setting"
    if isinstance(error, UnknownModel):
        return str(error), "see: gsvr-tui models"
    if isinstance(error, CatalogueError):
        return str(error), "correct or remove the file"
    if isinstance(error, UnknownTemplate | ParameterProblem):
        return str(error), "see: gsvr-tui templates list"
    if isinstance(error, BadEndpoint | ScenarioError):
        return str(error), ""
    if isinstance(error, OSError) and error.errno is not None:
        name = f"{clean_text(str(error.filename))}: " if error.filename else ""
        return f"{name}{error.strerror or type(error).__name__}", "see: gsvr-tui doctor"
    return None


def _fault(error: Exception) -> int:
    import os

    from gsvr_tui.config.places import PlaceProblem, find_places
    from gsvr_tui.secrets.crash import crash_report
    from gsvr_tui.secrets.redact import everything_known

    message = f"stopped by a fault of its own ({type(error).__name__}); everything finished is saved"
    try:
        places = find_places(os.environ)
        places.ensure()
        path = crash_report(error, places, _redactors[-1] if _redactors else everything_known())
        problem(message, f"the report, which holds no keys, is in {path}")
    except (OSError, PlaceProblem):
        problem(message, "a report could not be written: the logs folder can't be used")
    return Exit.FAULT
