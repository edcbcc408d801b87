"""Send a paid request: intent on disk, send, answer on disk, then everything else.

What is not known stays spent: a request that broke off after it left keeps its reservation in quota and money.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from gsvr_tui.core.failure import Failure
from gsvr_tui.core.models import Account, Job, Now, RequestState, Segment, Step, Usage
from gsvr_tui.core.scheduling import Answered, Interrupted, RequestSent, SendRequest, StepFailed
from gsvr_tui.gemini.answers import answer_failure
from gsvr_tui.gemini.errors import GeminiFailure
from gsvr_tui.gemini.types import Answer, GenerateRequest, thinking_for
from gsvr_tui.report.prompt import Prompt
from gsvr_tui.service.context import Context
from gsvr_tui.service.probe_step import adopt
from gsvr_tui.service.prompts import prompt_for, work_key
from gsvr_tui.service.spare_answers import adopt_spare
from gsvr_tui.store.answers import AnswerHeader
from gsvr_tui.store.codec import UsageDay
from gsvr_tui.store.status import Durability

LONGEST_ANSWER_S = 900.0
"""The service goes on computing and charging after we hang up, so the limit is generous."""
LONGEST_RECORDING_S = 10.0
THINKING = "low"

Outcome = Answered | StepFailed | Interrupted


async def _to_the_end(recording: Coroutine[Any, Any, Outcome]) -> Outcome:
    """What the service said is put on disk and counted also when the step is broken off meanwhile.

    A disk that takes nothing does not hold up the end: after a while, or at a second try to break off, it is left.
    """
    task = asyncio.create_task(recording)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=LONGEST_RECORDING_S)
        if task.done() and not task.cancelled():
            return task.result()
        raise


class GenerateStep:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, action: SendRequest, account: Account) -> Outcome:
        """The step for one request. Never raises for what the service or the line does."""
        context = self._context
        job = context.desk.store.job(action.job)
        segments = context.desk.store.segments(action.job)
        batch = context.desk.batch_of(job)
        segment = segments[action.segment]
        _, prompt = prompt_for(
            context.templates, batch, job, segment.start_s, segment.end_s, segment.index, len(segments)
        )
        key = work_key(job, segment, action.model, prompt)
        try:
            async with self._locks[key]:
                taken = adopt(context, replace(segment, work_key=key))
                if taken.request_state is not RequestState.ANSWERED:
                    taken = await context.in_thread(adopt_spare, context.desk.store, taken)
                if taken.request_state is RequestState.ANSWERED:
                    return await self._reuse(action, taken)
                return await _Request(context, action, account, job, replace(segment, work_key=key), prompt).run()
        except asyncio.CancelledError:
            return Interrupted(action.job, Step.GENERATE, action.request)
        finally:
            if not self._locks[key].locked():
                self._locks.pop(key, None)

    async def _reuse(self, action: SendRequest, segment: Segment) -> Answered:
        transaction = self._context.desk.store.begin()
        transaction.put_segment(segment)
        await transaction.commit(Durability.DURABLE)
        self._context.desk.note(action.job, "the same work was paid for already: answer reused, no cost")
        return Answered(action.job, action.request, 0, 0.0, 0.0, reused=True)


class _Request:
    """One paid request from intent to outcome."""

    def __init__(
        self, context: Context, action: SendRequest, account: Account, job: Job, segment: Segment, prompt: Prompt
    ) -> None:
        self._context = context
        self._action = action
        self._account = account
        self._job = job
        self._prompt = prompt
        self._sent_mono: float | None = None
        self._intent = replace(
            segment,
            request_id=action.request,
            request_state=RequestState.OPEN,
            account=account.name,
            project=account.project,
            model=action.model,
            reserved_usd=action.usd,
            cost_usd=0.0,
            usage=None,
            sent_at=context.clock.now().wall,
        )

    async def run(self) -> Outcome:
        try:
            return await self._ask()
        except asyncio.CancelledError:
            return Interrupted(self._action.job, Step.GENERATE, self._action.request, sent=self._sent_mono is not None)

    async def _ask(self) -> Outcome:
        context, action = self._context, self._action
        file = context.files.known(self._account.project, self._job.content_hash)
        if file is None:
            return StepFailed(action.job, Step.GENERATE, context.files.gone(), action.request, sent=False)
        try:
            async with context.gateways.use(self._account) as gateway:
                await self._write_intent()
                context.desk.note(action.job, f"asked {action.model} (account {self._account.name})")
                answer = await gateway.generate(
                    self._generate_request(file.uri, file.mime_type),
                    on_sent=self._left,
                    on_text=lambda text: context.on_text(action.job, text),
                    timeout_s=LONGEST_ANSWER_S,
                )
        except GeminiFailure as problem:
            return await _to_the_end(self._failed(problem.failure))
        except asyncio.CancelledError:
            self._broke_off()
            raise
        return await _to_the_end(self._answered(answer))

    def _generate_request(self, uri: str, mime_type: str) -> GenerateRequest:
        info = self._context.catalogue.get(self._action.model)
        # unset, newer models think at length, and thinking is billed as output
        level, budget = thinking_for(info, THINKING) if info else ("", None)
        segment = self._intent
        return GenerateRequest(
            model=self._action.model,
            file_uri=uri,
            mime_type=mime_type,
            start_s=None if segment.whole else segment.start_s,
            end_s=None if segment.whole else segment.end_s,
            prompt=self._prompt.text,
            system=self._prompt.system,
            schema=self._prompt.schema,
            max_output_tokens=info.output_tokens if info else None,
            thinking_level=level,
            thinking_budget=budget,
        )

    def _left(self) -> None:
        if self._sent_mono is None:
            self._sent_mono = self._context.clock.now().mono
            self._context.feed(RequestSent(self._action.request))

    async def _write_intent(self) -> None:
        transaction = self._context.desk.store.begin()
        transaction.put_segment(self._intent)
        transaction.put_usage(self._usage(requests=1))
        await transaction.commit(Durability.DURABLE)

    def _usage(self, **counts: Any) -> UsageDay:
        """One more of something for this account; see UsageBook.add."""
        now = self._context.clock.now()
        return self._context.usage.add(
            self._account.project, self._action.model, now, account=self._account.name, **counts
        )

    # ---------------------------------------------------------------- outcomes

    async def _answered(self, answer: Answer) -> Outcome:
        """Answer file first; only then is it looked at."""
        context, action = self._context, self._action
        now = context.clock.now()
        header = AnswerHeader(
            request_id=action.request,
            job_id=action.job,
            segment=action.segment,
            work_key=self._intent.work_key,
            model=action.model,
            project=self._account.project,
            account=self._account.name,
            asked_at=self._intent.sent_at or now.wall,
            answered_at=now.wall,
        )
        await context.recorded(context.desk.store.answers.write, header, answer.raw)
        failure = answer_failure(answer)
        cost = self._price(answer.usage, now)
        state = RequestState.ANSWERED if failure is None else RequestState.FAILED
        if failure is not None and failure.maybe_paid:  # it broke off, and so did the count of its tokens
            cost, state = max(cost, self._intent.reserved_usd), RequestState.UNKNOWN
        seconds = now.mono - (self._sent_mono if self._sent_mono is not None else now.mono)
        ended = {"answered": 1, "seconds": seconds} if failure is None else {"failed": 1}
        await self._close(state, answer.usage, cost, **ended)
        if failure is not None:
            context.desk.note(action.job, f"answer no good: {failure.message}", "warning")
            return StepFailed(
                action.job,
                Step.GENERATE,
                failure,
                action.request,
                cost_usd=cost,
                tokens_in=answer.usage.total_in or (None if failure.maybe_paid else 0),
            )
        context.desk.note(action.job, f"answered in {seconds:.1f} s, {answer.usage.total_in:,} tokens in")
        return Answered(action.job, action.request, answer.usage.total_in, cost, seconds)

    async def _failed(self, failure: Failure) -> StepFailed:
        unknown = failure.maybe_paid
        sent = self._sent_mono is not None or failure.http_status is not None
        if failure.http_status == 429 and self._sent_mono is not None:
            self._context.on_refusal(self._context.clock.now().mono - self._sent_mono)
        if self._intent_written():
            cost = self._intent.reserved_usd if unknown else 0.0
            await self._close(
                RequestState.UNKNOWN if unknown else RequestState.FAILED,
                None,
                cost,
                requests=0 if sent else -1,
                rejected=int(failure.http_status == 429),
                failed=int(sent and failure.http_status != 429),
            )
        self._context.desk.note(self._action.job, f"request: {failure.message}", "warning")
        return StepFailed(
            self._action.job,
            Step.GENERATE,
            failure,
            self._action.request,
            cost_usd=None if unknown else 0.0,
            sent=sent,
        )

    def _intent_written(self) -> bool:
        stored = self._context.desk.store.segments(self._action.job)
        return any(item.request_id == self._action.request for item in stored)

    async def _close(self, state: RequestState, usage: Usage | None, cost: float, **counts: Any) -> None:
        self._record(state, usage, cost, **counts)
        await self._ticket

    def _broke_off(self) -> None:
        """We are being stopped: record what is known without waiting."""
        if self._intent_written():
            sent = self._sent_mono is not None
            cost = self._intent.reserved_usd if sent else 0.0
            state = RequestState.UNKNOWN if sent else RequestState.FAILED
            self._record(state, None, cost, requests=0 if sent else -1)

    def _record(self, state: RequestState, usage: Usage | None, cost: float, **counts: Any) -> None:
        context, action = self._context, self._action
        transaction = context.desk.store.begin()
        transaction.put_segment(replace(self._intent, request_state=state, usage=usage, cost_usd=cost))
        job = context.desk.store.job(action.job)
        tokens_in, tokens_out = (usage.total_in, usage.total_out) if usage else (0, 0)
        context.desk.patch(
            action.job,
            transaction,
            cost_usd=job.cost_usd + cost,
            tokens_in=job.tokens_in + tokens_in,
            tokens_out=job.tokens_out + tokens_out,
        )
        transaction.put_usage(self._usage(tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost, **counts))
        self._ticket = transaction.commit(Durability.DURABLE)

    def _price(self, usage: Usage, now: Now) -> float:
        if self._account.tier == "free":
            return 0.0
        return self._context.catalogue.cost_usd(
            self._action.model,
            tokens_in=usage.total_in,
            tokens_out=usage.total_out,
            cached=usage.cached,
            audio_in=usage.audio,
            wall=now.wall,
        )
