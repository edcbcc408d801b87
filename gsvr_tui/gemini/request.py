"""Builds the SDK's arguments of a GenerateRequest. Imported with the SDK, on the first use."""

from __future__ import annotations

from typing import Any

from google.genai import types

from gsvr_tui.gemini.types import GenerateRequest

_RESOLUTION = {
    "low": types.MediaResolution.MEDIA_RESOLUTION_LOW,
    "medium": types.MediaResolution.MEDIA_RESOLUTION_MEDIUM,
    "high": types.MediaResolution.MEDIA_RESOLUTION_HIGH,
}


def offset(seconds: float) -> str:
    """Seconds as the API writes them: "125s", "0.5s"."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def file_part(uri: str, mime_type: str) -> types.Part:
    """A part that names an uploaded file."""
    return types.Part(file_data=types.FileData(file_uri=uri, mime_type=mime_type))


def contents_of(request: GenerateRequest) -> list[types.ContentUnion | types.PartUnion]:
    """One user turn: the video first, then the prompt, so that the beginning is the same for all prompts of a video."""
    parts: list[types.Part] = []
    if request.file_uri:
        video = file_part(request.file_uri, request.mime_type)
        if request.agentic:
            video.media_processing = types.MediaProcessing.AGENTIC
        elif not (request.start_s is None and request.end_s is None and request.fps is None):
            video.video_metadata = types.VideoMetadata(
                start_offset=None if request.start_s is None else offset(request.start_s),
                end_offset=None if request.end_s is None else offset(request.end_s),
                fps=request.fps,
            )
        parts.append(video)
    parts.append(types.Part(text=request.prompt))
    return [types.Content(role="user", parts=parts)]


def config_of(request: GenerateRequest) -> types.GenerateContentConfig:
    """Everything else. What is not asked for is not sent."""
    options: dict[str, Any] = {
        # A follow-up request would be paid without anybody having asked for it.
        "automatic_continuation": False,
        "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
    }
    if request.system:
        options["system_instruction"] = request.system
    if request.resolution:
        options["media_resolution"] = _RESOLUTION[request.resolution]
    if request.schema is not None:
        options["response_mime_type"] = "application/json"
        options["response_json_schema"] = dict(request.schema)
    if request.max_output_tokens is not None:
        options["max_output_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.thinking_level:
        options["thinking_config"] = types.ThinkingConfig(
            thinking_level=types.ThinkingLevel(request.thinking_level.upper())
        )
    elif request.thinking_budget is not None:
        options["thinking_config"] = types.ThinkingConfig(thinking_budget=request.thinking_budget)
    return types.GenerateContentConfig(**options)
