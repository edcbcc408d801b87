"""Checks of the answer as a text: finished, made from the video, complete, without leaks, in the right language."""

from __future__ import annotations

import re
from dataclasses import replace

from gsvr_tui.report import limits
from gsvr_tui.report.findings import GateFacts, Range, Work
from gsvr_tui.report.language import judge_language, language_name, prose
from gsvr_tui.report.parse import ParsedSection
from gsvr_tui.report.template_model import SectionKind

# ---------------------------------------------------------------- transport and seen

_REASONS = {
    "SAFETY": "the service stopped it for safety",
    "RECITATION": "the service stopped it because it repeated a known text",
    "PROHIBITED_CONTENT": "the service stopped it as prohibited content",
    "BLOCKLIST": "the service stopped it because of a blocked word",
    "SPII": "the service stopped it because of personal data",
    "LANGUAGE": "the service stopped it because of its language",
}
CUT_REASONS = frozenset({"MAX_TOKENS", "", "FINISH_REASON_UNSPECIFIED"})


def transport_problem(facts: GateFacts) -> str:
    """Why the answer is none, in words; empty when it was finished or at least cut off cleanly."""
    if facts.block_reason:
        return f"the service refused the video ({facts.block_reason})"
    if facts.finish_reason == "STOP" or facts.finish_reason in CUT_REASONS:
        return ""
    return _REASONS.get(facts.finish_reason, f"the service ended it with {facts.finish_reason}")


def seen_problem(facts: GateFacts) -> str:
    """Why the model can't have seen the video; empty when it has, or the service did not say."""
    if facts.video_tokens is None or facts.video_tokens + facts.tool_use_tokens > 0:
        return ""
    return "the service counted no picture at all, so the text is invented"


def check_transport(work: Work) -> None:
    """Note an answer that was cut off, and a use of the video that is far from the plan."""
    facts = work.facts
    if facts.finish_reason == "MAX_TOKENS":
        work.fail("transport", "the answer reached its longest length and was cut off")
    elif facts.finish_reason in CUT_REASONS:
        work.fail("transport", "the answer broke off")
    work.close("transport", "the answer was finished")
    seen, planned = (facts.video_tokens or 0) + facts.tool_use_tokens, facts.planned_video_tokens
    if planned and facts.video_tokens is not None and not facts.tool_use_tokens:
        share = seen / planned
        if not limits.SEEN_MIN <= share <= limits.SEEN_MAX:
            work.note("seen", f"the service used {share:.0%} of the picture that was planned")
    if facts.video_tokens is not None:
        work.close("seen", "the video was seen")


def check_form(work: Work) -> None:
    """How the document was written."""
    if work.answer.fenced:
        work.repair("parse", "the answer came inside a code fence, which was taken off")
    if work.answer.cut:
        work.fail("parse", "the document broke off; what was complete is kept")
    for note in work.answer.notes[:10]:
        work.repair("parse", note)
    work.close("parse", "the document has the fields asked for")


# ---------------------------------------------------------------- complete

_SENTENCE_END = re.compile(r"[.!?。！？…‥؟।:：;；»”\"'’)\]）】》」』`*_~|$]\s*\Z")
_NO_SENTENCE_LINE = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)、]|#{1,6}\s|\|)")


def check_complete(work: Work) -> None:
    """Required sections are there, and texts end where a sentence does."""
    if all(section.empty for section in work.answer.sections):
        work.fail("complete", "nothing is in it", reject=True)
    for section in work.template.sections:
        parsed = work.answer.section(section.id)
        if work.wanted(section) and (parsed is None or parsed.empty):
            work.fail("complete", "a section that is needed is missing", section.id, reject=section.covers)
        elif parsed is not None and parsed.kind is SectionKind.TEXT and ends_in_mid_sentence(parsed.text):
            work.fail("complete", "the text ends in the middle of a sentence", section.id)
    work.close("complete", "all sections are there")


def ends_in_mid_sentence(text: str) -> bool:
    """True when a longer text stops without the end of a sentence, a list entry, a table or code."""
    text = text.strip()
    if len(text.encode("utf-8", "replace")) < limits.SENTENCE_MIN_CHARS or _SENTENCE_END.search(text):
        return False
    last = text.splitlines()[-1]
    # Entries of a list need no full stop, when they are short or the others have none either.
    return not _NO_SENTENCE_LINE.match(last)


# ---------------------------------------------------------------- leak

