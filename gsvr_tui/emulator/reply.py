"""Writes the response of a call, good or spoilt, whole or in blocks."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gsvr_tui.emulator.answer import Answerer, Scene, is_time
from gsvr_tui.emulator.call import Call
from gsvr_tui.emulator.prose import Writer
from gsvr_tui.emulator.scenario import Action
from gsvr_tui.emulator.tokens import text_tokens

_BLOCK_CHARS = 240
_MOST_BLOCKS = 24
_RATINGS = [
    {"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"}
    for name in ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")
]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, not yet cut into blocks."""

    call: Call
    response_id: str
    created: str
    text: str | None = None  # None: no text part at all
    thought: str = ""
    finish: str | None = "STOP"
    blocked: str = ""
    thought_tokens: int = 0
    cached: int = 0
    ratings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def output_tokens(self) -> int:
        """Tokens of the text."""
        return text_tokens(self.text or "")

    def usage(self, text: str, thinking_done: bool = True) -> dict[str, Any]:
        """`usageMetadata` after so much text."""
        tokens = self.call.tokens
        candidates = text_tokens(text)
        thoughts = self.thought_tokens if thinking_done else 0
        usage: dict[str, Any] = {"promptTokenCount": tokens.prompt}
        if candidates:
            usage["candidatesTokenCount"] = candidates
        usage["totalTokenCount"] = tokens.prompt + candidates + thoughts + tokens.tool
        if self.cached:
            usage["cachedContentTokenCount"] = self.cached
            usage["cacheTokensDetails"] = [{"modality": "VIDEO", "tokenCount": self.cached}]
        usage["promptTokensDetails"] = tokens.details()
        if tokens.tool:
            usage["toolUsePromptTokenCount"] = tokens.tool
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        usage["serviceTier"] = "standard"
        return usage

    def _shell(self, usage: dict[str, Any]) -> dict[str, Any]:
        return {
            "usageMetadata": usage,
            "modelVersion": self.call.spec.name,
            "createTime": self.created,
            "responseId": self.response_id,
        }

    def _candidate(self, parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"} if parts else {}}
        if finish:
            candidate["finishReason"] = finish
        candidate["index"] = 0
        if self.ratings:
            candidate["safetyRatings"] = self.ratings
        return candidate

    def _block(self, parts: list[dict[str, Any]], finish: str | None, text: str) -> dict[str, Any]:
        return {"candidates": [self._candidate(parts, finish)], **self._shell(self.usage(text))}

    def _blocked(self) -> dict[str, Any]:
        feedback: dict[str, Any] = {"blockReason": self.blocked}
        if self.blocked == "SAFETY":
            feedback["safetyRatings"] = [{**_RATINGS[0], "probability": "HIGH", "blocked": True}]
        return {"promptFeedback": feedback, **self._shell(self.usage("", thinking_done=False))}

    def _thought_parts(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        if self.call.agentic:
            tool = {"id": self.response_id[:8], "toolType": "MEDIA_PROCESSING"}
            parts += [{"toolCall": {**tool, "args": {}}}, {"toolResponse": {**tool, "response": {}}}]
        return parts + ([{"text": self.thought, "thought": True}] if self.thought else [])

    def whole(self) -> dict[str, Any]:
        """The response of generateContent."""
        if self.blocked:
            return self._blocked()
        parts = self._thought_parts()
        if self.text is not None:
            parts.append({"text": self.text})
        if parts and self.thought_tokens:
            signature = hashlib.sha256(self.response_id.encode()).digest()
            parts[-1]["thoughtSignature"] = base64.b64encode(signature).decode()
        return self._block(parts, self.finish, self.text or "")

    def blocks(self) -> Iterator[dict[str, Any]]:
        """The responses of streamGenerateContent: text in pieces, running usage, finishReason in the last."""
        if self.blocked:
            yield self._blocked()
            return
        before = self._thought_parts()
        if before:
            yield self._block(before, None, "")
        if not self.text:
            yield self._block([{"text": self.text}] if self.text is not None else [], self.finish, "")
            return
        count = max(2, min(_MOST_BLOCKS, len(self.text) // _BLOCK_CHARS))
        size = -(-len(self.text) // count)
        for at in range(0, len(self.text), size):
            done = min(len(self.text), at + size)
            finish = self.finish if done == len(self.text) else None
            yield self._block([{"text": self.text[at:done]}], finish, self.text[:done])


def _scene_for(scene: Scene, action: Action | None) -> Scene:
    if action is Action.TIMES_PAST_END:
        return replace(scene, end_s=scene.end_s * 1.5 + 60)
    if action is Action.SHORT_COVERAGE:
        return replace(scene, end_s=scene.start_s + scene.seconds * 0.4)
    if action is Action.WRONG_LANGUAGE:
        return replace(scene, language="en" if scene.language.lower().startswith("zh") else "zh-Hans")
    return scene


def _looping(value: Any, texts: Iterator[str], name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _looping(item, texts, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_looping(item, texts, name) for item in value]
    return next(texts) if isinstance(value, str) and len(value) > 30 and not is_time(name) else value


def write_text(call: Call, action: Action | None) -> str:
    """The text of the answer, with the faults that lie in what it says."""
    scene = _scene_for(call.scene, action)
    seed = f"{call.source}|{call.prompt_hash if not call.source else ''}|{call.scene.start_s}"
    writer = Writer(seed, scene.language)
    answerer = Answerer(scene, writer, call.schema or {})
    if call.schema is None:
        text = answerer.plain()
        return " ".join([writer.sentence("loop")] * 60) if action is Action.LOOP_TEXT else text
    value = answerer.build()
    if action is Action.LOOP_TEXT:
        stuck = writer.sentence("loop")  # one text goes on and on, the others say the same once
        value = _looping(value, itertools.chain([" ".join([stuck] * 40)], itertools.repeat(stuck)))
    return json.dumps(value, ensure_ascii=False)


_WITHOUT_TEXT = {
    Action.SAFETY: "SAFETY",
    Action.RECITATION: "RECITATION",
    Action.OTHER: "OTHER",
    Action.MAX_TOKENS_EMPTY: "MAX_TOKENS",
}


def make_reply(call: Call, action: Action | None, response_id: str, created: str, cached: int) -> Reply:
    """The reply to a call, spoilt by `action` if that is a fault of content."""
    reply = Reply(call, response_id, created, thought_tokens=call.thought_tokens, cached=cached)
    if action is Action.BLOCKED_PROMPT:
        return replace(reply, blocked="PROHIBITED_CONTENT", thought_tokens=0)
    if action in _WITHOUT_TEXT:
        eaten = call.max_output if action is Action.MAX_TOKENS_EMPTY and call.max_output else call.thought_tokens
        ratings = [{**_RATINGS[3], "probability": "HIGH", "blocked": True}] if action is Action.SAFETY else []
        return replace(reply, finish=_WITHOUT_TEXT[action], thought_tokens=eaten, ratings=ratings)
    if action is Action.EMPTY_TEXT:
        return replace(reply, text="")
    thought = (
        "**Looking at the video**\n\nI go through the frames and the sound in order." if call.include_thoughts else ""
    )
    if action is Action.THOUGHT_ONLY:
        return replace(reply, thought=thought or "**Looking at the video**\n\nI should list the chapters first.")
    text = write_text(call, action)
    finish: str | None = "STOP"
    if action in (Action.CUT_JSON, Action.MAX_TOKENS, Action.TRUNCATED_STREAM):
        text = text[: max(1, int(len(text) * 0.6))]
        finish = {Action.MAX_TOKENS: "MAX_TOKENS", Action.TRUNCATED_STREAM: None}.get(action, "STOP")
    return _within(replace(reply, text=text, thought=thought, finish=finish))


def _within(reply: Reply) -> Reply:
    """Keep to the request's own maxOutputTokens, which thinking uses up first."""
    limit = reply.call.max_output
    if limit is None or reply.thought_tokens + reply.output_tokens <= limit:
        return reply
    left = limit - reply.thought_tokens
    if left <= 0:
        return replace(reply, text=None, thought="", finish="MAX_TOKENS", thought_tokens=limit)
    text = reply.text or ""
    share = left / max(1, reply.output_tokens)
    return replace(reply, text=text[: int(len(text) * share)], finish="MAX_TOKENS")
