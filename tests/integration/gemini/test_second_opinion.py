"""The same gateway against somebody else's idea of the API, so that it is not only checked against our own emulator.

Start it with `npx -p @copilotkit/aimock llmock -p 4010 -f tests/integration/gemini/aimock.json` and set
`GSVR_AIMOCK_URL=http://127.0.0.1:4010`.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from gsvr_tui.core.failure import FailureKind
from gsvr_tui.gemini.answers import answer_failure
from gsvr_tui.gemini.gateway import Gateway, GeminiFailure
from gsvr_tui.gemini.types import GenerateRequest

URL = os.environ.get("GSVR_AIMOCK_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="GSVR_AIMOCK_URL names no running aimock")


async def test_a_streamed_answer_is_put_together(gateway_to: Any) -> None:
    gateway: Gateway = gateway_to(URL)
    pieces: list[str] = []
    answer = await gateway.generate(GenerateRequest("gemini-3.8-flash", "hello"), on_text=pieces.append)
    assert answer.text == "".join(pieces) == "Hello! How can I help you today? 你好, in several pieces."
    assert answer.finish_reason == "STOP"
    assert answer_failure(answer) is None


@pytest.mark.parametrize(("prompt", "kind"), [("quota", FailureKind.REST_MINUTE), ("busy", FailureKind.BACKOFF_MODEL)])
async def test_a_refusal_is_classified(gateway_to: Any, prompt: str, kind: FailureKind) -> None:
    gateway: Gateway = gateway_to(URL)
    with pytest.raises(GeminiFailure) as caught:
        await gateway.generate(GenerateRequest("gemini-3.8-flash", prompt))
    assert caught.value.failure.kind is kind


async def test_what_it_does_not_know_is_a_failure_in_words(gateway_to: Any) -> None:
    gateway: Gateway = gateway_to(URL)
    with pytest.raises(GeminiFailure) as caught:
        await gateway.models()
    assert caught.value.failure.message
