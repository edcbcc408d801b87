"""A generate or count request, understood: who asks what of which stretch of which video."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsvr_tui.emulator.answer import DEFAULT_SCHEMA, Scene
from gsvr_tui.emulator.errors import invalid, too_many_tokens
from gsvr_tui.emulator.files import FileStore, StoredFile
from gsvr_tui.emulator.probe import Probe, VideoFacts
from gsvr_tui.emulator.scenario import ModelSpec
from gsvr_tui.emulator.tokens import Clip, PromptTokens, prompt_tokens
from gsvr_tui.emulator.wire import number, seconds

_LANGUAGE = re.compile(r"^[ \t]*Output language:[ \t]*(\S[^\n]*)", re.MULTILINE)
_BCP_47 = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_FILE_NAME = re.compile(r"files/[a-z0-9][a-z0-9-]*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_RESOLUTIONS = {
    "MEDIA_RESOLUTION_LOW": "LOW",
    "MEDIA_RESOLUTION_MEDIUM": "MEDIUM",
    "MEDIA_RESOLUTION_HIGH": "HIGH",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "HIGH",
    "MEDIA_RESOLUTION_UNSPECIFIED": "",
}
_URL_SAFE = str.maketrans("-_", "+/")  # the SDK writes base64 this way, others the other; the service reads both
_THOUGHTS = {"": 0, "MINIMAL": 0, "LOW": 120, "MEDIUM": 420, "HIGH": 1300, "XHIGH": 2600}


@dataclass(frozen=True, slots=True)
class Call:
    """What a generateContent request amounts to."""

    model: str  # as asked
    spec: ModelSpec  # that answers
    scene: Scene
    tokens: PromptTokens
    schema: Mapping[str, Any] | None
    file: StoredFile | None
    source: str  # sha256 of the video; empty without one
    prompt_hash: str
    start_offset_s: float | None
    end_offset_s: float | None
    max_output: int | None
    thought_tokens: int
    include_thoughts: bool
    agentic: bool

    @property
    def identity(self) -> str:
        """The same for a repeat of the request, on whatever project."""
        return f"{self.source}|{self.prompt_hash}|{self.start_offset_s}|{self.end_offset_s}"


@dataclass(frozen=True, slots=True)
class _Media:
    clip: Clip
    facts: VideoFacts
    sha256: str
    file: StoredFile | None
    start: float | None
    end: float | None


class Reader:
    """Turns parsed bodies into calls. Needs the files and, for inline videos, the probe and a folder."""

    def __init__(self, store: FileStore, probe: Probe, folder: Path, language: str) -> None:
        self._store = store
        self._probe = probe
        self._folder = folder
        self._language = language

    async def count(self, body: Mapping[str, Any], spec: ModelSpec, project: str) -> PromptTokens:
        """Tokens of a countTokens request. Raises ApiError."""
        inner = body.get("generateContentRequest") or body
        config = inner.get("generationConfig") or {}
        texts, media = await self._contents(inner, project, config, agentic=False)
        return prompt_tokens(spec, "\n".join(texts), [one.clip for one in media])

    async def read(self, body: Mapping[str, Any], model: str, spec: ModelSpec, project: str, version: str) -> Call:
        """A generate request. Raises ApiError for whatever the service would refuse."""
        config = body.get("generationConfig") or {}
        if not body.get("contents"):
            raise invalid("* GenerateContentRequest.contents: contents is not specified", "no_contents")
        agentic = spec.agentic and version == "v1beta"  # anywhere else the wish for it is silently dropped
        texts, media = await self._contents(body, project, config, agentic=agentic)
        schema = _schema(config)
        thoughts, include = _thinking(config, spec)
        prompt = "\n".join(texts)
        tokens = prompt_tokens(spec, prompt, [one.clip for one in media])
        if tokens.prompt > spec.input_tokens:
            raise too_many_tokens(tokens.prompt, spec.input_tokens)
        first = media[0] if media else None
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass"))
        digest.update(json.dumps(schema, sort_keys=True).encode())
        maximum = number(config.get("maxOutputTokens"), "generation_config.max_output_tokens")
        return Call(
            model=model,
            spec=spec,
            scene=Scene(
                video_s=first.facts.duration_s if first else 0.0,
                start_s=first.clip.start_s if first else 0.0,
                end_s=first.clip.end_s if first else 0.0,
                has_audio=first.facts.has_audio if first else False,
                language=self._language_of(prompt),
            ),
            tokens=tokens,
            schema=schema,
            file=first.file if first else None,
            source=first.sha256 if first else "",
            prompt_hash=digest.hexdigest()[:16],
            start_offset_s=first.start if first else None,
            end_offset_s=first.end if first else None,
            max_output=None if maximum is None else int(maximum),
            thought_tokens=thoughts,
            include_thoughts=include,
            agentic=bool(first and first.clip.agentic),
        )

    def _language_of(self, prompt: str) -> str:
        named = _LANGUAGE.findall(prompt)
        if named:
            words = str(named[-1])
            code = words.split()[0].strip(".,;()`\"'")
            if _BCP_47.fullmatch(code):
                return code
            return "zh-Hans" if "chinese" in words.lower() or _HAN.search(words) else "en"
        han = len(_HAN.findall(prompt))
        return "zh-Hans" if han > 20 and han * 3 > len(prompt) else self._language

    async def _contents(
        self, body: Mapping[str, Any], project: str, config: Mapping[str, Any], *, agentic: bool
    ) -> tuple[list[str], list[_Media]]:
        texts: list[str] = []
        media: list[_Media] = []
        system = body.get("systemInstruction") or {}
        texts += [part["text"] for part in system.get("parts") or [] if part.get("text")]
        general = _resolution(config.get("mediaResolution"))
        for index, content in enumerate(body.get("contents") or []):
            for at, part in enumerate(content.get("parts") or []):
                if part.get("text"):
                    texts.append(part["text"])
                elif "fileData" in part or "inlineData" in part:
                    path = f"contents[{index}].parts[{at}]"
                    one = await self._medium(part, project, general, path, agentic=agentic)
                    if one is not None:
                        media.append(one)
        if len(media) > 10:
            raise invalid("Please use at most 10 videos per request.", "too_many_videos")
        return texts, media

    async def _medium(
        self, part: Mapping[str, Any], project: str, general: str, path: str, *, agentic: bool
    ) -> _Media | None:
        file: StoredFile | None = None
        if "fileData" in part:
            uri = str(part["fileData"].get("fileUri") or "")
            name = _FILE_NAME.search(uri)
            if not name:  # YouTube and other addresses are not emulated
                raise invalid(detail="file_uri")
            file = self._store.usable(name.group(), project)
            facts, digest = file.facts, file.sha256
        else:
            facts, digest = await self._inline(part["inlineData"])
        if facts is None:
            return None
        details = part.get("videoMetadata") or {}
        start = seconds(details.get("startOffset"), f"{path}.video_metadata.start_offset")
        end = seconds(details.get("endOffset"), f"{path}.video_metadata.end_offset")
        fps = number(details.get("fps"), f"{path}.video_metadata.fps")
        first = start or 0.0
        last = facts.duration_s if end is None else min(end, facts.duration_s)
        if first < 0 or last <= first or (fps is not None and not 0 < fps <= 24):
            raise invalid(detail="video_metadata")
        if agentic and part.get("mediaProcessing") == "AGENTIC":  # offsets and fps mean nothing to it
            clip = Clip(0.0, facts.duration_s, facts.has_audio, agentic=True)
            return _Media(clip, facts, digest, file, start, end)
        layers = [str(layer).upper() for layer in details.get("contentLayers") or []]
        own = (part.get("mediaResolution") or {}).get("level")
        clip = Clip(
            start_s=first,
            end_s=last,
            has_audio=facts.has_audio,
            fps=1.0 if fps is None else fps,
            resolution=_resolution(own) or general,
            frames=not layers or any("FRAMES" in layer for layer in layers),
            sound=not layers or any("AUDIO" in layer for layer in layers),
        )
        return _Media(clip, facts, digest, file, start, end)

    async def _inline(self, blob: Mapping[str, Any]) -> tuple[VideoFacts | None, str]:
        text = str(blob.get("data") or "").translate(_URL_SAFE)
        try:
            data = base64.b64decode(text, validate=False)
        except binascii.Error:
            raise invalid(detail="inline_data") from None
        if not str(blob.get("mimeType") or "").startswith("video/"):
            return None, ""

        def look() -> VideoFacts | None:
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as sink:
                sink.write(data)
            path = Path(sink.name)
            try:
                return self._probe(path)
            finally:
                path.unlink(missing_ok=True)

        facts = await asyncio.to_thread(look)
        if facts is None:
            raise invalid(detail="inline_video")
        return facts, hashlib.sha256(data).hexdigest()


def _resolution(value: Any) -> str:
    if value is None:
        return ""
    if value not in _RESOLUTIONS:
        raise invalid(f"Invalid value at 'generation_config.media_resolution' (TYPE_ENUM), \"{value}\"", "resolution")
    return _RESOLUTIONS[value]


def _schema(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    mime = config.get("responseMimeType") or ""
    open_api, plain = config.get("responseSchema"), config.get("responseJsonSchema")
    if open_api is not None and plain is not None:
        raise invalid("Only one of response_schema and response_json_schema may be set.", "two_schemas")
    schema = open_api if open_api is not None else plain
    if schema is not None:
        if mime not in ("application/json", "text/x.enum"):
            text = f"Response schema specified with an unsupported mime type: '{mime or 'text/plain'}'"
            raise invalid(text, "schema_mime")
        if not isinstance(schema, Mapping):
            raise invalid(detail="schema")
        return schema
    return DEFAULT_SCHEMA if mime == "application/json" else None


def _thinking(config: Mapping[str, Any], spec: ModelSpec) -> tuple[int, bool]:
    thinking = config.get("thinkingConfig") or {}
    level = str(thinking.get("thinkingLevel") or "").upper()
    budget = number(thinking.get("thinkingBudget"), "generation_config.thinking_config.thinking_budget")
    if level and budget is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.", "thinking")
    if level and level != "THINKING_LEVEL_UNSPECIFIED":
        if not spec.thinking_levels:
            raise invalid("Thinking level is not supported for this model.", "thinking")
        if level not in spec.thinking_levels:
            raise invalid(f"Thinking level {level} is not supported for this model.", "thinking")
    else:
        level = spec.default_thinking
    thoughts = _THOUGHTS.get(level, 420)
    if budget is not None and budget >= 0:
        thoughts = min(thoughts or 420, int(budget))
    return thoughts, bool(thinking.get("includeThoughts"))