_KEYS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:AIza[0-9A-Za-z_-]{30,}|AQ\.[0-9A-Za-z_-]{20,}|sk-[0-9A-Za-z_-]{20,}|gh[pousr]_[0-9A-Za-z]{30,})"
)
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:\|[^{}]*)?\}\}|\{%[^%\n]{1,80}%\}")
_OLD_NAMES = frozenset(
    {
        *("video_title", "video_duration", "subject_area", "detail_level", "current_timestamp"),
        *("language_preference", "max_length", "focus_areas", "speaker_name"),
    }
)
_NOTHING_SEEN = re.compile(
    r"no (?:video|content|file|transcript|audio)(?: content| file)? (?:(?:was|is|has been) )?(?:provided|attached)"
    r"|(?:unable|not able) to (?:view|watch|access|see|process) (?:the |this |any )?(?:video|content|file)"
    r"|(?:can(?:no|')t|could not) (?:view|watch|access|see|process) (?:the |this |any )?(?:video|content|file)"
    r"|please (?:provide|upload|share) (?:the |a )?(?:video|content|file)"
    r"|as an ai (?:language )?model"
    r"|(?:没有|未)(?:提供|上传|收到|附上)(?:任何)?(?:视频|内容|文件)|無法(?:觀看|查看|訪問)(?:該|此|這)?(?:影片|視頻)"
    r"|无法(?:观看|查看|访问|处理)(?:该|此|这个|这段)?视频|请(?:提供|上传)(?:视频|内容|文件)",
    re.IGNORECASE,
)
REMOVED_KEY = "[removed]"


def check_leak(work: Work) -> None:
    """No words of the prompt, no "you gave me nothing", no keys."""
    names = _OLD_NAMES | {parameter.name for parameter in work.template.parameters}
    texts = work.texts()
    total = sum(len(text) for _, text in texts) or 1
    excuses = sum(len(text) for _, text in texts if _NOTHING_SEEN.search(text) and len(text) < 400)
    if excuses > 0.3 * total:
        work.fail("leak", "the answer says that it got no video", reject=True)
    holes = {place for place, text in texts if _is_placeholder(text, names)}
    for place in sorted(holes):
        work.fail("leak", "a placeholder of the prompt stands in the text", place)
    filled = sum(1 for _, text in texts if _is_placeholder(text, names))
    if filled > limits.BAD_ITEMS_SHARE * len(texts):
        work.rejected = True
    if any(_KEYS.search(text) for _, text in texts):
        work.repair("leak", "something that looks like a key was taken out")
        work.map_texts(lambda text: _KEYS.sub(REMOVED_KEY, text))
    work.close("leak", "nothing of the prompt is in it")


def _is_placeholder(text: str, names: frozenset[str] | set[str]) -> bool:
    if "{{" not in text and "{%" not in text:
        return False
    # `{{ name }}` is also what lessons on templates, and formulas, are full of: only our own words count, outside code.
    return any((match[1] or "") in names for match in _PLACEHOLDER.finditer(prose(text)))


# ---------------------------------------------------------------- language

_CHUNK_ITEMS = 25


def check_language(work: Work) -> None:
    """Every section, long lists in pieces, is in the language that was asked for."""
    wrong = total = 0
    for section in work.answer.sections:
        wanted = work.template.section(section.id)
        if wanted is None or wanted.any_language:
            continue
        failed: list[str] = []
        for place, text in _pieces(section):
            total += len(text)
            opinion = judge_language(text, work.facts.language)
            if opinion.fits is False:
                wrong += len(text)
                failed.append(f"{opinion.why}{f' ({place})' if place else ''}")
        if failed:
            more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
            name = language_name(work.facts.language)
            work.fail("language", f"it should be {name}: {failed[0]}{more}", section.id)
    if total and wrong > limits.PARTIAL_SHARE * total:
        work.rejected = True
    work.close("language", f"it is in {language_name(work.facts.language)}")


def _pieces(section: ParsedSection) -> list[tuple[str, str]]:
    if section.kind is SectionKind.TEXT:
        return [("", section.text)] if section.text else []
    pieces = []
    for start in range(0, len(section.items), _CHUNK_ITEMS):
        items = section.items[start : start + _CHUNK_ITEMS]
        terms = section.kind is SectionKind.TERMS  # a term may stay in the language it comes from
        text = "\n".join(item.text if terms else f"{item.title}\n{item.text}" for item in items)
        times = [item.start_s for item in items if item.start_s is not None]
        whole = len(section.items) <= _CHUNK_ITEMS
        pieces.append(("" if whole or not times else str(Range(min(times), max(times))), text))
    return pieces


def drop_empty_items(work: Work) -> None:
    """Take out entries that have nothing left in them."""
    for section in work.answer.sections:
        kept = tuple(item for item in section.items if item.title or item.text)
        if len(kept) != len(section.items):
            work.answer = work.answer.with_section(replace(section, items=kept))
