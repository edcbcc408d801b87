"""The emulator as an ASGI app: finds the handler of a path, checks the key, logs every request."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gsvr_tui.emulator import models, wire
from gsvr_tui.emulator.admin import Admin
from gsvr_tui.emulator.call import Reader
from gsvr_tui.emulator.clock import Clock
from gsvr_tui.emulator.errors import ApiError, invalid
from gsvr_tui.emulator.exchange import ClientGone, Connections, Exchange, Stopping
from gsvr_tui.emulator.faults import Faults, Subject
from gsvr_tui.emulator.files import FileStore
from gsvr_tui.emulator.generate import Generator, fault_error
from gsvr_tui.emulator.log import LogEntry, RequestLog
from gsvr_tui.emulator.probe import Probe
from gsvr_tui.emulator.projects import Project, Projects
from gsvr_tui.emulator.scenario import Action, Rule, Scenario
from gsvr_tui.emulator.uploads import Upload, Uploads

_log = logging.getLogger(__name__)
_UPLOAD = re.compile(r"/upload/(v1|v1beta)/files")
_METHOD = re.compile(r"/(v1|v1beta)/models/([^/:]+):(\w+)")
_MODEL = re.compile(r"/(v1|v1beta)/models(?:/([^/:]+))?")
_FILES = re.compile(r"/(v1|v1beta)/files(?:/([^/:]+))?")
_ADMIN = "/__emulator__/"
_NOT_FOUND_HTML = (
    "<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> That’s an error.\n"
)


def _no_such_path() -> ApiError:
    return ApiError(404, "NOT_FOUND", "", detail="path", raw=_NOT_FOUND_HTML)


class Emulator:
    """The whole emulated service. One event loop; nothing here is thread-safe but the log."""

    def __init__(
        self, scenario: Scenario, *, clock: Clock, probe: Probe, folder: Path, log_path: Path | None, seed: int
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self.started_at = clock.wall()
        self.log = RequestLog(log_path)
        self.connections = Connections()
        self.stopping = asyncio.Event()
        self.projects = Projects(scenario.projects, self.started_at)
        self.faults = Faults(seed, self.started_at, scenario.faults, scenario.upload_faults)
        for rule in scenario.rules:
            self.faults.add(rule)
        random = Random(seed + 1)  # noqa: S311 - ids of an emulator
        self.store = FileStore(scenario.files, clock, probe, random)
        self.uploads = Uploads(self.store, folder, clock, random)
        self.models = models.ModelList.of(scenario.models)
        reader = Reader(self.store, probe, folder, scenario.language)
        self.generator = Generator(scenario, self.models, reader, self.faults, clock, seed)
        self.admin = Admin(self.log, self.projects, self.store, self.faults, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        path = unquote(scope["path"])
        if path.startswith(_ADMIN):
            await self.admin(scope, receive, send)
            return
        entry = self.log.open(self.clock.wall(), scope["method"], path, "other")
        exchange = Exchange(
            scope,
            receive,
            send,
            entry=entry,
            clock=self.clock,
            connections=self.connections,
            stopping=self.stopping,
            settle=lambda: self.log.close(entry, self.clock.wall()),
        )
        try:
            await self._guarded(exchange, path)
        finally:
            self.log.close(entry, self.clock.wall())

    async def _guarded(self, exchange: Exchange, path: str) -> None:
        entry = exchange.entry
        try:
            await self._route(exchange, path)
            entry.outcome = entry.outcome or "answered"
        except ApiError as problem:
            if problem.outcome == "rejected":
                entry.outcome = "rejected"
            await exchange.error(problem)
        except ClientGone:
            entry.outcome = "abandoned"
        except Stopping:
            entry.outcome = "stopped"
            await exchange.cut()
        except Exception as problem:  # the boundary of the emulator: a fault of its own must show, and not stop it
            _log.exception("the emulator failed over %s", path)
            entry.outcome, entry.detail = "bug", f"{type(problem).__name__}: {problem}"
            if not exchange.started:
                await exchange.error(ApiError(500, "INTERNAL", f"Fault of the emulator: {type(problem).__name__}"))

    async def _route(self, exchange: Exchange, path: str) -> None:
        method = exchange.entry.method
        if found := _UPLOAD.fullmatch(path):
            exchange.entry.version = found[1]
            await self._upload(exchange)
        elif method == "POST" and (found := _METHOD.fullmatch(path)):
            exchange.entry.version = found[1]
            await self._model_method(exchange, found[1], found[2], found[3])
        elif method == "GET" and (found := _MODEL.fullmatch(path)):
            exchange.entry.version = found[1]
            await self._models(exchange, found[1], found[2])
        elif method in ("GET", "DELETE") and (found := _FILES.fullmatch(path)):
            exchange.entry.version = found[1]
            await self._files(exchange, found[2])
        else:
            raise _no_such_path()

    # who asks

    def _caller(self, exchange: Exchange) -> Project:
        key = exchange.header("x-goog-api-key") or exchange.request.query_params.get("key") or ""
        key = key.strip()
        exchange.entry.key_tail = key[-4:] if len(key) >= 12 else ""
        known = self.projects.project_of(key)
        exchange.entry.project = known.name if known else ""
        return self.projects.authorise(key, self.clock.wall())

    async def _fault(self, exchange: Exchange, subject: Subject) -> Rule | None:
        """The fault of a request other than generate. Raises ApiError; None or a rule for the handler to mind."""
        rule = self.faults.pick(subject, self.clock.wall())
        if rule is None:
            return None
        exchange.entry.detail = rule.action.value
        project = self.projects.by_name.get(subject.project)
        if project is not None:
            problem = fault_error(rule, subject.model, project.spec.tier, "", 0.5)
            if problem is not None:
                raise problem
        if rule.action is Action.HANG:
            await exchange.body()
            exchange.entry.outcome = "hung"
            if rule.seconds <= 0:
                await exchange.pause_for_ever()
            await exchange.pause(rule.seconds)
            raise ApiError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
        if rule.action is Action.SLOW:
            await self.clock.sleep(rule.seconds)
        return rule

    @staticmethod
    def _cuts(rule: Rule | None) -> bool:
        return rule is not None and rule.action in (
            Action.DROP,
            Action.RESET,
            Action.DROP_MID_BODY,
            Action.DROP_MID_STREAM,
        )

    # models

    async def _model_method(self, exchange: Exchange, version: str, model: str, method: str) -> None:
        entry = exchange.entry
        entry.model = model
        entry.kind = "count_tokens" if method == "countTokens" else "generate"
        entry.streamed = method == "streamGenerateContent"
        if method not in ("generateContent", "streamGenerateContent", "countTokens"):
            entry.kind = "other"
            raise _no_such_path()
        project = self._caller(exchange)
        if method == "countTokens":
            rule = await self._fault(exchange, Subject("count_tokens", project.name, model))
            if self._cuts(rule):
                await exchange.cut()
                return
            await self.generator.count_tokens(exchange, project, version, model)
            return
        sse = exchange.request.query_params.get("alt") == "sse"
        await self.generator.generate(exchange, project, version, model, streamed=entry.streamed, sse=sse)

    async def _models(self, exchange: Exchange, version: str, name: str | None) -> None:
        exchange.entry.kind = "get_model" if name else "list_models"
        self._caller(exchange)
        now = self.clock.wall()
        if name:
            exchange.entry.model = name
            await exchange.json(models.resource(self.models.find(name, version, now, "generateContent")))
            return
        listed = [models.resource(spec) for spec in self.models.listed(version, now)]
        await exchange.json(self._page(exchange, listed, "models", 50, 1000))

    @staticmethod
    def _page(exchange: Exchange, items: list[dict[str, Any]], name: str, usual: int, most: int) -> dict[str, Any]:
        query = exchange.request.query_params
        try:
            size = int(query.get("pageSize") or query.get("page_size") or usual)
            start = int(query.get("pageToken") or query.get("page_token") or 0)
        except ValueError:
            raise invalid(detail="page") from None
        size = max(1, min(size, most))
        page: dict[str, Any] = {}
        if items[start : start + size]:
            page[name] = items[start : start + size]
        if start + size < len(items):
            page["nextPageToken"] = str(start + size)
        return page

    # files

    def _base(self, exchange: Exchange) -> str:
        host = exchange.header("host")
        if not host:
            name, port = exchange.request.scope["server"]
            host = f"{name}:{port}"
        return f"http://{host}"

    async def _files(self, exchange: Exchange, file_id: str | None) -> None:
        entry = exchange.entry
        deleting = entry.method == "DELETE"
        entry.kind = "delete_file" if deleting else "get_file" if file_id else "list_files"
        project = self._caller(exchange)
        if deleting and not file_id:
            raise _no_such_path()
        entry.file = f"files/{file_id}" if file_id else ""
        file = self.store.get(entry.file, project.name) if file_id else None
        if file is not None:
            entry.display_name, entry.file_sha256 = file.display_name, file.sha256
        subject = Subject(entry.kind, project.name, display_name=entry.display_name, identity=entry.file)
        if self._cuts(await self._fault(exchange, subject)):
            await exchange.cut()
            return
        now = self.clock.wall()
        rules = self.scenario.files
        if file is None:
            listed = [file.resource(now, self._base(exchange), rules) for file in self.store.listed(project.name)]
            await exchange.json(self._page(exchange, listed, "files", 10, 100))
            return
        if deleting:
            self.store.delete(entry.file, project.name)
            await exchange.json({})
            return
        await exchange.json(file.resource(now, self._base(exchange), rules))

    async def _upload(self, exchange: Exchange) -> None:
        if exchange.entry.method not in ("POST", "PUT"):
            raise _no_such_path()
        commands = {word.strip().lower() for word in exchange.header("x-goog-upload-command").split(",")} - {""}
        upload_id = exchange.request.query_params.get("upload_id")
        if not upload_id:
            exchange.entry.kind = "upload_start"
            if commands != {"start"} or exchange.header("x-goog-upload-protocol").lower() != "resumable":
                raise invalid("Only the resumable upload protocol is emulated.", "upload_protocol")
            await self._upload_start(exchange)
            return
        exchange.entry.kind = "upload_query" if "query" in commands else "upload_bytes"
        await self._upload_go_on(exchange, self.uploads.find(upload_id), commands)

    async def _upload_start(self, exchange: Exchange) -> None:
        project = self._caller(exchange)
        body = wire.parse(await exchange.body(), wire.UPLOAD_START)
        fields = body.get("file") or {}
        declared = exchange.header("x-goog-upload-header-content-length") or fields.get("sizeBytes")
        try:
            size = None if declared in ("", None) else int(declared)
        except (TypeError, ValueError):
            raise invalid(detail="upload_size") from None
        file_name = exchange.header("x-goog-upload-file-name")
        name = str(fields.get("displayName") or file_name)
        exchange.entry.display_name = name
        rule = await self._fault(exchange, Subject("upload_start", project.name, display_name=name, identity=name))
        if self._cuts(rule):
            await exchange.cut(reset=rule is not None and rule.action is Action.RESET)
            return
        mime_type = exchange.header("x-goog-upload-header-content-type")
        upload = self.uploads.start(project.name, fields, size, mime_type, file_name)
        upload.fails = rule is not None and rule.action is Action.FILE_FAILED
        upload.stuck = rule is not None and rule.action is Action.FILE_STUCK
        exchange.entry.file = upload.name
        url = f"{self._base(exchange)}{exchange.request.url.path}?upload_id={upload.id}&upload_protocol=resumable"
        headers = (
            ("X-Goog-Upload-URL", url),
            ("X-Goog-Upload-Control-URL", url),
            ("X-Goog-Upload-Status", "active"),
            ("X-Goog-Upload-Chunk-Granularity", str(self.scenario.files.chunk_granularity)),
        )
        await exchange.answer(b"", 200, "text/plain; charset=utf-8", headers)

    async def _upload_go_on(self, exchange: Exchange, upload: Upload, commands: set[str]) -> None:
        entry = exchange.entry
        entry.project, entry.file, entry.display_name = upload.project, upload.name, upload.display_name
        if "query" in commands or "cancel" in commands:
            await exchange.body()
            if "cancel" in commands:
                self.uploads.cancel(upload)
            await exchange.answer(b"", 200, "text/plain; charset=utf-8", self._upload_headers(upload))
            return
        final = "finalize" in commands
        if not commands or not commands <= {"upload", "finalize"}:
            raise invalid("Unknown upload command.", "upload_command")
        subject = Subject(
            "upload_bytes", upload.project, display_name=upload.display_name, identity=upload.display_name
        )
        rule = await self._fault(exchange, subject)
        try:
            offset = int(exchange.header("x-goog-upload-offset") or upload.received)
        except ValueError:
            raise invalid(detail="upload_offset") from None
        if self._cuts(rule):
            await self._cut_upload(exchange, upload, offset, rule)
            return
        if rule is not None:
            upload.fails = upload.fails or rule.action is Action.FILE_FAILED
            upload.stuck = upload.stuck or rule.action is Action.FILE_STUCK
        try:
            speed = self.scenario.files.bytes_per_s
            await self.uploads.receive(upload, offset, self._chunks(exchange), speed, final)
            file = await self.uploads.finalize(upload) if final else None
        except ApiError as problem:
            await exchange.error(problem, self._upload_headers(upload) if problem.code == 412 else ())
            return
        if file is None:
            await exchange.answer(b"", 200, "text/plain; charset=utf-8", self._upload_headers(upload))
            return
        entry.file_sha256 = file.sha256
        shown = file.resource(self.clock.wall(), self._base(exchange), self.scenario.files)
        await exchange.json({"file": shown}, headers=self._upload_headers(upload))

    async def _cut_upload(self, exchange: Exchange, upload: Upload, offset: int, rule: Rule | None) -> None:
        """Take the first half of the piece, then cut: what arrived can be asked for with `query`."""
        length = int(exchange.header("content-length") or 0)

        async def first_half() -> AsyncIterator[bytes]:
            taken = 0
            async for chunk in self._chunks(exchange):
                yield chunk[: max(0, length // 2 - taken)]
                taken += len(chunk)
                if taken >= length // 2:
                    return

        await self.uploads.receive(upload, offset, first_half(), 0.0, final=True)
        await exchange.cut(reset=rule is not None and rule.action is Action.RESET)

    @staticmethod
    async def _chunks(exchange: Exchange) -> AsyncIterator[bytes]:
        try:
            async for chunk in exchange.request.stream():
                yield chunk
        except ClientDisconnect:
            raise ClientGone from None

    @staticmethod
    def _upload_headers(upload: Upload) -> tuple[tuple[str, str], ...]:
        return (
            ("X-Goog-Upload-Status", upload.status),
            ("X-Goog-Upload-Size-Received", str(upload.received)),
        )


__all__ = ["Emulator", "LogEntry"]
