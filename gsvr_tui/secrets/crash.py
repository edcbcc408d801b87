"""What happens when something of ours breaks: a redacted report without values of variables, one line on the screen.

The hooks cover the ways an exception gets lost: the main thread, other threads, destructors, asyncio's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import platform
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import gsvr_tui
from gsvr_tui.config.places import Places
from gsvr_tui.config.private_file import create_private
from gsvr_tui.core.text import clean_text
from gsvr_tui.secrets.redact import Redactor

_log = logging.getLogger("gsvr_tui.crash")
_LONGEST = 64_000


def no_core_dumps() -> bool:
    """No memory image of this process on disk, which would show its keys. False where that can't be had."""
    if sys.platform == "win32":
        return False
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return True


def note_faults(places: Places) -> Callable[[], None]:
    """When the interpreter itself dies (a decoder's segfault), where it was goes to `faults.txt` in the logs folder.

    Only names of files and functions are written, no values. Returns the undoing. Raises OSError.
    """
    file = os.fdopen(create_private(places.logs / "faults.txt", exclusive=False, append=True), "a", encoding="utf-8")
    faulthandler.enable(file)

    def undo() -> None:
        faulthandler.disable()
        file.close()

    return undo


def redacted_traceback(exc: BaseException, redactor: Redactor) -> str:
    """The traceback of `exc` and of what led to it, without locals and secrets, fit for a terminal."""
    try:
        text = "".join(traceback.TracebackException.from_exception(exc, capture_locals=False, compact=True).format())
    except Exception as error:  # boundary: an exception whose own text raises
        text = f"{type(exc).__name__} (its text can't be shown: {type(error).__name__})\n"
    text = redactor.redact(clean_text(text, newlines=True))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… ({len(text)} characters)\n"


def crash_report(
    exc: BaseException, places: Places, redactor: Redactor, *, now: Callable[[], float] = time.time
) -> Path:
    """Write a short report about `exc` into the logs folder and return where. Raises OSError when that fails."""
    at = datetime.fromtimestamp(now(), UTC)
    text = (
        f"gsvr-tui {gsvr_tui.__version__} stopped on an error of its own at {at.isoformat(timespec='seconds')}.\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.release()} ({platform.machine()})\n"
        "This report holds no keys and no values of variables, but names of files may be in it.\n\n"
        f"{redacted_traceback(exc, redactor)}"
    )
    path = places.logs / f"crash-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.txt"
    with os.fdopen(create_private(path), "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def install_hooks(places: Places, redactor: Redactor, *, stream: TextIO | None = None) -> Callable[[], None]:
    """Send exceptions nobody caught to the log and a report; `stream` (stderr) gets one line. Returns the undoing."""
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)

    def in_main(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        _log.critical("unhandled exception", exc_info=(kind, exc, trace))
        out = stream or sys.stderr
        message = redactor.redact(clean_text(f"{kind.__name__}: {_text_of(exc)}"))[:300]
        try:
            where = f"The report is in {crash_report(exc, places, redactor)}"
        except OSError:
            where = f"A report could not be written.\n{redacted_traceback(exc, redactor)}"
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            out.write(f"gsvr-tui stopped on an error of its own ({message}).\n{where}\n")

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None or issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread else "?"
        _log.critical("unhandled exception in thread %s", name, exc_info=args.exc_value)
        with contextlib.suppress(OSError):
            crash_report(args.exc_value, places, redactor)

    def in_destructor(args: sys.UnraisableHookArgs) -> None:
        # the object itself is not shown: its repr is anybody's
        _log.error("exception in a destructor of %s", type(args.object).__name__, exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = in_main, in_thread, in_destructor

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return undo


def asyncio_handler(
    on_error: Callable[[BaseException], None] | None = None,
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A handler for `loop.set_exception_handler`: logs the exception, not the context, whose reprs hold arguments."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        _log.error("asyncio: %s", context.get("message", "exception in the event loop"), exc_info=exc)
        if exc is not None and on_error is not None:
            on_error(exc)

    return handle


def _text_of(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception as error:  # boundary: an exception whose own text raises
        return f"its text can't be shown: {type(error).__name__}"
