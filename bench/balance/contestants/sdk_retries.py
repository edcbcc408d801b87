"""google-genai with its own HTTP retries, keys in turn: each call keeps its key, and the SDK tries it again."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import httpx2
from google import genai
from google.genai import errors, types

from bench.balance.contestants.common import PROMPT, Tally, Task, receive, run, work_off

WORKERS_A_PROJECT = 5
ATTEMPTS = 10  # its own five give up within half a minute
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


async def compete(task: Task, tally: Tally) -> tuple[float, float]:
    """Work the videos off."""
    retries = types.HttpRetryOptions(
        attempts=ATTEMPTS,
        initial_delay=FIRST_WAIT_S / task.factor,
        max_delay=LONGEST_WAIT_S / task.factor,
        jitter=1.0 / task.factor,
    )
    options = types.HttpOptions(base_url=task.base_url, retry_options=retries)
    clients = [genai.Client(api_key=key, enterprise=False, http_options=options) for _, key in task.keys]
    turn = itertools.cycle(clients)

    async def do(video: str) -> bool:
        video_part = types.Part.from_bytes(data=Path(video).read_bytes(), mime_type="video/mp4")  # noqa: ASYNC240 - a few kB
        content = types.Content(role="user", parts=[video_part, types.Part(text=PROMPT)])
        try:
            await next(turn).aio.models.generate_content(model=task.model, contents=content)
        except (errors.APIError, httpx2.HTTPError):
            tally.exceptions += 1
            return False
        return True

    projects = len({project for project, _ in task.keys})
    return await work_off(task, tally, do, WORKERS_A_PROJECT * projects)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(receive(), compete)
