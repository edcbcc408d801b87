"""Makes an answer that fits the request's own schema and the real video.

Strings named `start`, `end`, `time` or `…_time` are times of the video (`MM:SS`, from one hour on `H:MM:SS`): they
ascend over the items of an array, which share out the range without gaps, the last one up to its very end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gsvr_tui.emulator.prose import Writer, clock_text
from gsvr_tui.emulator.wire import snake

_SECONDS_PER_ITEM = 20.0
_MOST_ITEMS = 40
_DEEPEST = 24

_LONG = {"summary", "abstract", "overview", "description", "synopsis", "report", "explanation", "analysis", "body",
         "conclusion", "notes", "narrative", "content", "details", "discussion"}  # fmt: skip
_SHORT = {"title", "name", "heading", "headline", "topic", "label", "subject", "theme", "chapter", "caption"}
_TERMS = {"term", "keyword", "tag", "speaker", "person", "concept", "category", "object", "place", "role", "word"}


@dataclass(frozen=True, slots=True)
class Scene:
    """What the answer is about: the whole video's length and the range that was asked for, in seconds."""

    video_s: float
    start_s: float
    end_s: float
    has_audio: bool
    language: str

    @property
    def seconds(self) -> float:
        """Length of the range."""
        return max(0.0, self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the answer we are, and which stretch of the video belongs to it."""

    path: str
    name: str
    start: float
    end: float
    last: bool  # the stretch ends where the range ends
    depth: int = 0

    def down(self, step: str, **change: Any) -> _Place:
        """The place one step below: the same stretch and the step as name, unless changed."""
        values = {"name": step, "start": self.start, "end": self.end, "last": self.last, **change}
        return _Place(path=f"{self.path}/{step}", depth=self.depth + 1, **values)


def get(schema: Mapping[str, Any], name: str) -> Any:
    """A keyword of a schema in either spelling."""
    found = schema.get(name)
    return found if found is not None else schema.get(snake(name))


def _integer(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None


def _float(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _plain(name: str) -> str:
    """A property's name in snake_case without a unit: `startSeconds` and `start_s` are `start`."""
    plain = snake(name).lower()
    for unit in ("_seconds", "_sec", "_s"):
        plain = plain.removesuffix(unit)
    return plain


def is_time(name: str) -> bool:
    """True for the names that mean a time of the video."""
    plain = _plain(name)
    return plain in ("start", "end", "time") or plain.endswith("_time")


class Answerer:
    """One answer to one request."""

    def __init__(self, scene: Scene, writer: Writer, root: Mapping[str, Any]) -> None:
        self._scene = scene
        self._writer = writer
        self._root = root
        self._facts_told = False

    def build(self) -> Any:
        """The whole answer."""
        place = _Place("", "", self._scene.start_s, self._scene.end_s, True)
        return self._value(self._root, place)

    # the walk

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            reference = get(schema, "$ref") or schema.get("ref")
            if not isinstance(reference, str):
                return schema
            target: Any = self._root
            for step in reference.lstrip("#").strip("/").split("/"):
                target = target.get(step) if isinstance(target, Mapping) and step else target
            if not isinstance(target, Mapping):
                return {"type": "string"}
            schema = target
        return {"type": "null"}

    def _value(self, schema: Any, place: _Place) -> Any:
        if not isinstance(schema, Mapping) or place.depth > _DEEPEST:
            return None
        schema = self._resolve(schema)
        for keyword in ("anyOf", "oneOf"):
            options = get(schema, keyword)
            if isinstance(options, list) and options:
                return self._value(self._choose(options, place), place)
        all_of = get(schema, "allOf")
        if isinstance(all_of, list) and len(all_of) == 1:
            return self._value(all_of[0], place)
        if "const" in schema:
            return schema["const"]
        choices = [choice for choice in (get(schema, "enum") or []) if choice is not None]
        kind = self._kind(schema)
        if choices:
            picked = self._writer.random(place.path + "#enum").choice(choices)
            return _as_kind(picked, kind)
        maker = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
        }.get(kind)
        return maker(schema, place) if maker else None

    def _choose(self, options: list[Any], place: _Place) -> Any:
        real = [option for option in options if isinstance(option, Mapping) and self._kind(option) != "null"]
        if not real:
            return options[0]
        first = self._resolve(real[0])
        if self._kind(first) == "object" and len(real) > 1:
            return self._writer.random(place.path + "#any").choice(real)
        return first

    @staticmethod
    def _kind(schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if str(one).lower() != "null"), "null")
        if isinstance(kind, str) and kind.lower() != "type_unspecified":
            return kind.lower()
        if get(schema, "properties"):
            return "object"
        return "array" if get(schema, "items") else "string"

    def _object(self, schema: Mapping[str, Any], place: _Place) -> dict[str, Any]:
        properties = get(schema, "properties") or {}
        order = [name for name in (get(schema, "propertyOrdering") or []) if name in properties]
        names = order + [name for name in properties if name not in order]
        single = self._single_time(properties)
        result = {}
        for name in names:
            below = place.down(name)
            if single and place.last and is_time(name):
                below = place.down(name, start=place.end)  # the last moment of a list of moments is the very end
            result[name] = self._value(properties[name], below)
        return result

    def _single_time(self, properties: Mapping[str, Any]) -> bool:
        times = [name for name in properties if is_time(name)]
        return len(times) == 1 and not snake(times[0]).lower().startswith("start")

    def _timed(self, schema: Any, depth: int = 0) -> bool:
        if not isinstance(schema, Mapping) or depth > 2:
            return False
        schema = self._resolve(schema)
        options = get(schema, "anyOf") or get(schema, "oneOf")
        if isinstance(options, list):
            return any(self._timed(option, depth + 1) for option in options)
        properties = get(schema, "properties") or {}
        return any(is_time(name) or self._timed(inner, depth + 1) for name, inner in properties.items())

    def _array(self, schema: Mapping[str, Any], place: _Place) -> list[Any]:
        prefix = get(schema, "prefixItems")
        if isinstance(prefix, list):
            return [self._value(item, place.down(str(index), name=place.name)) for index, item in enumerate(prefix)]
        items = get(schema, "items") or {"type": "string"}
        timed = self._timed(items)
        count = self._count(schema, place, timed)
        length = max(0.0, place.end - place.start)
        values = []
        for index in range(count):
            if timed:
                edges = (place.start + length * index / count, place.start + length * (index + 1) / count)
                if index == count - 1:
                    edges = (edges[0], place.end)
                last = place.last and index == count - 1
            else:
                edges, last = (place.start, place.end), place.last
            below = place.down(str(index), name=_singular(place.name), start=edges[0], end=edges[1], last=last)
            values.append(self._value(items, below))
        return values

    def _count(self, schema: Mapping[str, Any], place: _Place, timed: bool) -> int:
        length = max(0.0, place.end - place.start)
        if timed:
            outer = abs(length - self._scene.seconds) < 1.0
            count = min(_MOST_ITEMS, max(3 if outer else 1, round(length / _SECONDS_PER_ITEM)))
            count = max(1, min(count, int(length) or 1))  # no two items in the same second
        else:
            random = self._writer.random(place.path + "#count")
            count = min(8, max(3, round(self._scene.seconds / 90) + random.randint(0, 2)))
        least, most = _integer(get(schema, "minItems")), _integer(get(schema, "maxItems"))
        count = max(count, least or 0)
        return min(count, most) if most is not None else count

    # leaves

    def _string(self, schema: Mapping[str, Any], place: _Place) -> str:
        name = snake(place.name).lower()
        if is_time(place.name):
            return clock_text(self._moment(place))
        if name in ("language", "lang", "language_code"):
            return self._scene.language
        if str(schema.get("format", "")).lower() in ("date-time", "date"):
            return "2026-01-01T00:00:00Z" if "time" in str(schema["format"]) else "2026-01-01"
        text = self._prose(name, place)
        least = _integer(get(schema, "minLength")) or 0
        while len(text) < least:
            text += ("" if self._writer.chinese else " ") + self._writer.sentence(f"{place.path}#{len(text)}")
        longest = _integer(get(schema, "maxLength"))
        return text if longest is None or len(text) <= longest else text[: max(0, longest - 1)].rstrip() + "…"

    @staticmethod
    def _moment(place: _Place) -> float:
        name = _plain(place.name)
        return place.end if name == "end" or name.endswith("end_time") else place.start

    def _prose(self, name: str, place: _Place) -> str:
        word = name.rsplit("_", 1)[-1]
        writer = self._writer
        if word in _SHORT:
            return writer.title(place.path)
        if word in _TERMS:
            return writer.term(place.path)
        if word == "question":
            return writer.question(place.path)
        facts = "" if self._facts_told else self._facts()
        if word in _LONG or place.depth == 1:  # a text of its own, not a property of some entry
            self._facts_told = True
            top = place.depth <= 2
            return writer.paragraph(place.path, (4 if top else 2) + bool(facts), facts)
        if word == "text":
            return writer.paragraph(place.path, 2)
        return writer.sentence(place.path)

    def _facts(self) -> str:
        scene = self._scene
        return self._writer.facts(scene.video_s, scene.start_s, scene.end_s, scene.has_audio) if scene.video_s else ""

    def _number(self, schema: Mapping[str, Any], place: _Place) -> int | float:
        name = snake(place.name).lower()
        whole = self._kind(schema) == "integer"
        low, high = _float(get(schema, "minimum")), _float(get(schema, "maximum"))
        if is_time(place.name):
            value = math.floor(self._moment(place) * 10) / 10
        elif "duration" in name or name.endswith("seconds"):
            value = self._scene.video_s
        else:
            unit = any(word in name for word in ("confidence", "probability", "score", "share")) and not whole
            base = low if low is not None else 0.0
            top = high if high is not None else base + (1.0 if unit else 10.0)
            value = base + (top - base) * self._writer.random(place.path + "#number").random()
        if low is not None:
            value = max(low, value)
        if high is not None:
            value = min(high, value)
        if not whole:
            return round(value, 3)
        rounded = round(value)
        if low is not None and rounded < low:
            rounded = math.ceil(low)
        return math.floor(high) if high is not None and rounded > high else rounded

    def _boolean(self, schema: Mapping[str, Any], place: _Place) -> bool:
        return self._writer.random(place.path + "#boolean").random() < 0.5

    def plain(self) -> str:
        """An answer without a schema: a summary and a list of moments."""
        scene, writer = self._scene, self._writer
        lines = [writer.paragraph("plain/summary", 5, self._facts()), ""]
        if scene.video_s:
            count = min(_MOST_ITEMS, max(3, round(scene.seconds / _SECONDS_PER_ITEM)))
            for index in range(count):
                at = scene.start_s + scene.seconds * index / max(1, count - 1)
                lines.append(f"- {clock_text(at)} {writer.sentence(f'plain/{index}')}")
        return "\n".join(lines).rstrip()


def _as_kind(value: Any, kind: str) -> Any:
    if kind == "integer":
        return _integer(value)
    return _float(value) if kind == "number" else value


def _singular(name: str) -> str:
    plain = snake(name).lower()
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    return plain[:-1] if re.search(r"[^s]s$", plain) else plain


DEFAULT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "chapters": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "start": {"type": "string"},
                    "end": {"type": "string"},
                    "title": {"type": "string"},
                    "summary": {"type": "string"},
                },
            },
        },
    },
}
"""For requests that ask for JSON and say no more."""
