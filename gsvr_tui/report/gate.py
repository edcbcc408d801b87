"""The quality gate: a pure function from an answer and the facts of its request to a verdict with its reasons.

It runs again over stored answers at no cost. Order of the checks: cheapest and most damning first; those that mend
come before those that judge what is left.
"""

from __future__ import annotations

from gsvr_tui.core.models import Verdict
from gsvr_tui.report.checks import (
    check_complete,
    check_form,
    check_language,
    check_leak,
    check_transport,
    drop_empty_items,
    seen_problem,
    transport_problem,
)
from gsvr_tui.report.findings import Finding, GateFacts, GateResult, Level, Range, Work
from gsvr_tui.report.loop_check import check_loop
from gsvr_tui.report.parse import ParsedAnswer, ParseProblem
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.time_checks import check_coverage, check_invented, check_order, check_times

__all__ = ["Finding", "GateFacts", "GateResult", "Level", "Range", "check"]


def check(parsed: ParsedAnswer | ParseProblem, template: Template, facts: GateFacts) -> GateResult:
    """Judge an answer, mending what can be mended here.

    Verdicts: ok; repaired (was mended here); partial (parts missing or wrong, for at most a fifth); rejected.
    """
    for name, problem in (("transport", transport_problem(facts)), ("seen", seen_problem(facts))):
        if problem:
            return _rejected(name, problem, facts)
    if isinstance(parsed, ParseProblem):
        if facts.finish_reason == "MAX_TOKENS":
            return _rejected("transport", "the answer was cut off before anything was complete", facts)
        return _rejected("parse", parsed.message, facts)
    work = Work(parsed, template, facts)
    check_transport(work)
    check_form(work)
    judge(work)
    return result_of(work)


def judge(work: Work) -> None:
    """All checks of what an answer says."""
    check_leak(work)
    check_times(work)
    check_order(work)
    check_loop(work)
    drop_empty_items(work)
    check_complete(work)
    check_invented(work)
    check_coverage(work)
    check_language(work)


def result_of(work: Work) -> GateResult:
    """The verdict of what the checks found."""
    if work.rejected:
        verdict = Verdict.REJECTED
    elif work.partial:
        verdict = Verdict.PARTIAL
    else:
        verdict = Verdict.REPAIRED if work.repaired else Verdict.OK
    length = work.facts.range.length_s
    lost = sum(gap.length_s for gap in work.missing)
    covered = max(0.0, 1.0 - lost / length) if length > 0 else 1.0
    return GateResult(verdict, tuple(work.findings), work.answer, tuple(work.missing), round(covered, 4))


def _rejected(name: str, message: str, facts: GateFacts) -> GateResult:
    return GateResult(Verdict.REJECTED, (Finding(name, Level.FAIL, message),), None, (facts.range,), 0.0)
