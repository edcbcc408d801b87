"""Peers as policies over plain HTTP: what they do about an answer is theirs, the line is the same for all.

`gemini-balance` and `gpt-load` are not those programs but the rules of them, written down from what they do: rotate the
keys and try the next one at once; and switch a key off after three errors. All send the video inside the request, which
spares them the upload, so that every further attempt moves it again.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator

import httpx2
import tenacity

from bench.balance.contestants.common import PROMPT, Tally, Task, receive, run, video_base64, work_off

WORKERS_A_PROJECT = 5
BALANCE_RETRIES = 3  # gemini-balance: MAX_RETRIES
BALANCE_FAILURES = 10  # … and MAX_FAILURES, then the key is left out …
BALANCE_RECHECK_S = 3600.0  # … until it is looked at again
BALANCE_PAUSE_S = 1.0  # of our own around it, before a job that failed is handed in again
LOAD_RETRIES = 3  # gpt-load: max_retries
LOAD_BLACKLIST = 3  # … blacklist_threshold
LOAD_RECHECK_S = 3600.0  # … key_validation_interval_minutes


class Refused(Exception):
    """Anything but a good answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Line:
    """Asks the model with one key."""

    def __init__(self, task: Task, tally: Tally, client: httpx2.AsyncClient) -> None:
        self._url = f"{task.base_url}/v1beta/models/{task.model}:generateContent"
        self._tally = tally
        self._client = client

    async def ask(self, key: str, video: str) -> None:
        """One attempt. Raises Refused."""
        data = {"mimeType": "video/mp4", "data": video_base64(video)}
        body = {"contents": [{"role": "user", "parts": [{"inlineData": data}, {"text": PROMPT}]}]}
        try:
            response = await self._client.post(self._url, headers={"x-goog-api-key": key}, json=body)
        except httpx2.TransportError:
            self._tally.exceptions += 1
            raise Refused(0) from None
        if response.status_code != 200:
            self._tally.exceptions += 1
            raise Refused(response.status_code)


Job = Callable[[str], Awaitable[bool]]


def round_robin_tenacity(task: Task, line: Line) -> Job:
    """The next key for every attempt; waits grow from 1 s to 60 s, twenty attempts."""
    keys = itertools.cycle(key for _, key in task.keys)

    async def do(video: str) -> bool:
        retrying = tenacity.AsyncRetrying(
            wait=tenacity.wait_random_exponential(multiplier=1, max=60),
            stop=tenacity.stop_after_attempt(20),
            retry=tenacity.retry_if_exception_type(Refused),
            sleep=task.sleep,
        )
        async for attempt in retrying:
            with attempt:
                await line.ask(next(keys), video)
        return True

    return _undone_when_it_raises(do)


def _undone_when_it_raises(do: Job) -> Job:
    async def guarded(video: str) -> bool:
        try:
            return await do(video)
        except (Refused, tenacity.RetryError):
            return False

    return guarded


class _Ring:
    """Keys in turn; one that failed too often is left out for a while."""

    def __init__(self, task: Task, most: int, recheck_s: float, *, never_empty: bool) -> None:
        self._task = task
        self._never_empty = never_empty
        self._keys = [key for _, key in task.keys]
        self._most = most
        self._recheck_s = recheck_s
        self._failures = dict.fromkeys(self._keys, 0)
        self._off_since: dict[str, float] = {}
        self._turn: Iterator[str] = itertools.cycle(self._keys)

    def next(self) -> str | None:
        """The next usable key; when all are off, None, or the next all the same."""
        now = self._task.mono()
        for _ in self._keys:
            key = next(self._turn)
            since = self._off_since.get(key)
            if since is not None and now - since >= self._recheck_s:
                del self._off_since[key]
                self._failures[key] = 0
                since = None
            if since is None:
                return key
        return next(self._turn) if self._never_empty else None

    def worked(self, key: str) -> None:
        """Its count starts anew."""
        self._failures[key] = 0

    def failed(self, key: str) -> None:
        """One more in a row."""
        self._failures[key] += 1
        if self._failures[key] >= self._most:
            self._off_since.setdefault(key, self._task.mono())


def _rotating(task: Task, line: Line, ring: _Ring, retries: int) -> Job:
    async def do(video: str) -> bool:
        for _ in range(1 + retries):
            key = ring.next()
            if key is None:
                return False
            try:
                await line.ask(key, video)
            except Refused:
                ring.failed(key)
            else:
                ring.worked(key)
                return True
        return False

    return do


def gemini_balance(task: Task, line: Line) -> Job:
    """Rotate and try the next key at once, three times; our own loop hands a job in again until it is done.

    A key is left out after ten failures in a row, until it is looked at after an hour; when all are, they are handed
    out all the same.
    """
    ring = _Ring(task, BALANCE_FAILURES, BALANCE_RECHECK_S, never_empty=True)
    once = _rotating(task, line, ring, BALANCE_RETRIES)

    async def do(video: str) -> bool:
        while not await once(video):
            await task.sleep(BALANCE_PAUSE_S)
        return True

    return do


def gpt_load(task: Task, line: Line) -> Job:
    """Three more attempts with other keys; a key is off after three errors, until it is looked at after an hour."""
    return _rotating(task, line, _Ring(task, LOAD_BLACKLIST, LOAD_RECHECK_S, never_empty=False), LOAD_RETRIES)


POLICIES: dict[str, Callable[[Task, Line], Job]] = {
    "round-robin+tenacity": round_robin_tenacity,
    "gemini-balance": gemini_balance,
    "gpt-load": gpt_load,
}


async def compete(task: Task, tally: Tally) -> tuple[float, float]:
    """Work the videos off with the policy the task names."""
    limits = httpx2.Limits(max_connections=200)
    async with httpx2.AsyncClient(timeout=600.0, limits=limits) as client:
        job = POLICIES[task.contestant](task, Line(task, tally, client))
        projects = len({project for project, _ in task.keys})
        return await work_off(task, tally, job, WORKERS_A_PROJECT * projects)


if __name__ == "__main__":
    run(receive(), compete)
