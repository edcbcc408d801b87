"""Answers are read from whatever came over the line, and none that is no good passes for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.failure import FailureKind
from gsvr_tui.core.models import Usage
from gsvr_tui.gemini.answers import AnswerStream, answer_failure, answer_from_raw, error_of
from gsvr_tui.gemini.types import Answer


def event(text: str = "", finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(item, ensure_ascii=False).encode() + b"\r\n\r\n" for item in events)


def read(data: bytes, step: int = 0) -> tuple[Answer, str]:
    stream = AnswerStream()
    pieces = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    shown = "".join([stream.feed(piece) for piece in pieces]) + stream.finish()
    return stream.answer(), shown


RECORDED = sse(
    event("第一", usageMetadata={"promptTokenCount": 100, "candidatesTokenCount": 1, "totalTokenCount": 101}),
    {"candidates": [{"content": {"parts": [{"text": "thinking", "thought": True}]}}]},
    {"candidates": [{"content": {"parts": [{"toolCall": {"type": "MEDIA_PROCESSING"}}, {"text": "课 🎬"}]}}]},
    event(
        ".",
        "STOP",
        usageMetadata={
            "promptTokenCount": 120,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 30,
            "cachedContentTokenCount": 20,
            "toolUsePromptTokenCount": 5,
            "promptTokensDetails": [
                {"modality": "VIDEO", "tokenCount": 70},
                {"modality": "AUDIO", "tokenCount": 25},
                {"modality": "TEXT", "tokenCount": 25},
            ],
            "serviceTier": "standard",
        },
        modelVersion="gemini-3.8-flash",
        responseId="r-1",
        modelStatus={"modelStage": "STABLE", "retirementTime": "2027-05-07T00:00:00Z"},
    ),
)


@pytest.mark.parametrize("step", [0, 1, 2, 7, 64])
def test_a_stream_is_the_same_answer_however_it_is_cut_into_pieces(step: int) -> None:
    answer, shown = read(RECORDED, step)
    assert answer.text == shown == "第一课 🎬."
    assert answer.complete
    assert (answer.finish_reason, answer.thoughts, answer.tools) == ("STOP", 1, 1)
    assert answer.usage == Usage(120, 7, 30, 20, 5, 70, 25)
    assert (answer.model_version, answer.response_id) == ("gemini-3.8-flash", "r-1")
    assert answer.retirement_time == "2027-05-07T00:00:00Z"
    assert answer.service_tier == "standard"
    assert answer_failure(answer) is None


def test_the_raw_text_is_json_as_it_came_and_gives_the_same_answer_again() -> None:
    answer, _ = read(RECORDED)
    assert len(json.loads(answer.raw)) == 4
    assert '"modelStage": "STABLE"' in answer.raw
    assert answer_from_raw(answer.raw) == answer


def test_what_is_no_json_is_kept_as_a_text() -> None:
    answer, _ = read(sse(event("half")) + b'data: {"candidates": [{"con')
    assert json.loads(answer.raw)[1] == '{"candidates": [{"con'
    assert answer.text == "half"
    assert not answer.complete
    assert answer_from_raw(answer.raw) == answer


@pytest.mark.parametrize("indent", [None, 2])
def test_a_plain_json_body_is_read_too(indent: int | None) -> None:
    answer, shown = read(json.dumps(event("all of it", "STOP"), indent=indent).encode())
    assert answer.text == shown == "all of it"
    listed, _ = read(json.dumps([event("a"), event("b", "STOP")], indent=indent).encode())
    assert listed.text == "ab"
    assert answer_from_raw(listed.raw) == listed


def test_events_of_several_lines_and_comments_are_server_sent_events_as_well() -> None:
    body = b': keep alive\nevent: message\ndata: {"candidates":\ndata:[{"content":{"parts":[{"text":"x"}]}}]}\n\n'
    assert read(body)[0].text == "x"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}},
        [{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}],
    ],
)
def test_an_error_is_found_however_it_is_wrapped(body: Any) -> None:
    for data in (json.dumps(body).encode(), sse(event("a"), body), json.dumps(body, indent=1).encode()):
        stream = AnswerStream()
        stream.feed(data)
        stream.finish()
        assert stream.error == {"code": 503, "message": "m", "status": "UNAVAILABLE"}
    assert error_of(body) is not None
    assert error_of({"error": "text"}) == {"message": "text"}
    assert error_of([]) is None


VIDEO_USAGE = {"promptTokenCount": 10, "totalTokenCount": 10}
BAD: list[tuple[str, bytes, FailureKind, str, bool]] = [
    (
        "a blocked prompt",
        sse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": VIDEO_USAGE}),
        FailureKind.ITEM,
        "PROMPT_BLOCKED",
        False,
    ),
    (
        "a prompt blocked for no reason",
        sse({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": VIDEO_USAGE}),
        FailureKind.ITEM_RETRY,
        "PROMPT_BLOCKED",
        False,
    ),
    (
        "thinking that ate the limit",
        sse({"candidates": [{"content": {}, "finishReason": "MAX_TOKENS"}], "usageMetadata": VIDEO_USAGE}),
        FailureKind.ITEM_RETRY,
        "MAX_TOKENS_EMPTY",
        False,
    ),
    (
        "an answer over its limit",
        sse(event("half", "MAX_TOKENS", usageMetadata=VIDEO_USAGE)),
        FailureKind.ITEM_RETRY,
        "MAX_TOKENS",
        False,
    ),
    (
        "thoughts only",
        sse({"candidates": [{"content": {"parts": [{"text": "t", "thought": True}]}, "finishReason": "STOP"}]}),
        FailureKind.ITEM_RETRY,
        "THOUGHTS_ONLY",
        True,
    ),
    ("an empty text", sse(event("", "STOP")), FailureKind.ITEM_RETRY, "EMPTY_ANSWER", True),
    ("blanks only", sse(event(" \n", "STOP")), FailureKind.ITEM_RETRY, "EMPTY_ANSWER", True),
    (
        "a candidate without parts",
        sse({"candidates": [{"finishReason": "STOP"}]}),
        FailureKind.ITEM_RETRY,
        "EMPTY_ANSWER",
        True,
    ),
    ("safety", sse(event("", "SAFETY", usageMetadata=VIDEO_USAGE)), FailureKind.ITEM, "SAFETY", False),
    (
        "recitation",
        sse(event("x", "RECITATION", usageMetadata=VIDEO_USAGE)),
        FailureKind.ITEM_RETRY,
        "RECITATION",
        False,
    ),
    ("a stop for images", sse(event("", "IMAGE_SAFETY")), FailureKind.ITEM, "SAFETY", True),
    ("a wish to go on", sse(event("x", "CONTINUATION")), FailureKind.ITEM_RETRY, "ANSWER_CUT", True),
    ("a reason of the future", sse(event("x", "BORED\x1b[31m")), FailureKind.ITEM_RETRY, "FINISH_OTHER", True),
    (
        "no finish reason",
        sse(event("x", usageMetadata=VIDEO_USAGE)),
        FailureKind.ITEM_RETRY,
        "ANSWER_CUT",
        True,
    ),
    (
        "an unspecified reason",
        sse(event("x", "FINISH_REASON_UNSPECIFIED")),
        FailureKind.ITEM_RETRY,
        "ANSWER_CUT",
        True,
    ),
    ("nothing", b"", FailureKind.ITEM_RETRY, "ANSWER_CUT", True),
]


@pytest.mark.parametrize(("body", "kind", "code", "paid"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_no_unusable_answer_passes_for_a_good_one(body: bytes, kind: FailureKind, code: str, paid: bool) -> None:
    failure = answer_failure(read(body)[0])
    assert failure is not None
    assert (failure.kind, failure.code, failure.maybe_paid) == (kind, code, paid)
    assert failure.message
    assert "\x1b" not in failure.message


FIELDS = [
    *("candidates", "content", "parts", "text", "thought", "finishReason", "usageMetadata", "promptTokenCount"),
    *("promptTokensDetails", "promptFeedback", "blockReason", "error", "modelStatus", "modality"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4), st.binary(max_size=40), st.integers(1, 9))
def test_no_body_breaks_the_reader_and_every_raw_text_reads_the_same_again(
    events: list[Any], tail: bytes, step: int
) -> None:
    answer, shown = read(sse(*events) + tail, step)
    assert shown == answer.text
    assert answer_from_raw(answer.raw) == answer
    answer_failure(answer)


def test_deeply_nested_json_is_kept_as_text() -> None:
    answer, _ = read(b"data: " + b"[" * 200_000 + b"\n\n")
    assert isinstance(json.loads(answer.raw)[0], str)


def test_a_stored_answer_that_is_no_array_is_refused() -> None:
    for raw in ("{}", "", "x"):
        with pytest.raises(ValueError, match=r"array|Expecting"):
            answer_from_raw(raw)
