"""Every fault, as the real SDK meets it, streaming and not."""

from __future__ import annotations

import concurrent.futures
import json
import re
import threading
from typing import Any

import httpx2
import pytest
from google.genai import errors, types

from gsvr_tui.emulator import Action, Latency, ManualClock, Rule, Scenario, simple_scenario
from gsvr_tui.emulator.faults import Faults, Subject

from .conftest import KEY, MODEL, Bench, Start, video_bytes

SCHEMA = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "chapters": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"start": {"type": "string"}, "end": {"type": "string"}, "title": {"type": "string"}},
            },
        },
    },
}
JSON_CONFIG: dict[str, Any] = {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError)


def with_rule(start: Start, action: Action, **fields: Any) -> Bench:
    return start(Scenario(simple_scenario(KEY).projects, rules=(Rule(action, **fields),)))


def stream(bench: Bench, *contents: Any, **config: Any) -> list[types.GenerateContentResponse]:
    return list(
        bench.client().models.generate_content_stream(
            model=MODEL, contents=list(contents), config=types.GenerateContentConfig(**config)
        )
    )


def finish(answer: types.GenerateContentResponse) -> str | None:
    reason = answer.candidates[0].finish_reason if answer.candidates else None
    return reason.value if reason else None


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("action", "code", "status", "words"),
    [
        (Action.ERROR_500, 500, "INTERNAL", "An internal error has occurred."),
        (Action.ERROR_503, 503, "UNAVAILABLE", "experiencing high demand"),
        (Action.ERROR_503_OLD, 503, "UNAVAILABLE", "The model is overloaded."),
        (Action.ERROR_504, 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        (Action.ERROR_499, 499, "CANCELLED", "The operation was cancelled."),
        (Action.ERROR_400_ARGUMENT, 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        (Action.ERROR_400_LOCATION, 400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        (Action.ERROR_400_TOKENS, 400, "INVALID_ARGUMENT", "The input token count (1075988) exceeds"),
        (Action.ERROR_403_CALLER, 403, "PERMISSION_DENIED", "The caller does not have permission"),
        (Action.ERROR_403_FILE, 403, "PERMISSION_DENIED", "You do not have permission to access the File"),
        (Action.ERROR_403_SPLITTING, 403, "PERMISSION_DENIED", "dividing one project into multiple projects"),
        (Action.ERROR_404_ENTITY, 404, "NOT_FOUND", "Requested entity was not found."),
        (Action.ERROR_404_NEW_USERS, 404, "NOT_FOUND", "is no longer available to new users"),
        (Action.ERROR_429_MINUTE, 429, "RESOURCE_EXHAUSTED", "Please retry in 38s."),
        (Action.ERROR_429_DAY, 429, "RESOURCE_EXHAUSTED", "limit: 20"),
        (Action.ERROR_429_BARE, 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted"),
        (Action.ERROR_429_SPEND, 429, "RESOURCE_EXHAUSTED", "spend-based rate limit"),
        (Action.ERROR_429_CREDITS, 429, "RESOURCE_EXHAUSTED", "prepayment credits are depleted"),
        (Action.ERROR_IN_LIST, 503, "UNAVAILABLE", "The service is currently unavailable."),
    ],
)
def test_an_error_reads_as_the_services_own(
    start: Start, action: Action, code: int, status: str, words: str, streamed: bool
) -> None:
    bench = with_rule(start, action, count=1)
    with pytest.raises(errors.APIError) as caught:
        stream(bench, "hi") if streamed else bench.ask("hi")
    assert (caught.value.code, caught.value.status) == (code, status)
    assert words in (caught.value.message or "")
    assert bench.ask("hi").text
    entry = bench.server.log[0]
    assert entry.detail.startswith(action.value)
    assert entry.outcome == ("rejected" if code == 429 else "failed")


@pytest.mark.parametrize(("action", "code"), [(Action.ERROR_502_HTML, 502), (Action.ERROR_429_HTML, 429)])
def test_a_gateway_answers_in_html(start: Start, action: Action, code: int) -> None:
    with pytest.raises(errors.APIError) as caught:
        with_rule(start, action).ask("hi")
    assert caught.value.code == code
    assert "<" in (caught.value.message or "")


def test_a_rule_may_say_any_http_error(start: Start) -> None:
    bench = with_rule(start, Action.HTTP, code=418, status="TEAPOT", message="short and stout")
    with pytest.raises(errors.ClientError, match="short and stout") as caught:
        bench.ask("hi")
    assert caught.value.code == 418


def test_html_with_200_is_no_answer(start: Start) -> None:
    answer = with_rule(start, Action.HTML).post("generateContent", {"contents": [{"parts": [{"text": "hi"}]}]})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("action", [Action.DROP, Action.RESET, Action.DROP_MID_BODY, Action.DROP_MID_STREAM])
def test_a_connection_is_cut(start: Start, action: Action, streamed: bool) -> None:
    bench = with_rule(start, action, count=1)
    with pytest.raises(BROKEN):
        stream(bench, "hi") if streamed else bench.ask("hi")
    assert bench.ask("hi").text
    assert bench.server.log[0].outcome == "dropped"


async def test_the_async_client_meets_a_cut_stream_after_some_blocks(start: Start) -> None:
    bench = with_rule(start, Action.DROP_MID_STREAM)
    client = bench.client()
    blocks = await client.aio.models.generate_content_stream(model=MODEL, contents="hi")
    assert (await anext(blocks)).text
    with pytest.raises(BROKEN):
        [block async for block in blocks]
    await client.aio.aclose()


def test_a_reset_is_a_reset_and_a_drop_an_orderly_end(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY).projects, rules=(Rule(Action.RESET, nth=(1,)), Rule(Action.DROP))))
    with pytest.raises(httpx2.ReadError):
        bench.ask("hi")
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        bench.ask("hi")


def test_a_hang_ends_when_the_client_gives_up(start: Start) -> None:
    bench = with_rule(start, Action.HANG, count=1)
    with pytest.raises(httpx2.ReadTimeout):
        bench.http.post(
            f"/v1beta/models/{MODEL}:generateContent",
            json={"contents": [{"parts": [{"text": "hi"}]}]},
            headers={"x-goog-api-key": KEY},
            timeout=0.2,
        )
    entry = bench.server.wait_for(lambda entries: bool(entries))[0]
    assert (entry.outcome, entry.detail) == ("abandoned", "hang")
    assert bench.ask("hi").text


def test_a_hang_of_some_length_ends_in_504(start: Start, clock: ManualClock) -> None:
    rules = (Rule(Action.HANG, seconds=120),)
    bench = start(Scenario(simple_scenario(KEY).projects, rules=rules), clock=clock)
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            clock.advance(10)

    ticking = threading.Thread(target=tick)
    ticking.start()
    with pytest.raises(errors.ServerError) as caught:
        bench.ask("hi")
    done.set()
    ticking.join()
    assert caught.value.code == 504
    assert bench.server.log[0].ended - bench.server.log[0].time >= 120


def test_stopping_cuts_what_hangs(start: Start) -> None:
    bench = with_rule(start, Action.HANG)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bench.ask, "hi")
        while not bench.http.get("/__emulator__/state").json()["rules"][0]["done"]:
            pass
        bench.server.stop()
        with pytest.raises(BROKEN):
            asked.result(timeout=10)


