"""`generateContent`, `streamGenerateContent` and `countTokens`: quota, faults, latency, answer."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from gsvr_tui.emulator import errors, wire
from gsvr_tui.emulator.call import Call, Reader
from gsvr_tui.emulator.clock import Clock, timestamp
from gsvr_tui.emulator.errors import ApiError
from gsvr_tui.emulator.exchange import Exchange
from gsvr_tui.emulator.faults import Faults, Subject, draw
from gsvr_tui.emulator.limits import Breach
from gsvr_tui.emulator.models import ModelList
from gsvr_tui.emulator.projects import Project
from gsvr_tui.emulator.reply import Reply, make_reply
from gsvr_tui.emulator.scenario import Action, Latency, Rule, Scenario, Tier

_CACHE_S = 300.0
_CACHE_LEAST = 4096
_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def fault_error(rule: Rule, model: str, tier: Tier, file: str, jitter: float) -> ApiError | None:
    """The error answer that a rule stands for, or None when it does something else."""

    def quota(breach: Breach) -> ApiError:
        return errors.quota_error([breach], model=model, tier=tier, jitter=jitter)

    makers: dict[Action, Callable[[], ApiError]] = {
        Action.ERROR_500: lambda: ApiError(
            500,
            "INTERNAL",
            "An internal error has occurred. Please retry or report in "
            "https://developers.generativeai.google/guide/troubleshooting",
        ),
        Action.ERROR_502_HTML: lambda: ApiError(502, "UNAVAILABLE", "", raw=errors.BAD_GATEWAY_HTML),
        Action.ERROR_503: lambda: ApiError(
            503,
            "UNAVAILABLE",
            "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try "
            "again later.",
        ),
        Action.ERROR_503_OLD: lambda: ApiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        Action.ERROR_504: lambda: ApiError(
            504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."
        ),
        Action.ERROR_499: lambda: ApiError(499, "CANCELLED", "The operation was cancelled."),
        Action.ERROR_400_ARGUMENT: errors.invalid,
        Action.ERROR_400_LOCATION: lambda: ApiError(
            400, "FAILED_PRECONDITION", "User location is not supported for the API use."
        ),
        Action.ERROR_400_TOKENS: lambda: errors.too_many_tokens(1_075_988, 1_048_576),
        Action.ERROR_403_CALLER: lambda: ApiError(403, "PERMISSION_DENIED", "The caller does not have permission"),
        Action.ERROR_403_FILE: lambda: errors.file_denied(file or "files/unknown"),
        Action.ERROR_404_ENTITY: lambda: ApiError(404, "NOT_FOUND", "Requested entity was not found."),
        Action.ERROR_404_NEW_USERS: lambda: errors.model_new_users(model, "gemini-3.6-flash"),
        Action.ERROR_429_MINUTE: lambda: quota(Breach("rpm", 5, rule.seconds or 38.0)),
        Action.ERROR_429_DAY: lambda: quota(Breach("rpd", 20, rule.seconds or 38.0)),
        Action.ERROR_429_BARE: errors.bare_quota,
        Action.ERROR_429_SPEND: errors.spend_limit,
        Action.ERROR_429_CREDITS: errors.credits_depleted,
        Action.ERROR_403_SPLITTING: errors.quota_splitting,
        Action.ERROR_429_HTML: lambda: ApiError(
            429, "RESOURCE_EXHAUSTED", "", outcome="rejected", raw=errors.AUTOMATED_HTML
        ),
        Action.ERROR_IN_LIST: lambda: ApiError(
            503, "UNAVAILABLE", "The service is currently unavailable.", in_list=True
        ),
        Action.HTTP: lambda: ApiError(rule.code, rule.status, rule.message, raw=rule.body),
    }
    maker = makers.get(rule.action)
    problem = maker() if maker else None
    if problem is not None:
        problem.detail = f"{rule.action.value}" if not problem.detail else f"{rule.action.value}:{problem.detail}"
    return problem


@dataclass(frozen=True, slots=True)
class _Asked:
    exchange: Exchange
    project: Project
    call: Call
    streamed: bool
    sse: bool


class Generator:
    """Answers the model methods."""

    def __init__(
        self, scenario: Scenario, models: ModelList, reader: Reader, faults: Faults, clock: Clock, seed: int
    ) -> None:
        self._scenario = scenario
        self._models = models
        self._reader = reader
        self._faults = faults
        self._clock = clock
        self._seed = seed
        self._random = Random(seed)  # noqa: S311 - ids and odd seconds of an emulator
        self._cache: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def count_tokens(self, exchange: Exchange, project: Project, version: str, model: str) -> None:
        """`models/{model}:countTokens`."""
        body = wire.parse(await exchange.body(), wire.COUNT_TOKENS[version])
        spec = self._models.find(model, version, self._clock.wall(), "countTokens")
        tokens = await self._reader.count(body, spec, project.name)
        exchange.entry.prompt_tokens = tokens.prompt
        exchange.entry.outcome = "answered"
        await exchange.json({"totalTokens": tokens.prompt, "promptTokensDetails": tokens.details()})

    async def generate(
        self, exchange: Exchange, project: Project, version: str, model: str, *, streamed: bool, sse: bool
    ) -> None:
        """`models/{model}:generateContent` and `:streamGenerateContent`."""
        body = wire.parse(await exchange.body(), wire.GENERATE[version])
        method = "streamGenerateContent" if streamed else "generateContent"
        spec = self._models.find(model, version, self._clock.wall(), method)
        call = await self._reader.read(body, model, spec, project.name, version)
        self._note(exchange, call)
        now = self._clock.wall()
        project.admit(model, call.tokens.prompt, now, self._random)
        exchange.entry.counted_at = now
        subject = Subject(
            kind="generate",
            project=project.name,
            model=model,
            display_name=call.file.display_name if call.file else "",
            streamed=streamed,
            identity=call.identity,
        )
        rule = self._faults.pick(subject, now)
        asked = _Asked(exchange, project, call, streamed, sse)
        if rule is not None:
            exchange.entry.detail = rule.action.value
            if await self._instead(asked, rule):
                return
        await self._answer(asked, rule.action if rule else None)

    @staticmethod
    def _note(exchange: Exchange, call: Call) -> None:
        entry = exchange.entry
        entry.model_version = call.spec.name
        entry.file = call.file.name if call.file else ""
        entry.display_name = call.file.display_name if call.file else ""
        entry.file_sha256 = call.source
        entry.prompt_hash = call.prompt_hash
        entry.start_offset_s, entry.end_offset_s = call.start_offset_s, call.end_offset_s
        entry.prompt_tokens = call.tokens.prompt

    async def _instead(self, asked: _Asked, rule: Rule) -> bool:
        """Do what the rule wants in place of an answer; False when an answer is still due."""
        exchange, call = asked.exchange, asked.call
        file = call.file.name if call.file else ""
        problem = fault_error(rule, call.model, asked.project.spec.tier, file, self._random.random())
        if rule.action is Action.SSE_ERROR and not asked.streamed:
            problem = fault_error(Rule(Action.ERROR_503), call.model, asked.project.spec.tier, file, 0.0)
        if problem is not None:
            if not self._scenario.count_failed and problem.code >= 500:
                now = self._clock.wall()
                asked.project.book(call.model, now).refund(now, call.tokens.prompt)
                exchange.entry.counted_at = None
            raise problem
        if rule.action is Action.HANG:
            exchange.entry.outcome = "hung"
            if rule.seconds <= 0:
                await exchange.pause_for_ever()
            await exchange.pause(rule.seconds)
            raise ApiError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
        if rule.action in (Action.DROP, Action.RESET):
            await exchange.cut(reset=rule.action is Action.RESET)
            return True
        if rule.action is Action.SLOW:
            await exchange.pause(rule.seconds)
        if rule.action is Action.HTML:
            await exchange.answer(errors.AUTOMATED_HTML.encode(), 200, "text/html; charset=UTF-8")
            return True
        return False

    def _latency(self, call: Call) -> float:
        latency: Latency = self._scenario.latency
        usual = latency.base_s + latency.per_minute_s * call.scene.seconds / 60
        spread = draw(self._seed, "latency", call.identity, self._random.getrandbits(32)) * 2 - 1
        return max(0.0, usual * (1 + latency.spread * spread))

    def _cached(self, asked: _Asked, now: float) -> int:
        """Tokens of the video that were seen a moment ago on this project and model."""
        call = asked.call
        if not self._scenario.implicit_cache or not call.source:
            return 0
        key = (asked.project.name, call.model, f"{call.source}|{call.start_offset_s}|{call.end_offset_s}")
        last = self._cache.pop(key, None)
        self._cache[key] = now
        while len(self._cache) > 1000:
            self._cache.popitem(last=False)
        seen = call.tokens.video + call.tokens.audio
        return seen if last is not None and now - last <= _CACHE_S and seen >= _CACHE_LEAST else 0

    async def _answer(self, asked: _Asked, action: Action | None) -> None:
        exchange, call = asked.exchange, asked.call
        now = self._clock.wall()
        response_id = "".join(self._random.choice(_ID) for _ in range(22))
        reply = make_reply(call, action, response_id, timestamp(now), self._cached(asked, now))
        entry = exchange.entry
        entry.response_id = response_id
        entry.output_tokens, entry.thought_tokens = reply.output_tokens, reply.thought_tokens
        wait = self._latency(call)
        if asked.streamed:
            await self._stream(asked, reply, action, wait)
        else:
            await exchange.pause(wait)
            await self._whole(exchange, reply, action)

    @staticmethod
    async def _whole(exchange: Exchange, reply: Reply, action: Action | None) -> None:
        data = json.dumps(reply.whole(), ensure_ascii=False, indent=2).encode()
        if action is Action.NOT_JSON:
            data = data[: len(data) // 2]
        if action in (Action.DROP_MID_BODY, Action.DROP_MID_STREAM):
            await exchange.start(200, "application/json; charset=UTF-8", (("content-length", str(len(data))),))
            await exchange.write(data[: len(data) // 2])
            await exchange.cut()
            return
        await exchange.answer(data)

    async def _stream(self, asked: _Asked, reply: Reply, action: Action | None, wait: float) -> None:
        exchange = asked.exchange
        blocks = list(reply.blocks())
        if action in (Action.DROP_MID_BODY, Action.DROP_MID_STREAM, Action.SSE_ERROR):
            blocks = blocks[: max(1, len(blocks) // 2)]
        first, step = wait * 0.4, wait * 0.6 / max(1, len(blocks))
        await exchange.pause(first)
        before, after = (b"data: ", b"\r\n\r\n") if asked.sse else (b"", b"")
        await exchange.start(200, "text/event-stream" if asked.sse else "application/json; charset=UTF-8")
        for index, block in enumerate(blocks):
            await exchange.pause(step)
            data = json.dumps(block, ensure_ascii=False).encode()
            if not asked.sse:
                before = b"[" if index == 0 else b",\r\n"
            if action is Action.NOT_JSON and index == len(blocks) - 1:
                data = data[: len(data) // 2]
            await exchange.write(before + data + after)
        if action is Action.DROP_MID_BODY:
            await exchange.write(b'data: {"candidates": [{"content": {"par')
        if action in (Action.DROP_MID_BODY, Action.DROP_MID_STREAM):
            await exchange.cut()
            return
        if action is Action.SSE_ERROR:
            problem = fault_error(Rule(Action.ERROR_503), asked.call.model, Tier.FREE, "", 0.0)
            if problem is not None:
                await exchange.write(before + json.dumps(problem.as_object()).encode() + after)
        await exchange.write(b"" if asked.sse else b"]", more=False)
