"""The log file and the last-resort hooks: everything that is written passes the redactor after it is formatted.

Secrets hide in arguments, exception texts and tracebacks of libraries, so nothing is filtered at loggers (children do
not pass them) or before formatting: the one handler turns a record into plain texts, redacts each, and checks the line.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from gsvr_tui.config.places import Places
from gsvr_tui.config.private_file import create_private
from gsvr_tui.core.text import clean_text
from gsvr_tui.secrets.redact import Redactor

LOG_NAME = "gsvr-tui.jsonl"
MOST_BYTES = 5_000_000
KEPT = 5
_LONGEST_MESSAGE = 8_000
_LONGEST_TRACEBACK = 32_000
_LOUD = ("httpx2", "httpcore2", "httpx", "httpcore", "google", "google_genai", "urllib3", "keyring", "asyncio", "hpack")

RecordDict = Mapping[str, Any]
"""at (Unix seconds), level, source, message, job, account, fields (texts by name), error (traceback or "")."""
Subscriber = Callable[[RecordDict], None]


class LogHandle:
    """The log of this run. `close` undoes what `setup_logging` did."""

    def __init__(self, handler: _Handler, undo: Callable[[], None]) -> None:
        self._handler = handler
        self._undo = undo

    @property
    def path(self) -> Path:
        """The file being written."""
        return Path(self._handler.baseFilename)

    @property
    def lost(self) -> int:
        """Records that could not be written: a full disk, a broken format."""
        return self._handler.lost

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call `callback` with every record from now on, redacted, in the thread that logs. Returns the way out.

        What it raises is dropped, and what it logs is written but not handed to subscribers.
        """
        self._handler.subscribers = (*self._handler.subscribers, callback)

        def unsubscribe() -> None:
            self._handler.subscribers = tuple(one for one in self._handler.subscribers if one is not callback)

        return unsubscribe

    def set_level(self, level: str) -> None:
        """Change how much is told: debug, info, warning or error."""
        logging.getLogger().setLevel(level.upper())

    def close(self) -> None:
        """End the log and put back the loggers as they were."""
        self._undo()
        with contextlib.suppress(OSError):  # a full disk; what is lost was counted
            self._handler.close()


def setup_logging(places: Places, redactor: Redactor, level: str, run_id: str) -> LogHandle:
    """Send all logging and warnings to a JSON-lines file in the logs folder, and nothing to the terminal.

    Raises OSError when the file can't be opened.
    """
    handler = _Handler(places.logs / LOG_NAME, redactor, run_id)
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in _LOUD}
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD:  # their debug records hold headers and whole requests
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)

    def undo() -> None:
        logging.captureWarnings(False)
        root.handlers[:] = [one for one in root.handlers if one is not handler] or handlers
        root.setLevel(before)
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)

    return LogHandle(handler, undo)


class RedactingFormatter(logging.Formatter):
    """For any other handler, such as the console of headless commands: one clean line, redacted after formatting."""

    def __init__(self, redactor: Redactor, fmt: str = "%(levelname)s %(message)s") -> None:
        super().__init__(fmt)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """As logging.Formatter, without secrets and control characters."""
        return self._redactor.redact(clean_text(super().format(record), newlines=True))


class _Handler(RotatingFileHandler):
    """Private files, redacted lines, subscribers."""

    def __init__(self, path: Path, redactor: Redactor, run_id: str) -> None:
        self._redactor = redactor
        self._run_id = run_id
        self._inside = threading.local()
        self.subscribers: tuple[Subscriber, ...] = ()
        self.lost = 0
        super().__init__(path, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> TextIOWrapper:
        descriptor = create_private(Path(self.baseFilename), exclusive=False, append=True)
        if os.name != "nt":
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handle(self, record: logging.LogRecord) -> bool:
        """As logging.Handler; subscribers are told after the lock is free."""
        told = super().handle(record)
        subscribers = self.subscribers
        if told and subscribers and not getattr(self._inside, "telling", False):
            self._inside.telling = True
            try:
                as_dict = self.describe(record)
                for subscriber in subscribers:
                    subscriber(as_dict)
            except Exception:  # boundary: a subscriber's fault must not reach whoever logs
                self.lost += 1
            finally:
                self._inside.telling = False
        return bool(told)

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; a line that still holds a secret is withheld as a whole."""
        line = record.__dict__.get(_LINE)  # asked for twice: once for the size, once for writing
        if line is None:
            line = record.__dict__[_LINE] = self._line(record)
        return str(line)

    def _line(self, record: logging.LogRecord) -> str:
        facts = dict(self.describe(record))
        facts["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = json.dumps({**facts, "run": self._run_id, "thread": record.threadName or ""}, ensure_ascii=False)
        if self._redactor.redact(line) == line:
            return line
        withheld = "A line was withheld: it held a secret."
        return json.dumps({"at": facts["at"], "level": facts["level"], "message": withheld, "run": self._run_id})

    def describe(self, record: logging.LogRecord) -> RecordDict:
        """The record as plain redacted texts."""
        known: RecordDict | None = record.__dict__.get(_FACTS)
        if known is None:
            known = record.__dict__[_FACTS] = self._describe(record)
        return known

    def _describe(self, record: logging.LogRecord) -> RecordDict:
        error = ""
        if record.exc_info and record.exc_info[0] is not None:
            error = (self.formatter or _PLAIN).formatException(record.exc_info)  # no locals
        elif record.exc_text:
            error = record.exc_text
        fields = record.__dict__.get("fields")
        return {
            "at": record.created,
            "level": _level(record.levelno),
            "source": self._clean(record.name),
            "message": self._clean(_message(record), _LONGEST_MESSAGE),
            "job": self._clean(str(record.__dict__.get("job", ""))),
            "account": self._clean(str(record.__dict__.get("account", ""))),
            "fields": {self._clean(str(key)): self._clean(str(value)) for key, value in fields.items()}
            if isinstance(fields, Mapping)
            else {},
            "error": self._clean(error, _LONGEST_TRACEBACK),
        }

    def _clean(self, text: str, longest: int = 1_000) -> str:
        text = self._redactor.redact(clean_text(text, newlines=True))  # invisible signs must not split a key
        return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"

    def handleError(self, record: logging.LogRecord) -> None:
        """Count it. logging's own prints the record's arguments to the terminal."""
        self.lost += 1


_FACTS, _LINE = "_gsvr_facts", "_gsvr_line"  # kept on the record
_PLAIN = logging.Formatter()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # boundary: arguments that do not fit their message, or can't be shown
        return f"{record.msg!s} (its arguments can't be shown: {type(error).__name__})"


def _level(number: int) -> str:
    for least, name in ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info")):
        if number >= least:
            return name
    return "debug"