def test_a_stream_may_end_without_a_reason(start: Start) -> None:
    bench = with_rule(start, Action.TRUNCATED_STREAM)
    blocks = stream(bench, bench.upload(), "hi", **JSON_CONFIG)
    assert all(finish(block) is None for block in blocks)
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(block.text or "" for block in blocks))


def test_a_stream_may_bring_an_error_after_some_blocks(start: Start) -> None:
    bench = with_rule(start, Action.SSE_ERROR)
    blocks = iter(bench.client().models.generate_content_stream(model=MODEL, contents="hi"))
    assert next(blocks).text
    with pytest.raises(errors.APIError) as caught:
        list(blocks)
    assert caught.value.code == 503


@pytest.mark.parametrize("streamed", [False, True])
def test_half_a_json_body_is_unreadable(start: Start, streamed: bool) -> None:
    bench = with_rule(start, Action.NOT_JSON)
    with pytest.raises((errors.UnknownApiResponseError, json.JSONDecodeError)):
        stream(bench, "hi") if streamed else bench.ask("hi")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("action", "reason", "text"),
    [
        (Action.EMPTY_TEXT, "STOP", ""),
        (Action.MAX_TOKENS_EMPTY, "MAX_TOKENS", None),
        (Action.THOUGHT_ONLY, "STOP", None),
        (Action.SAFETY, "SAFETY", None),
        (Action.RECITATION, "RECITATION", None),
        (Action.OTHER, "OTHER", None),
    ],
)
def test_an_answer_may_hold_no_text(
    start: Start, action: Action, reason: str, text: str | None, streamed: bool
) -> None:
    bench = with_rule(start, action)
    answers = stream(bench, "hi") if streamed else [bench.ask("hi")]
    assert finish(answers[-1]) == reason
    assert not any(answer.text for answer in answers)
    if not streamed:
        assert answers[0].text == text
    usage = answers[-1].usage_metadata
    assert usage is not None
    assert usage.thoughts_token_count


