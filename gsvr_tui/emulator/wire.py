"""The request's JSON: both spellings accepted, unknown fields refused, everything in camelCase afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gsvr_tui.emulator.errors import bad_json, bad_value, invalid

Spec = Mapping[str, Any]
"""Known fields by camelCase name: None (anything), a type name for scalars, a Spec, or [Spec] for a list of objects."""


def _free(names: str) -> dict[str, Any]:
    """Known fields whose values are not looked into."""
    return dict.fromkeys(names.split())


_BLOB: Spec = {"mimeType": "string", "data": "bytes", "displayName": "string"}
_FILE_DATA: Spec = {"fileUri": "string", "mimeType": "string", "displayName": "string"}
_VIDEO_METADATA: Spec = {"startOffset": "duration", "endOffset": "duration", "fps": "number", "contentLayers": None}
_PART: Spec = {
    "text": "string",
    "thought": "bool",
    "thoughtSignature": "bytes",
    "inlineData": _BLOB,
    "fileData": _FILE_DATA,
    "videoMetadata": _VIDEO_METADATA,
    "functionCall": None,
    "functionResponse": None,
    "executableCode": None,
    "codeExecutionResult": None,
    "toolCall": None,
    "toolResponse": None,
    "partMetadata": None,
    "mediaProcessing": "string",
    **_free("speechMetadata audioMetadata documentMetadata spreadsheetMetadata audioTranscription"),
}
_PART_BETA: Spec = {**_PART, "mediaResolution": {"level": "string", "numTokens": "number"}}
_SCHEMA: dict[str, Any] = _free(
    "type format title description nullable enum maxItems minItems required minProperties maxProperties minLength "
    "maxLength pattern example propertyOrdering default minimum maximum additionalProperties"
)
_SCHEMA["items"] = _SCHEMA
_SCHEMA["anyOf"] = [_SCHEMA]
_SCHEMA["properties"] = {"*": _SCHEMA}
_GENERATION_CONFIG: dict[str, Any] = {
    **_free(
        "stopSequences responseModalities responseJsonSchema speechConfig imageConfig enableEnhancedCivicAnswers "
        "responseFormat audioTimestamp routingConfig modelSelectionConfig"
    ),
    "temperature": "number",
    "topP": "number",
    "topK": "number",
    "seed": "number",
    "presencePenalty": "number",
    "frequencyPenalty": "number",
    "candidateCount": "number",
    "maxOutputTokens": "number",
    "logprobs": "number",
    "responseLogprobs": "bool",
    "responseMimeType": "string",
    "responseSchema": _SCHEMA,
    "mediaResolution": "string",
    "thinkingConfig": {"includeThoughts": "bool", "thinkingBudget": "number", "thinkingLevel": "string"},
}


def _content(part: Spec) -> Spec:
    return {"role": "string", "parts": [part]}


def _generate(part: Spec) -> Spec:
    return {
        "model": "string",
        "contents": [_content(part)],
        "systemInstruction": _content(part),
        "generationConfig": _GENERATION_CONFIG,
        "safetySettings": [{"category": "string", "threshold": "string", "method": "string"}],
        "tools": None,
        "toolConfig": None,
        "cachedContent": "string",
        "serviceTier": "string",
        "store": "bool",
        "labels": None,
    }


GENERATE = {"v1": _generate(_PART), "v1beta": _generate(_PART_BETA)}
COUNT_TOKENS = {
    version: {"contents": spec["contents"], "generateContentRequest": spec} for version, spec in GENERATE.items()
}
UPLOAD_START: Spec = {
    "file": {
        "name": "string",
        "displayName": "string",
        "mimeType": "string",
        "sizeBytes": "number",
        **_free("createTime updateTime expirationTime sha256Hash uri downloadUri state source videoMetadata error"),
    }
}


def camel(name: str) -> str:
    """`file_uri` → `fileUri`; camelCase stays."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest) if rest and head else name


def snake(name: str) -> str:
    """`fileUri` → `file_uri`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def parse(raw: bytes, spec: Spec) -> dict[str, Any]:
    """The body as an object in camelCase. Raises ApiError (400) for bad JSON, unknown fields and wrong types."""
    try:
        data = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as problem:
        text = f"Invalid JSON payload received. {problem}"
        raise invalid(text[:200], "bad_json") from None
    if not isinstance(data, dict):
        raise invalid("Invalid JSON payload received. Root is not an object.", "bad_json")
    unknown: list[tuple[str, str]] = []
    result = _walk(data, spec, "", unknown)
    if unknown:
        raise bad_json(unknown)
    return dict(result)


_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bytes": (str,),
    "bool": (bool,),
    "duration": (str,),
    "number": (int, float, str),  # 64-bit integers travel as strings
}
_WIRE_NAMES = {"string": "TYPE_STRING", "bytes": "TYPE_BYTES", "bool": "TYPE_BOOL", "number": "TYPE_INT32"}


def _walk(value: Any, spec: Any, path: str, unknown: list[tuple[str, str]]) -> Any:
    if spec is None or value is None:
        return value
    if isinstance(spec, str):
        if not isinstance(value, _SCALARS[spec]) or (spec == "number" and isinstance(value, bool)):
            raise bad_value(path, _WIRE_NAMES.get(spec, "type.googleapis.com/google.protobuf.Duration"), value)
        return value
    if isinstance(spec, list):
        items = value if isinstance(value, list) else [value]  # a single object stands for a list of one
        return [_walk(item, spec[0], f"{path}[{index}]", unknown) for index, item in enumerate(items)]
    if not isinstance(value, dict):
        raise bad_value(path, "message", value)
    result = {}
    for name, item in value.items():
        if "*" in spec:
            result[name] = _walk(item, spec["*"], f"{path}.{name}", unknown)
            continue
        known = camel(name)
        if known not in spec:
            unknown.append((path, name))
            continue
        step = snake(known)
        result[known] = _walk(item, spec[known], f"{path}.{step}" if path else step, unknown)
    return result


def seconds(text: str | None, path: str) -> float | None:
    """A protobuf duration (`"12.5s"`). Raises ApiError for anything else."""
    if text is None:
        return None
    match = re.fullmatch(r"(-?\d+(?:\.\d{1,9})?)s", text)
    if not match:
        raise bad_value(path, "type.googleapis.com/google.protobuf.Duration", text)
    return float(match.group(1))


def number(value: Any, path: str) -> float | None:
    """A number that may have travelled as a string."""
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise bad_value(path, "TYPE_INT32", value) from None
