"""The app's line to the service: sends commands, waits for their answers, remembers how to undo."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from gsvr_tui.core.messages import Command, CommandDone, CommandRefused, JobDetail, ServiceHandle, WatchJob
from gsvr_tui.ui.read_model import Answer, Change, ReadModel

Tell = Callable[[str, str], None]
"""Shows a line to the user: text, severity (`information`, `warning`, `error`)."""


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take the last act back: what it was in words, and the command that undoes it."""

    text: str
    make: Callable[[str], Command]


@dataclass(frozen=True, slots=True)
class _Sent:
    done: Callable[[CommandDone], str | None] | None
    undo: Undo | None


class Link:
    """Lives in the UI's loop. `model` is what the screens read."""

    def __init__(self, handle: ServiceHandle, tell: Tell) -> None:
        self.model = ReadModel()
        self.undo: Undo | None = None
        self._handle = handle
        self._tell = tell
        self._session = uuid.uuid4().hex[:8]
        self._count = 0
        self._sent: dict[str, _Sent] = {}
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._wanted: dict[str, asyncio.Future[JobDetail]] = {}

    def new_id(self) -> str:
        """An id for a command; unique over all screens that may be attached to one service."""
        self._count += 1
        return f"ui-{self._session}-{self._count}"

    def send(
        self, command: Command, *, done: Callable[[CommandDone], str | None] | None = None, undo: Undo | None = None
    ) -> None:
        """Send; a refusal is shown. `done` makes the line shown on success; `undo` is remembered then."""
        self._sent[command.id] = _Sent(done, undo)
        self._handle.send(command)

    async def ask(self, command: Command, *, timeout_s: float = 60.0) -> Answer:
        """Send and wait for the answer. A service that is silent for `timeout_s` counts as a refusal."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[command.id] = future
        self._handle.send(command)
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return CommandRefused(command.id, "no answer from the service", "try again; the log (3) may say why")
        finally:
            self._asked.pop(command.id, None)

    async def detail_of(self, job: str, *, timeout_s: float = 5.0) -> JobDetail | None:
        """The details of a job, asked for if they are not here; None when they do not come in time."""
        known = self.model.detail
        if known is not None and known.row.id == job:
            return known
        future: asyncio.Future[JobDetail] = asyncio.get_running_loop().create_future()
        self._wanted[job] = future
        self.send(WatchJob(self.new_id(), job), done=lambda _: None)
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return None
        finally:
            self._wanted.pop(job, None)

    def drain(self) -> Change:
        """Take what has come in; answers go to those who wait for them."""
        change = self.model.apply(self._handle.take_events())
        for answer in change.answers:
            self._answer(answer)
        detail = self.model.detail
        if change.detail and detail is not None:
            wanted = self._wanted.get(detail.row.id)
            if wanted is not None and not wanted.done():
                wanted.set_result(detail)
        if change.stopped is not None:
            self._give_up()
        return change

    def _answer(self, answer: Answer) -> None:
        future = self._asked.get(answer.command_id)
        if future is not None:
            if not future.done():
                future.set_result(answer)
            return
        sent = self._sent.pop(answer.command_id, None)
        match answer:
            case CommandRefused(message=message, advice=advice) if sent is not None:
                self._tell(f"{message}. {advice}" if advice else message, "error")
            case CommandDone() if sent is not None:
                if sent.undo is not None:
                    self.undo = sent.undo
                text = sent.done(answer) if sent.done is not None else answer.message
                if text:
                    self._tell(text, "information")

    def _give_up(self) -> None:
        for name, future in self._asked.items():
            if not future.done():
                future.set_result(CommandRefused(name, "the service has ended", "start gsvr-tui again"))