def test_thoughts_are_marked_as_such(start: Start) -> None:
    answer = with_rule(start, Action.THOUGHT_ONLY).ask("hi")
    assert answer.candidates is not None
    content = answer.candidates[0].content
    assert content is not None
    assert [part.thought for part in content.parts or []] == [True]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_blocked_prompt_has_no_candidates(start: Start, streamed: bool) -> None:
    bench = with_rule(start, Action.BLOCKED_PROMPT)
    answer = stream(bench, "hi")[-1] if streamed else bench.ask("hi")
    assert answer.candidates is None
    assert answer.prompt_feedback is not None
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize(("action", "reason"), [(Action.MAX_TOKENS, "MAX_TOKENS"), (Action.CUT_JSON, "STOP")])
def test_json_may_be_cut(start: Start, action: Action, reason: str) -> None:
    bench = with_rule(start, action)
    answer = bench.ask(bench.upload(), "hi", **JSON_CONFIG)
    assert finish(answer) == reason
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text or "")


def test_text_may_loop(start: Start) -> None:
    bench = with_rule(start, Action.LOOP_TEXT)
    summary = json.loads(bench.ask(bench.upload(), "hi", **JSON_CONFIG).text or "")["summary"]
    sentences = [sentence for sentence in summary.split(". ") if sentence]
    assert len({sentence.rstrip(".") for sentence in sentences}) == 1
    assert len(sentences) >= 10


def seconds(text: str) -> int:
    parts = [int(part) for part in text.split(":")]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def test_times_may_lie_past_the_end_or_stop_too_early(start: Start) -> None:
    rules = (Rule(Action.TIMES_PAST_END, nth=(1,)), Rule(Action.SHORT_COVERAGE, after=0, nth=(1,)))
    bench = start(Scenario(simple_scenario(KEY).projects, rules=rules))
    file = bench.upload(video_bytes(600))
    past = json.loads(bench.ask(file, "hi", **JSON_CONFIG).text or "")["chapters"]
    assert seconds(past[-1]["end"]) > 600
    early = json.loads(bench.ask(file, "hi", **JSON_CONFIG).text or "")["chapters"]
    assert seconds(early[-1]["end"]) == 240
    good = json.loads(bench.ask(file, "hi", **JSON_CONFIG).text or "")["chapters"]
    assert seconds(good[-1]["end"]) == 600


