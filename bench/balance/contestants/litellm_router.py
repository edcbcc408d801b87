"""LiteLLM's Router over the same keys. Runs in an environment of its own, with its clock as fast as the emulator's."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it asks the network for prices
os.environ.setdefault("LITELLM_LOG", "CRITICAL")

import litellm  # type: ignore[import-not-found,unused-ignore]
from litellm import Router  # type: ignore[import-not-found,unused-ignore]
from litellm.router_strategy import lowest_tpm_rpm_v2  # type: ignore[import-not-found,unused-ignore]

from bench.balance.contestants.common import PROMPT, REAL_SLEEP, Tally, Task, receive, run, video_base64, work_off

WORKERS_A_PROJECT = 5
COOLDOWN_S = 5.0  # its default
REQUEUE_PAUSE_S = 2.0
NAME = "report"
MANY = 1_000


def _scale_time(task: Task) -> None:
    """Its waits and its minute are the emulator's."""

    async def sleep(delay: float, result: Any = None) -> Any:
        await REAL_SLEEP(delay / task.factor)
        return result

    asyncio.sleep = sleep  # type: ignore[assignment,unused-ignore]
    lowest_tpm_rpm_v2.get_utc_datetime = lambda: datetime.fromtimestamp(task.wall(), UTC)


def _router(task: Task) -> Router:
    shared = {project: sum(1 for other, _ in task.keys if other == project) for project, _ in task.keys}
    deployments = []
    for number, (project, key) in enumerate(task.keys):
        known = task.limits.get(project) or {}
        params: dict[str, Any] = {
            "model": f"gemini/{task.model}",
            "api_key": key,
            "api_base": f"{task.base_url}/v1beta",
            "max_parallel_requests": MANY,  # else it takes the limit a minute for it and refuses the rest by itself
        }
        for name in ("rpm", "tpm"):
            if limit := known.get(name):
                params[name] = max(1, limit // shared[project])  # it knows keys, not projects
        deployments.append({"model_name": NAME, "litellm_params": params, "model_info": {"id": f"key-{number}"}})
    strategy = "usage-based-routing-v2" if "usage-v2" in task.contestant else "simple-shuffle"
    return Router(
        model_list=deployments,
        routing_strategy=strategy,
        num_retries=3,
        cooldown_time=COOLDOWN_S / task.factor,
        timeout=600,
    )


async def compete(task: Task, tally: Tally) -> tuple[float, float]:
    """Work the videos off, handing failed ones in again where the task says so."""
    _scale_time(task)
    router = _router(task)
    requeue = task.contestant.endswith("+requeue")

    async def ask(video: str) -> bool:
        data = f"data:video/mp4;base64,{video_base64(video)}"
        content = [{"type": "file", "file": {"file_data": data}}, {"type": "text", "text": PROMPT}]
        try:
            await router.acompletion(model=NAME, messages=[{"role": "user", "content": content}])
        except Exception as problem:  # the caller of a router has to expect any of its errors
            tally.exceptions += 1
            if len(tally.notes) < 3:
                tally.notes.append(f"{type(problem).__name__}: {str(problem)[:200]}")
            return False
        return True

    async def do(video: str) -> bool:
        while not await ask(video):
            if not requeue:
                return False
            await task.sleep(REQUEUE_PAUSE_S)
        return True

    projects = len({project for project, _ in task.keys})
    return await work_off(task, tally, do, WORKERS_A_PROJECT * projects)


if __name__ == "__main__":
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    run(receive(), compete)
