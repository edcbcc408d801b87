"""PlanJobs: what adding videos would take, said before they are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gsvr_tui.core.catalogue import Catalogue, CatalogueError, ModelInfo, UnknownModel
from gsvr_tui.core.messages import CommandRefused, PlanJobs, PlanReady
from gsvr_tui.core.models import Now
from gsvr_tui.core.text import clean_text
from gsvr_tui.media.child import MediaChildren
from gsvr_tui.media.files import Found, find_videos
from gsvr_tui.report.templates import UnknownTemplate
from gsvr_tui.service.capability import model_problem
from gsvr_tui.service.comparing import Comparison
from gsvr_tui.service.forecasting import Foresight, Work
from gsvr_tui.service.planning import MOST_LOOKED_INTO, MOST_PLAYED, Estimate, estimate_videos
from gsvr_tui.service.service_times import ServiceTimes
from gsvr_tui.service.standing import Standing

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

MOST_SKIPPED = 200


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a plan is made of, so that it can be made in a thread. `ahead`: work in the queue already."""

    info: ModelInfo
    found: Found
    standing: Standing
    times: ServiceTimes
    catalogue: Catalogue
    fallbacks: tuple[str, ...]
    now: Now
    tokens_per_minute: int | None = None
    ahead: Sequence[Work] = ()


class PlanDesk:
    """See the module. The method is an errand that answers its command."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def plan(self, command: PlanJobs) -> None:
        """The PlanJobs command."""
        engine, context = self._engine, self._engine.context
        now = engine.clock.now()
        try:
            info = engine.parts.catalogue.resolve(command.model or engine.settings.model, now.wall)
            template = engine.parts.templates.get(command.template or engine.settings.template)
        except (UnknownModel, CatalogueError) as error:
            self._refuse(command, str(error), "see gsvr-tui models, or add it to models.yaml")
            return
        except UnknownTemplate as error:
            self._refuse(command, str(error), "see gsvr-tui templates list")
            return
        problem = model_problem(info, engine.parts.catalogue, now.wall)
        if problem is not None:
            self._refuse(command, *problem)
            return
        found = await context.in_thread(find_videos, [Path(path) for path in command.paths])
        if not found.videos:
            said = "; ".join(f"{clean_text(str(item.path))}: {item.message}" for item in found.skipped[:5])
            self._refuse(command, f"there is no video to work on ({said})", "name video files or a folder with videos")
            return
        live = engine.outlook
        times = live.times()
        question = Question(
            info=info,
            found=found,
            standing=live.standing(times),
            times=times,
            catalogue=engine.parts.catalogue,
            fallbacks=engine.settings.fallback_models,
            now=engine.clock.now(),
            tokens_per_minute=context.tokens_per_minute(info.id),
            ahead=live.works(MOST_PLAYED, times),
        )
        caps = [command.max_cost_usd, engine.settings.caps.run, engine.settings.caps.day]
        cap = min((cap for cap in caps if cap is not None), default=None)
        ready = await context.in_thread(self._answer, command.id, question, template.id, cap)
        engine.outbox.put(ready)

    def _refuse(self, command: PlanJobs, message: str, advice: str = "") -> None:
        self._engine.outbox.put(CommandRefused(command.id, message, advice))

    def _answer(self, command_id: str, question: Question, template: str, cap: float | None) -> PlanReady:
        engine = self._engine
        estimate = look_into(question, media=engine.context.media, cancelled=lambda: engine.stopping)
        return plan_ready(command_id, question, estimate, template, cap)


def look_into(
    question: Question, *, media: MediaChildren | None = None, cancelled: Callable[[], bool] = lambda: False
) -> Estimate:
    """Look into the videos of a question."""
    return estimate_videos(
        question.found.videos,
        question.info.id,
        question.catalogue,
        question.standing.accounts,
        question.now.wall,
        sample=MOST_LOOKED_INTO,
        tokens_per_minute=question.tokens_per_minute,
        media=media,
        cancelled=cancelled,
    )


def plan_ready(
    command_id: str, question: Question, estimate: Estimate, template: str, cap: float | None = None
) -> PlanReady:
    """The whole answer. Slow: for a thread."""
    now, catalogue = question.now, question.catalogue
    foresight = Foresight(question.standing, question.times, catalogue, now, most=MOST_PLAYED)
    comparison = Comparison(estimate, foresight, catalogue, now.wall, ahead=question.ahead)
    options = comparison.options(question.fallbacks)
    problems = [(clean_text(str(v.video.path)), v.problem) for v in estimate.videos if v.problem]
    skipped = [(clean_text(str(item.path)), item.message) for item in question.found.skipped]
    return PlanReady(
        command_id=command_id,
        videos=len(estimate.good),
        seconds=estimate.total(lambda v: v.facts.duration_s if v.facts else 0.0),
        size_bytes=sum(video.video.size_bytes for video in estimate.good),
        template=template,
        model=estimate.model,
        options=options,
        split=round(estimate.total(lambda v: float(len(v.needs) > 1))),
        skipped=tuple((problems + skipped)[:MOST_SKIPPED]),
        warnings=_warnings(question, estimate, foresight),
        cap_usd=cap,
        inside_cap=cap is None or options[0].cost_usd <= cap,
    )


def _warnings(question: Question, estimate: Estimate, foresight: Foresight) -> tuple[str, ...]:
    found = []
    for model in (estimate.model, *question.fallbacks):
        warning = question.catalogue.warning(model, question.now.wall)
        if warning:
            found.append(warning)
    if estimate.sampled:
        found.append(
            f"{estimate.looked_into:,} of {len(estimate.videos):,} videos were looked into; the others are taken to be "
            "like them"
        )
    full = sum(bool(v.needs) and v.tokens_out >= question.info.output_tokens * len(v.needs) for v in estimate.good)
    if full:
        found.append(f"{full:,} report(s) may be longer than {question.info.id} can write in one answer")
    if question.ahead:
        found.append(f"{len(question.ahead):,} job(s) are in the queue already; the finishing time counts them")
    unknown = sorted(foresight.guesses([estimate.model]))
    if unknown:
        found.append(
            f"the limits of {', '.join(map(clean_text, unknown))} are not known, so those of the free tier are taken; "
            "state them in the config for a better figure"
        )
    return tuple(found)