def test_the_language_may_be_wrong(start: Start) -> None:
    bench = with_rule(start, Action.WRONG_LANGUAGE)
    answer = bench.ask(bench.upload(), "Output language: en", **JSON_CONFIG)
    assert re.search(r"[\u4e00-\u9fff]{20}", json.loads(answer.text or "")["summary"])


def test_rules_match_by_project_model_name_time_and_turn(start: Start, clock: ManualClock) -> None:
    bench = start(
        Scenario(
            simple_scenario(KEY).projects,
            rules=(
                Rule(Action.ERROR_500, display_name="bad*.mp4"),
                Rule(Action.ERROR_504, model="gemini-3.6-flash"),
                Rule(Action.ERROR_499, project="somebody else"),
                Rule(Action.ERROR_503, from_s=100, until_s=110),
                Rule(Action.ERROR_400_ARGUMENT, streamed=True, every=2),
            ),
        ),
        clock=clock,
    )
    with pytest.raises(errors.ServerError) as caught:
        bench.ask(bench.upload(name="bad one.mp4"), "hi")
    assert caught.value.code == 500
    assert bench.ask(bench.upload(name="good one.mp4"), "hi").text
    with pytest.raises(errors.ServerError) as caught:
        bench.ask("hi", model="gemini-3.6-flash")
    assert caught.value.code == 504
    assert stream(bench, "hi")
    with pytest.raises(errors.ClientError):
        stream(bench, "hi")
    assert stream(bench, "hi")
    clock.advance(100)
    with pytest.raises(errors.ServerError) as caught:
        bench.ask("hi")
    assert caught.value.code == 503
    clock.advance(10)
    assert bench.ask("hi").text


def test_polling_and_listing_may_fail_too(start: Start) -> None:
    rules = (Rule(Action.ERROR_500, kind="list_files"), Rule(Action.DROP, kind="get_file", count=1))
    bench = start(Scenario(simple_scenario(KEY).projects, rules=rules))
    file = bench.upload()
    with pytest.raises(errors.ServerError):
        bench.client().files.list()
    with pytest.raises(BROKEN):
        bench.client().files.get(name=file.name or "")
    assert bench.client().files.get(name=file.name or "").name == file.name


def test_chance_hits_about_as_often_as_told_whatever_the_order() -> None:
    chances = {Action.ERROR_503: 0.1, Action.DROP: 0.1}

    def hits(seed: int, order: list[int]) -> dict[int, Action]:
        faults = Faults(seed, 0.0, chances)
        found = {}
        for index in order:
            rule = faults.pick(Subject("generate", project=f"p{index % 3}", model="m", identity=str(index)), 1.0)
            if rule is not None:
                found[index] = rule.action
        return found

    forwards = hits(7, list(range(3000)))
    assert forwards == hits(7, list(reversed(range(3000))))
    assert forwards != hits(8, list(range(3000)))
    assert 500 < len(forwards) < 700
    assert set(forwards.values()) == set(chances)


def test_a_repeat_draws_again() -> None:
    faults = Faults(1, 0.0, {Action.ERROR_503: 0.5})
    drawn = [faults.pick(Subject("generate", identity="same"), 1.0) is not None for _ in range(40)]
    assert 8 < sum(drawn) < 32


def test_latency_grows_with_the_video_and_spreads(start: Start) -> None:
    latency = Latency(base_s=30, per_minute_s=30, spread=0.2)
    bench = start(Scenario(simple_scenario(KEY).projects, latency=latency, time_factor=1500))
    file = bench.upload(video_bytes(120))
    for _ in range(6):
        bench.ask(file, "hi")
    took = [entry.ended - entry.time for entry in bench.server.log if entry.kind == "generate"]
    assert min(took) >= 90 * 0.8
    assert len({round(one) for one in took}) > 1
