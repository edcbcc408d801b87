"""What the scheduler does about a failure: one handler per kind, so that rotation never uses up a job's attempts."""

from __future__ import annotations

from collections.abc import Callable

from gsvr_tui.core.board import Entry
from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import JobState, Now, Reason, Step
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import ForgetFile, StepFailed

SPEND_REST_S = 600.0
MINUTE_REST_S = 60.0
FILE_WAIT_S = 5.0
MOST_REUPLOADS = 3
MOST_UNKNOWN_OUTCOMES = 6
"""Requests of one job whose outcome stayed unknown: each may have been paid."""
MOST_ALONE = 6
"""Server errors of one job in a row while others went through: then it is the job."""
INTERNAL = 500
MOST_REPLANS = 2
RETRY_FIRST_S = 2.0
RETRY_LONGEST_S = 60.0
UNKNOWN_WAIT_S = 5.0


class FailurePolicy:
    """Applies failures to the scheduler's parts."""

    def __init__(self, state: SchedulerState, max_attempts: int) -> None:
        self._s = state
        self._random = state.random
        self._max_attempts = max_attempts

    # ---------------------------------------------------------------- entry points

    def failed(self, event: StepFailed, now: Now) -> None:
        """A step of a job did not work."""
        project, account, model = self._settle(event, now)
        if event.failure.http_status is not None:
            self._s.network.succeed()  # a refusal is an answer: the line is fine
        self._pool(event, project, account, model, now)
        entry = self._s.board.entries.get(event.job)
        if entry is None or entry.state.final:
            return
        if event.failure.kind is FailureKind.REUPLOAD:
            self._reupload(entry, event, project, now)
            return
        handlers: dict[FailureKind, Callable[[Entry, Failure, Now], None]] = {
            FailureKind.WAIT_FILE: self._wait_file,
            FailureKind.ITEM: self._item,
            FailureKind.ITEM_RETRY: self._item_retry,
            FailureKind.BACKOFF_MODEL: self._overload,
            FailureKind.RETRY: self._retry,
            FailureKind.STOP_ALL: self._again,
            FailureKind.BUG: self._item,
            FailureKind.MODEL_UNKNOWN: self._unknown_model,
        }
        if event.failure.maybe_paid:
            entry.unknown_outcomes += 1
            if entry.unknown_outcomes >= MOST_UNKNOWN_OUTCOMES:
                self._item(entry, event.failure, now)
                return
        handlers.get(event.failure.kind, self._again)(entry, event.failure, now)

    def rejected(self, entry: Entry, reason: Reason | None, now: Now) -> None:
        """The gate turned the report down: ask again while there are attempts, else fail with its findings."""
        entry.attempts += 1
        if entry.attempts >= self._max_attempts:
            self._s.board.end(entry, JobState.FAILED, reason)
            return
        self._s.forget_answers(entry)
        self._s.board.touch(entry)

    def too_big(self, entry: Entry) -> None:
        """A limit learned meanwhile is below the planned request: plan anew with smaller ones, unless that is done.

        Not to be called while a request of the job is out: its answer would be taken for one of the new plan.
        """
        if entry.replans >= MOST_REPLANS or any(need.answered for need in entry.segments):
            reason = Reason(
                "LIMIT_TOO_SMALL",
                "every project's tokens a minute are fewer than one request of this video needs",
                "use a project with a higher limit, then r queues it again",
            )
            self._s.board.end(entry, JobState.FAILED, reason)
            return
        entry.replans += 1
        entry.segments, entry.step, entry.project = (), Step.PROBE, ""
        self._s.board.touch(entry)

    def account_refused(self, name: str, failure: Failure) -> None:
        """A check of an account ended with a verdict over its key or project."""
        account = self._s.pool.get(name)
        if account is None:
            return
        if failure.kind is FailureKind.DEAD_PROJECT:
            self._s.pool.kill_project(account.project, failure.message, failure.advice)
        elif failure.kind is FailureKind.DEAD_KEY:
            self._s.pool.kill_key(name, failure.message, failure.advice)

    # ---------------------------------------------------------------- settling

    def _settle(self, event: StepFailed, now: Now) -> tuple[str, str, str]:
        """Bring ledger, money and lanes in order; returns project, account and model of the step."""
        state = self._s
        if event.step is Step.GENERATE:
            flight = state.landed(event.request)
            if flight is None:
                return "", "", ""
            if not event.sent:
                state.ledger.release(event.request, now)
            elif event.tokens_in is not None:
                state.ledger.settle(event.request, event.tokens_in, now)
            elif event.failure.maybe_paid:
                state.ledger.settle(event.request, None, now)
            elif event.failure.http_status is None and event.failure.scope is Scope.MACHINE:
                state.ledger.release(event.request, now)
            else:
                state.ledger.refuse(event.request, now)
            unknown = event.failure.maybe_paid and not event.cost_usd
            state.money.settle(event.request, None if unknown else event.cost_usd)
            state.forget_probe(event.request, flight.model)
            return flight.project, flight.account, flight.model
        entry = state.board.entries.get(event.job)
        project, account, model = (entry.project, entry.uploader, entry.models[0]) if entry else ("", "", "")
        if entry is not None and event.step is Step.UPLOAD:
            state.pool.ended(account)
            if event.failure.kind is not FailureKind.REUPLOAD:
                entry.project = ""
        state.forget_probe(event.job)
        state.ended(event.job, event.step)
        return project, account, model

    def _pool(self, event: StepFailed, project: str, account: str, model: str, now: Now) -> None:
        """What the failure says about quota, keys, projects, models and the machine."""
        failure = event.failure
        ledger, pool, kind = self._s.ledger, self._s.pool, failure.kind
        jitter = self._random.random()
        if project and failure.violations:
            ledger.learn(project, model, failure.violations, now)
        if kind is FailureKind.REST_MINUTE and project:
            wait = (failure.retry_after_s or MINUTE_REST_S) + jitter
            ledger.rest(project, model, wait, failure.message, now)
        elif kind is FailureKind.REST_DAY and project:
            ledger.rest_until_midnight(project, model, 60 + 120 * jitter, failure.message, now)
        elif kind is FailureKind.REST_SPEND and project:
            ledger.rest(project, model, failure.retry_after_s or SPEND_REST_S, failure.message, now)
            ledger.rest_project(project, failure.retry_after_s or SPEND_REST_S, failure.message, now)
        elif kind is FailureKind.NO_ACCESS and project:
            ledger.deny(project, model, now)
        elif kind is FailureKind.MODEL_UNKNOWN and model:
            self._s.dead_models[model] = failure.message
        elif kind is FailureKind.DEAD_KEY:
            pool.kill_key(account, failure.message, failure.advice)
        elif kind is FailureKind.DEAD_PROJECT:
            pool.kill_project(project, failure.message, failure.advice)
        elif kind is FailureKind.BACKOFF_MODEL and model and event.step is Step.GENERATE:
            self._s.breaker(model).trip(now.mono, jitter, failure.message)
        elif kind is FailureKind.STOP_ALL or (kind is FailureKind.RETRY and failure.scope is Scope.MACHINE):
            self._s.network.trip(now.mono, jitter, failure.message)

    # ---------------------------------------------------------------- the job

    def _again(self, entry: Entry, failure: Failure, now: Now) -> None:
        """Not the job's fault: back into its queue; where and when it goes on is the ledger's and the pool's to say."""
        if entry.project and entry.busy is None and not self._s.pool.project_usable(entry.project):
            entry.project, entry.step = "", Step.UPLOAD
        self._s.board.touch(entry)

    def _reupload(self, entry: Entry, event: StepFailed, project: str, now: Now) -> None:
        """The project's copy is gone. Several segments may find that out of one and the same copy."""
        if event.step is Step.UPLOAD or project in entry.file_projects:
            self._s.extra.append(ForgetFile(entry.job, project))
            entry.file_projects -= {project}
            entry.reuploads += 1
        if entry.reuploads > MOST_REUPLOADS:
            self._item(entry, event.failure, now)
            return
        if entry.project == project and entry.busy is None:
            entry.project, entry.step = "", Step.UPLOAD
        self._s.board.touch(entry)

    def _wait_file(self, entry: Entry, failure: Failure, now: Now) -> None:
        self._wait(entry, failure.retry_after_s or FILE_WAIT_S, failure, now)

    def _item(self, entry: Entry, failure: Failure, now: Now) -> None:
        self._s.board.end(entry, JobState.FAILED, Reason(failure.code, failure.message, failure.advice))

    def _item_retry(self, entry: Entry, failure: Failure, now: Now) -> None:
        entry.attempts += 1
        if entry.attempts >= self._max_attempts:
            self._item(entry, failure, now)
        else:
            self._wait(entry, self._backoff(entry.attempts), failure, now)

    def _overload(self, entry: Entry, failure: Failure, now: Now) -> None:
        """The model's breaker says when to ask again; an upload, which has none, waits by itself."""
        if entry.step is not Step.GENERATE:
            self._retry(entry, failure, now)
        elif self._alone(entry, internal=failure.http_status == INTERNAL):
            self._item(entry, failure, now)
        else:
            self._s.board.touch(entry)

    def _retry(self, entry: Entry, failure: Failure, now: Now) -> None:
        if self._alone(entry):
            self._item(entry, failure, now)
            return
        entry.trouble += 1
        seconds = self._backoff(entry.trouble)
        self._wait(entry, seconds + (UNKNOWN_WAIT_S if failure.maybe_paid else 0.0), failure, now)

    def _alone(self, entry: Entry, *, internal: bool = False) -> bool:
        """True when others go through and only this job fails, again and again.

        An internal error counts also when there is no other: an overload passes, a video that breaks the service does
        not.
        """
        breaker = self._s.breaker(entry.model or entry.models[0])
        if internal or breaker.successes > entry.successes_seen:
            entry.successes_seen = breaker.successes
            entry.alone += 1
        return entry.alone > MOST_ALONE

    def _unknown_model(self, entry: Entry, failure: Failure, now: Now) -> None:
        if all(model in self._s.dead_models for model in entry.models):
            self._item(entry, failure, now)
        else:
            self._again(entry, failure, now)

    def _backoff(self, count: int) -> float:
        """Full jitter over an exponential bound, in seconds."""
        bound = min(RETRY_LONGEST_S, RETRY_FIRST_S * 2.0 ** min(count, 10))
        return bound * (0.1 + 0.9 * self._random.random())

    def _wait(self, entry: Entry, seconds: float, failure: Failure, now: Now) -> None:
        reason = Reason(failure.code, failure.message, failure.advice)
        self._s.board.wait(entry, now.mono + seconds, now.wall + seconds, reason)
