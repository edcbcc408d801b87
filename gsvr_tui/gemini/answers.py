"""Makes an Answer of what came over the line, and says what is wrong with it.

Pure: bytes in, values out. The raw events are kept as they came, so that a stored answer can be read again without the
service; a part of a stream is evidence of a payment, never an answer.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from typing import Any

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Usage
from gsvr_tui.core.text import clean_text
from gsvr_tui.gemini.types import Answer

_SSE_FIELDS = ("event:", "id:", "retry:", ":")


class AnswerStream:
    """Takes the body of one response in pieces of any size: server-sent events, or plain JSON."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []  # pieces of the line that is not over yet
        self._data: list[str] = []
        self._stray: list[str] = []
        self._entries: list[str] = []  # JSON texts: events as they came, strings for what was no JSON
        self._events: list[Mapping[str, Any]] = []
        self._finished = False

    def feed(self, data: bytes) -> str:
        """Take `data`; returns the text of the answer that became readable with it."""
        return self._take(self._decoder.decode(data))

    def finish(self) -> str:
        """The body is over. What was left open counts as it is. Returns the last piece of text."""
        if self._finished:
            return ""
        self._finished = True
        text = self._take(self._decoder.decode(b"", final=True) + "\n")
        text += self._end_event()
        if stray := "\n".join(self._stray).strip():
            text += self._entry(stray)
        return text

    @property
    def raw(self) -> str:
        """A JSON array of everything so far."""
        return "[" + ",\n".join(self._entries) + "]"

    @property
    def body(self) -> str:
        """Everything so far as plain text: what an error page said."""
        return "\n".join([*self._entries, *self._stray, "".join(self._line)])

    @property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """The JSON objects that came."""
        return tuple(self._events)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The `error` of the first event that has one."""
        return next((error for error in map(error_of, self._events) if error is not None), None)

    def answer(self) -> Answer:
        """The answer so far."""
        return _fold(self._events, self.raw)

    def _take(self, text: str) -> str:
        self._line.append(text)
        if "\n" not in text:
            return ""
        *lines, rest = "".join(self._line).split("\n")
        self._line = [rest]
        return "".join([self._take_line(line.removesuffix("\r")) for line in lines])

    def _take_line(self, line: str) -> str:
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif not line:
            return self._end_event()
        elif not line.startswith(_SSE_FIELDS) or self._stray:
            self._stray.append(line)
        return ""

    def _end_event(self) -> str:
        if not self._data:
            return ""
        data, self._data = "\n".join(self._data), []
        return self._entry(data)

    def _entry(self, data: str) -> str:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            self._entries.append(json.dumps(data))
            return ""
        items = value if isinstance(value, list) else [value]
        events = [item for item in items if isinstance(item, dict)]
        self._entries.append(data if isinstance(value, dict) else json.dumps(value, ensure_ascii=False))
        self._events += events
        return "".join(_texts(event)[0] for event in events)


def error_of(event: object) -> Mapping[str, Any] | None:
    """The error object inside a body, however it is wrapped; None when there is none."""
    if isinstance(event, list):
        return error_of(event[0]) if event else None
    if not isinstance(event, Mapping) or "name" in event:  # a file that failed has an `error` of its own
        return None
    error = event.get("error")
    if isinstance(error, str) and error:
        return {"message": error}
    return error if isinstance(error, Mapping) else None


def answer_from_raw(raw: str) -> Answer:
    """The Answer behind a stored `raw`. Raises ValueError when it is no JSON array."""
    entries = json.loads(raw)
    if not isinstance(entries, list):
        raise ValueError("a stored answer is a JSON array")
    flat = [item for entry in entries for item in (entry if isinstance(entry, list) else [entry])]
    return _fold([item for item in flat if isinstance(item, dict)], raw)


# ---------------------------------------------------------------- reading events


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _first_candidate(event: Mapping[str, Any]) -> Mapping[str, Any]:
    candidates = event.get("candidates")
    return _mapping(candidates[0]) if isinstance(candidates, list) and candidates else {}


def _texts(event: Mapping[str, Any]) -> tuple[str, int, int]:
    """Text, parts of thinking and parts of tools of one event."""
    parts = _mapping(_first_candidate(event).get("content")).get("parts")
    text, thoughts, tools = "", 0, 0
    for part in map(_mapping, parts if isinstance(parts, list) else ()):
        if part.get("thought") is True:
            thoughts += 1
        elif isinstance(part.get("text"), str):
            text += part["text"]
        elif part:
            tools += 1
    return text, thoughts, tools


def _count(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _usage(raw: Mapping[str, Any]) -> Usage:
    details = raw.get("promptTokensDetails")
    by_modality: dict[str, int] = {}
    for detail in map(_mapping, details if isinstance(details, list) else ()):
        name = _string(detail.get("modality"))
        by_modality[name] = by_modality.get(name, 0) + _count(detail.get("tokenCount"))
    return Usage(
        prompt=_count(raw.get("promptTokenCount")),
        candidates=_count(raw.get("candidatesTokenCount")),
        thoughts=_count(raw.get("thoughtsTokenCount")),
        cached=_count(raw.get("cachedContentTokenCount")),
        tool_use=_count(raw.get("toolUsePromptTokenCount")),
        video=by_modality.get("VIDEO", 0),
        audio=by_modality.get("AUDIO", 0),
    )


def _fold(events: Iterable[Mapping[str, Any]], raw: str) -> Answer:
    texts: list[str] = []
    thoughts = tools = 0
    finish = finish_message = block = version = response_id = retirement = ""
    usage_raw: Mapping[str, Any] = {}
    for event in events:
        text, more_thoughts, more_tools = _texts(event)
        texts.append(text)
        thoughts, tools = thoughts + more_thoughts, tools + more_tools
        candidate = _first_candidate(event)
        reason = _string(candidate.get("finishReason"))
        finish = reason if reason and reason != "FINISH_REASON_UNSPECIFIED" else finish
        finish_message = _string(candidate.get("finishMessage")) or finish_message
        block = _string(_mapping(event.get("promptFeedback")).get("blockReason")) or block
        usage_raw = _mapping(event.get("usageMetadata")) or usage_raw
        version = _string(event.get("modelVersion")) or version
        response_id = _string(event.get("responseId")) or response_id
        retirement = _string(_mapping(event.get("modelStatus")).get("retirementTime")) or retirement
    return Answer(
        text="".join(texts),
        finish_reason=finish,
        block_reason=block,
        usage=_usage(usage_raw),
        usage_known=bool(usage_raw),
        model_version=version,
        response_id=response_id,
        raw=raw,
        complete=bool(finish or block),
        retirement_time=retirement,
        thoughts=thoughts,
        tools=tools,
        finish_message=finish_message,
        service_tier=_string(usage_raw.get("serviceTier")),
    )


# ---------------------------------------------------------------- what is wrong with an answer

_ITEM, _AGAIN = FailureKind.ITEM, FailureKind.ITEM_RETRY
_BLOCKED_AGAIN = "The same video often passes at the next try, or with another template"
_REFUSED = "This video cannot be reported on with this model; another account does not change it"

_FINISHES: Mapping[str, tuple[FailureKind, str, str, str]] = {
    "SAFETY": (_ITEM, "SAFETY", "the model stopped for reasons of safety", _REFUSED),
    "PROHIBITED_CONTENT": (_ITEM, "PROHIBITED_CONTENT", "the model does not report on such content", _REFUSED),
    "BLOCKLIST": (_ITEM, "BLOCKLIST", "the answer held forbidden words", _REFUSED),
    "SPII": (_ITEM, "PERSONAL_DATA", "the answer held sensitive personal data and was withheld", _REFUSED),
    "MODEL_ARMOR": (_ITEM, "SAFETY", "a filter of the project withheld the answer", _REFUSED),
    "LANGUAGE": (_ITEM, "LANGUAGE", "the model does not know the language", "Choose another model or language"),
    "RECITATION": (
        _AGAIN,
        "RECITATION",
        "the answer came too close to a published text and was cut off",
        "Another try or another template often helps",
    ),
    "CONTINUATION": (_AGAIN, "ANSWER_CUT", "the answer is not complete", ""),
}


def answer_failure(answer: Answer) -> Failure | None:
    """What makes an answer unusable; None when the service finished it with text and no complaint.

    `maybe_paid` only where its price is not known: an answer with usage is charged as counted there.
    """
    kind, code, message, advice = _complaint(answer)
    if not code:
        return None
    unknown = not answer.usage_known or not answer.complete
    return Failure(kind, Scope.ITEM, code, message, advice, maybe_paid=unknown, http_status=200)


def _complaint(answer: Answer) -> tuple[FailureKind, str, str, str]:
    if answer.block_reason:
        if answer.block_reason == "OTHER":
            return _AGAIN, "PROMPT_BLOCKED", "the service refused the video without a reason", _BLOCKED_AGAIN
        reason = clean_text(answer.block_reason)[:40].lower().replace("_", " ")
        return _ITEM, "PROMPT_BLOCKED", f"the service refused the video or the prompt: {reason}", _REFUSED
    if not answer.complete:
        return _AGAIN, "ANSWER_CUT", "the answer ended before it was finished", ""
    finish = answer.finish_reason
    if finish == "MAX_TOKENS":
        if answer.text.strip():
            return _AGAIN, "MAX_TOKENS", "the answer is longer than its limit and was cut off", "Use shorter segments"
        advice = "Use a lower thinking level or a higher limit of output"
        return _AGAIN, "MAX_TOKENS_EMPTY", "thinking used up the whole limit of output, there is no text", advice
    if finish in _FINISHES:
        return _FINISHES[finish]
    if finish.startswith("IMAGE_"):
        return _ITEM, "SAFETY", "the model stopped for reasons of safety", _REFUSED
    if finish != "STOP":
        reason = clean_text(finish)[:40].lower().replace("_", " ")
        return _AGAIN, "FINISH_OTHER", f"the model stopped before the end: {reason}", ""
    if not answer.text.strip():
        if answer.thoughts or answer.tools:
            return _AGAIN, "THOUGHTS_ONLY", "the model thought but wrote no text", ""
        return _AGAIN, "EMPTY_ANSWER", "the answer holds no text", ""
    return _AGAIN, "", "", ""
