"""What stands around the table of a plan, as Content. Pure."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from gsvr_tui.core.messages import CommandRefused, PlanOption, PlanReady
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.safe import fit, join, safe, styled
from gsvr_tui.ui.widgets.bars import Part, bar, pieces_that_fit

MOST_SKIPPED = 50
_PURPOSE = (
    "Name videos or folders, and they are looked into without sending anything: when they would be done, at what cost, "
    "and what another account or model would change."
)
_ACCOUNT, _FIGURE = 20, 18


def facts(ready: PlanReady, width: int) -> Content:
    """How many videos, how long, how large; template and model."""
    pieces = [
        join(
            (words.plural(ready.videos, "video"), "bold $foreground"), (f", {words.span(ready.seconds)}", "$foreground")
        ),
        join(("model ", "$muted"), (ready.model, "$foreground")),
        join(("template ", "$muted"), (ready.template, "$foreground")),
        styled(words.size(ready.size_bytes), "$muted"),
    ]
    return pieces_that_fit(pieces, width)


def chosen(template: str, model: str, width: int) -> Content:
    """What the next plan is made with, before there is one."""
    pieces = [
        join((f"{name} ", "$muted"), (value or "as configured", "$foreground"))
        for name, value in (("template", template), ("model", model))
    ]
    return pieces_that_fit(pieces, width)


def empty() -> Content:
    """What this screen is for, in two lines, and how to begin."""
    lines = [
        styled("What would it take?", "bold $foreground"),
        Content(""),
        styled(_PURPOSE, "$muted"),
        Content(""),
        join(("  a  ", "bold $accent"), ("choose videos or folders", "$foreground")),
        join(("  /  ", "bold $accent"), ("type or paste paths", "$foreground")),
    ]  # fmt: skip
    return Content("\n").join(lines)


def looking(count: int | None, seconds: float) -> Content:
    """While the service looks into the videos."""
    what = "the videos" if count is None else words.plural(count, "video")
    lines = [
        join(("looking into ", "$foreground"), (what, "bold $foreground"), (f" … {seconds:.0f} s", "$muted")),
        styled("Nothing is sent or added. Esc stops.", "$muted"),
    ]
    return Content("\n").join(lines)


def refused(answer: CommandRefused) -> Content:
    """Why there is no plan, and what to do."""
    lines = [styled(answer.message, "$status-fail")]
    if answer.advice:
        lines.append(styled(answer.advice, "$foreground"))
    return Content("\n").join(lines)


def cap_line(ready: PlanReady, cap: float | None, marks: Marks) -> Content:
    """Whether it stays inside the cap. `cap` is the one that counts, None: there is none."""
    now = ready.options[0]
    if cap is None:
        return join(("cap ", "$muted"), ("none", "$foreground"), ("   c sets the most it may cost", "$muted"))
    line = join(("cap ", "$muted"), (words.usd(cap), "bold $foreground"), "   ")
    if now.cost_high_usd <= cap:
        look = marks.checks["pass"]
        return join(line, (f"{look.sign} inside", f"$status-{look.tone}"))
    if now.cost_usd <= cap:
        look = marks.checks["warn"]
        inside = (f"{look.sign} inside", f"$status-{look.tone}")
        return join(line, inside, (", unless reports come out long; it then stops there", "$muted"))
    look = marks.checks["fail"]
    return join(
        line, (f"{look.sign} outside", f"$status-{look.tone}"), (": the run would stop at the cap", "$foreground")
    )


def about(option: PlanOption, planned_at: float, zone: tzinfo | None) -> list[Content]:
    """The option under the cursor in words: ranges, sums, what it needs."""
    lines: list[Content] = []
    low, high = option.ends_low, option.ends_high
    if option.ends_at is not None and low is not None and high is not None:
        if words.is_wide(low, option.ends_at, high, planned_at):
            lines.append(_fact("done", words.moments(low, high, planned_at, zone)))
    elif option.ends_at is None:
        lines.append(_fact("done", "never, as things are"))
    if option.cost_high_usd > option.cost_low_usd:
        text = f"{words.usd(option.cost_low_usd)} to {words.usd(option.cost_high_usd)}, by the length of the reports"
        lines.append(_fact("cost", text))
    text = f"{words.plural(option.requests, 'request')}, {words.number(option.tokens_in)} tokens in"
    lines.append(_fact("sends", text))
    if option.limited_by:
        lines.append(_fact("limit", option.limited_by))
    if option.note:
        lines.append(_fact("note", option.note))
    return lines


def shares(option: PlanOption, width: int, marks: Marks) -> list[Content]:
    """A bar of the requests of each account."""
    total = sum(count for _, count in option.by_account)
    cells = max(8, min(48, width - _ACCOUNT - _FIGURE))
    lines = []
    for account, count in option.by_account:
        lines.append(
            join(
                (fit(account, _ACCOUNT, ascii_only=marks.ascii), "$foreground"),
                bar([Part(count, "status-run")], total, cells, marks),
                (f"  {words.plural(count, 'request')}", "$foreground"),
            )
        )
    return lines


def remarks(ready: PlanReady, marks: Marks) -> list[Content]:
    """What is split, what should be known, and what is left out and why."""
    lines: list[Content] = []
    if ready.split:
        many = ready.split != 1
        text = (
            f"{words.plural(ready.split, 'video')} {'are' if many else 'is'} too long for one request and will be split"
        )
        lines.append(styled(text, "$foreground"))
    look = marks.checks["warn"]
    lines += [join((f"{look.sign} ", f"$status-{look.tone}"), (text, "$foreground")) for text in ready.warnings]
    if ready.skipped:
        lines += [Content(""), styled(f"left out: {words.number(len(ready.skipped))}", "bold $foreground")]
        for path, why in ready.skipped[:MOST_SKIPPED]:
            lines.append(join((f"  {path}", "$foreground"), (f"  {why}", "$muted")))
        if len(ready.skipped) > MOST_SKIPPED:
            lines.append(styled(f"  and {len(ready.skipped) - MOST_SKIPPED:,} more", "$muted"))
    return lines


def _fact(name: str, text: str) -> Content:
    return join((f"{name:8}", "$muted"), safe(text).stylize("$foreground"))
