"""The prompt of a segment, and the key that names the work: same key, same paid answer."""

from __future__ import annotations

import hashlib
import json

from gsvr_tui.core.models import Batch, Job, Segment
from gsvr_tui.report.prompt import Prompt, PromptFacts, build_prompt
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import TemplateSet


def prompt_for(
    templates: TemplateSet, batch: Batch, job: Job, start_s: float, end_s: float, index: int, count: int
) -> tuple[Template, Prompt]:
    """Template and prompt of one segment. Raises UnknownTemplate and ParameterProblem like the report room."""
    if job.probe is None:
        raise AssertionError(f"prompt before probe: {job.id}")
    template = templates.get(batch.template)
    facts = PromptFacts(
        duration_s=job.probe.duration_s,
        title=(job.name or job.path).rpartition("/")[2].rpartition(".")[0],
        start_s=start_s,
        end_s=end_s,
        part=index + 1,
        parts=count,
        has_audio=job.probe.has_audio,
    )
    return template, build_prompt(template, dict(batch.parameters), facts, batch.language)


def work_key(job: Job, segment: Segment, model: str, prompt: Prompt) -> str:
    """sha256 hex over content, range, model and everything that is asked."""
    parts = [
        job.content_hash,
        "whole" if segment.whole else f"{segment.start_s:.3f}-{segment.end_s:.3f}",
        model,
        prompt.template_version,
        prompt.work_hash,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
