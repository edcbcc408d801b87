"""The models: windows, token rates, dated prices, limits people met and shutdown dates.

Pure: the data come as a mapping (`config.models_file` reads it), the moment as Unix seconds. The table is dated and
can be added to by the user, because models, prices and limits change faster than a program does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches

from gsvr_tui.core.models import Limits

DEFAULT_MODEL = "gemini-3.8-flash"
FALLBACK_MODEL = "gemini-3.5-flash-lite"

_PREFIX = "models/"
_MILLION = 1_000_000

# Length of a report's text: a fixed part (head, summary) and a part that grows with the video.
_REPORT_TOKENS_BASE = 1_500
_REPORT_TOKENS_PER_SECOND = 1.6
# Thinking is billed as output; its length in shares of the text, by level.
_THINKING_SHARE: Mapping[str, float] = {
    "": 0.0,
    "off": 0.0,
    "minimal": 0.1,
    "low": 0.4,
    "medium": 1.0,
    "high": 2.0,
    "xhigh": 3.5,
    "dynamic": 1.0,
}


class UnknownModel(LookupError):
    """No such model in the catalogue. `nearest` are ids that look like it; `str()` is a line for people."""

    def __init__(self, model: str, nearest: tuple[str, ...]) -> None:
        self.model = model
        self.nearest = nearest
        hint = f"Did you mean {' or '.join(nearest)}?" if nearest else "List the known ones with: gsvr-tui models"
        super().__init__(f"the model {model!r} is not in the catalogue. {hint}")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens from `from_date` (ISO, UTC) on. `audio_input` equals `input` where audio costs the same.

    Prompts above `long_from_tokens` (0: no such step) cost the `*_long` prices for all of their tokens.
    """

    from_date: str
    input: float
    audio_input: float
    output: float
    cached: float
    input_long: float = 0.0
    output_long: float = 0.0
    cached_long: float = 0.0
    long_from_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model as the catalogue knows it. Dates are ISO days (UTC), "" where none is announced."""

    id: str
    title: str
    status: str  # stable, preview, deprecated
    video_in: bool
    context_tokens: int
    output_tokens: int
    prices: tuple[Price, ...]  # by date, oldest first
    free_tier: bool
    free_limits: Limits | None = None  # as people met them; not promised
    tier_limits: Mapping[str, Limits] = field(default_factory=dict)
    deprecated_since: str = ""
    shutdown: str = ""  # from this day requests go to `routed_to`, or fail
    routed_to: str = ""
    thinking: str = "none"  # level, budget, none: how thinking is asked for
    thinking_default: str = ""
    thinking_levels: tuple[str, ...] = ()
    frame_tokens: Mapping[str, int] = field(default_factory=dict)  # by resolution: low, medium, high
    timestamp_tokens: int = 0  # per frame, on top
    audio_tokens_per_s: int = 0
    agentic: bool = False
    note: str = ""

    def stopped(self, wall: float) -> bool:
        """True from the day of its shutdown on."""
        return bool(self.shutdown) and _day(wall) >= date.fromisoformat(self.shutdown)


def _day(wall: float) -> date:
    return datetime.fromtimestamp(wall, UTC).date()


class Catalogue:
    """All known models. `dated` is the day the table was written."""

    def __init__(self, dated: str, models: Iterable[ModelInfo]) -> None:
        self.dated = dated
        self._models = {model.id: model for model in models}

    def get(self, model: str) -> ModelInfo | None:
        """The model by its id (also written `models/<id>`), or None."""
        return self._models.get(model.removeprefix(_PREFIX))

    def ids(self) -> tuple[str, ...]:
        """All ids, in the table's order."""
        return tuple(self._models)

    def find(self, model: str) -> ModelInfo:
        """The model by its id. Raises UnknownModel."""
        info = self.get(model)
        if info is None:
            name = model.removeprefix(_PREFIX)
            raise UnknownModel(name, tuple(get_close_matches(name, self._models, n=2, cutoff=0.75)))
        return info

    def resolve(self, model: str, wall: float) -> ModelInfo:
        """The model that answers (and bills) requests naming `model` at `wall`: its successor after a shutdown.

        Raises UnknownModel.
        """
        info = self.find(model)
        seen = {info.id}
        while info.stopped(wall) and info.routed_to and info.routed_to not in seen:
            seen.add(info.routed_to)
            info = self.find(info.routed_to)
        return info

    def warning(self, model: str, wall: float) -> str:
        """What the user should know before using `model`; "" when there is nothing. Unknown models warn too."""
        info = self.get(model)
        if info is None:
            return str(UnknownModel(model, ()))
        advice = f"Write model: {self._successor(info, wall)}"
        if info.shutdown:
            days = (date.fromisoformat(info.shutdown) - _day(wall)).days
            then = f"requests then go to {info.routed_to}" if info.routed_to else "requests then fail"
            if days > _SHUTDOWN_NOTICE_DAYS:
                return ""
            if days > 0:
                return f"{info.id} stops on {info.shutdown}, {_in_days(days)}; {then}. {advice}"
            then = f"requests go to {info.routed_to}" if info.routed_to else "requests fail"
            return f"{info.id} stopped on {info.shutdown}; {then}. {advice}"
        if info.status == "deprecated":
            since = f" since {info.deprecated_since}" if info.deprecated_since else ""
            then = f"; requests go to {info.routed_to}" if info.routed_to else ""
            return f"{info.id} is deprecated{since}{then}. {advice}"
        if not info.video_in:
            return f"{info.id} does not take video. {advice}"
        return ""

    def _successor(self, info: ModelInfo, wall: float) -> str:
        default = self.get(DEFAULT_MODEL)
        if default is not None and default.id != info.id and not default.stopped(wall):
            return default.id
        return info.routed_to or FALLBACK_MODEL

    def video_tokens(
        self, model: str, seconds: float, *, has_audio: bool = True, resolution: str = "medium", fps: float = 1.0
    ) -> int:
        """Input tokens of `seconds` of video, rounded up; frame time stamps included. Raises UnknownModel."""
        info = self.find(model)
        frame = info.frame_tokens.get(resolution) or info.frame_tokens.get("medium") or 0
        rate = fps * (frame + info.timestamp_tokens) + (info.audio_tokens_per_s if has_audio else 0)
        return math.ceil(max(0.0, seconds) * rate)

    def price_at(self, model: str, wall: float) -> Price:
        """The price in force at `wall`, of the successor after a shutdown. Raises UnknownModel."""
        prices = self.resolve(model, wall).prices
        today = _day(wall).isoformat()
        current = prices[0]
        for price in prices:
            if price.from_date <= today:
                current = price
        return current

    def cost_usd(
        self, model: str, *, tokens_in: int, tokens_out: int, cached: int = 0, audio_in: int = 0, wall: float
    ) -> float:
        """Price of one request. `tokens_in` includes `cached` and `audio_in`; `tokens_out` includes thinking.

        Where it is not known which tokens were cached, audio counts as fresh: the sum errs upwards.
        Raises UnknownModel.
        """
        price = self.price_at(model, wall)
        long = 0 < price.long_from_tokens < tokens_in
        cached = min(max(0, cached), tokens_in)
        audio = min(max(0, audio_in), tokens_in - cached)
        text_rate = price.input_long if long else price.input
        audio_rate = max(price.audio_input, text_rate) if long else price.audio_input
        sum_usd = (
            (tokens_in - cached - audio) * text_rate
            + audio * audio_rate
            + cached * (price.cached_long if long else price.cached)
            + tokens_out * (price.output_long if long else price.output)
        )
        return sum_usd / _MILLION

    def expected_output_tokens(self, model: str, seconds: float, *, thinking_level: str = "") -> int:
        """Output tokens to expect of a report over `seconds` of video, thinking included: for estimates only.

        Raises UnknownModel.
        """
        info = self.find(model)
        level = (thinking_level or info.thinking_default).lower()
        text = _REPORT_TOKENS_BASE + _REPORT_TOKENS_PER_SECOND * max(0.0, seconds)
        return min(info.output_tokens, math.ceil(text * (1 + _THINKING_SHARE.get(level, 1.0))))


_SHUTDOWN_NOTICE_DAYS = 120


def _in_days(days: int) -> str:
    return "tomorrow" if days == 1 else f"in {days} days"


# ---------------------------------------------------------------- reading the table


class CatalogueError(ValueError):
    """The table is wrong; the message names the place and what was expected there."""


_STATUSES = ("stable", "preview", "deprecated")
_THINKING = ("level", "budget", "none")
_RESOLUTIONS = ("low", "medium", "high")
_TIERS = ("free", "tier1", "tier2", "tier3")


class _Reader:
    """Typed access to one mapping of the table; every complaint says where."""

    def __init__(self, raw: object, place: str) -> None:
        if not isinstance(raw, Mapping):
            raise CatalogueError(f"{place}: expected a mapping, found {type(raw).__name__}")
        self.raw: Mapping[object, object] = raw
        self.place = place
        self._read: set[object] = set()

    def take(self, key: str, default: object = None) -> object:
        self._read.add(key)
        return self.raw.get(key, default)

    def wrong(self, key: str, expected: str) -> CatalogueError:
        return CatalogueError(f"{self.place}.{key}: expected {expected}, found {self.raw.get(key)!r}")

    def text(self, key: str, default: str | None = None, *, one_of: tuple[str, ...] = ()) -> str:
        value = self.take(key, default)
        if not isinstance(value, str) or (one_of and value not in one_of):
            raise self.wrong(key, f"one of {', '.join(one_of)}" if one_of else "a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def count(self, key: str, default: int | None = None) -> int:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(key, "a whole number, 0 or more")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise self.wrong(key, "a number, 0 or more")
        return float(value)

    def day(self, key: str, default: str | None = None) -> str:
        value = self.take(key, default)
        if isinstance(value, date) and not isinstance(value, datetime):  # YAML reads 2026-12-01 as a date
            return value.isoformat()
        if value == "" and default == "":
            return ""
        try:
            return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
        except ValueError:
            raise self.wrong(key, "a day as YYYY-MM-DD") from None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def inner(self, key: str, allowed: tuple[str, ...]) -> dict[str, object]:
        value = self.take(key, {})
        if not isinstance(value, Mapping) or not all(name in allowed for name in value):
            raise self.wrong(key, f"a mapping with the keys {', '.join(allowed)}")
        return {str(name): item for name, item in value.items()}

    def finish(self) -> None:
        unknown = sorted(str(key) for key in self.raw if key not in self._read)
        if unknown:
            near = get_close_matches(unknown[0], [str(key) for key in self._read], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CatalogueError(f"{self.place}: unknown key {unknown[0]!r}{hint}")


def _limits(raw: object, place: str) -> Limits:
    reader = _Reader(raw, place)
    known = {key: reader.count(key) for key in ("rpm", "tpm", "rpd") if reader.raw.get(key) is not None}
    limits = Limits(known.get("rpm"), known.get("tpm"), known.get("rpd"), source="tier")
    for key in ("rpm", "tpm", "rpd", "source"):  # `source` says who met the numbers: for readers of the file
        reader.take(key)
    reader.finish()
    return limits


def _price(raw: object, place: str) -> Price:
    reader = _Reader(raw, place)
    entry = reader.number("input")
    output, cached = reader.number("output"), reader.number("cached", entry)
    price = Price(
        from_date=reader.day("from"),
        input=entry,
        audio_input=reader.number("audio_input", entry),
        output=output,
        cached=cached,
        input_long=reader.number("input_long", entry),
        output_long=reader.number("output_long", output),
        cached_long=reader.number("cached_long", cached),
        long_from_tokens=reader.count("long_from_tokens", 0),
    )
    reader.finish()
    return price


def _prices(reader: _Reader) -> tuple[Price, ...]:
    raw = reader.take("prices")
    if not isinstance(raw, list | tuple) or not raw:
        raise reader.wrong("prices", "a list with at least one price")
    prices = [_price(item, f"{reader.place}.prices[{index}]") for index, item in enumerate(raw)]
    return tuple(sorted(prices, key=lambda price: price.from_date))


def _frame_tokens(reader: _Reader) -> dict[str, int]:
    raw = reader.inner("frame_tokens", _RESOLUTIONS)
    inner = _Reader(raw, f"{reader.place}.frame_tokens")
    return {name: inner.count(name) for name in raw}


def _model(name: str, raw: object) -> ModelInfo:
    place = f"models.{name}"
    reader = _Reader(raw, place)
    free = reader.take("free_limits")
    tiers = reader.inner("tier_limits", _TIERS)
    info = ModelInfo(
        id=name,
        title=reader.text("title", name),
        status=reader.text("status", "stable", one_of=_STATUSES),
        video_in=reader.flag("video_in", True),
        context_tokens=reader.count("context_tokens"),
        output_tokens=reader.count("output_tokens"),
        prices=_prices(reader),
        free_tier=reader.flag("free_tier", False),
        free_limits=None if free is None else _limits(free, f"{place}.free_limits"),
        tier_limits={tier: _limits(value, f"{place}.tier_limits.{tier}") for tier, value in tiers.items()},
        deprecated_since=reader.day("deprecated_since", ""),
        shutdown=reader.day("shutdown", ""),
        routed_to=reader.text("routed_to", ""),
        thinking=reader.text("thinking", "none", one_of=_THINKING),
        thinking_default=reader.text("thinking_default", ""),
        thinking_levels=reader.texts("thinking_levels"),
        frame_tokens=_frame_tokens(reader),
        timestamp_tokens=reader.count("timestamp_tokens", 0),
        audio_tokens_per_s=reader.count("audio_tokens_per_s", 0),
        agentic=reader.flag("agentic", False),
        note=reader.text("note", ""),
    )
    reader.finish()
    if info.video_in and "medium" not in info.frame_tokens:
        raise CatalogueError(f"{place}.frame_tokens: a model that takes video needs 'medium'")
    return info


def catalogue_from(mapping: Mapping[str, object]) -> Catalogue:
    """A catalogue from `{dated: day, models: {id: {…}}}`. Raises CatalogueError naming the place."""
    top = _Reader(mapping, "catalogue")
    dated = top.day("dated")
    raw = top.take("models")
    if not isinstance(raw, Mapping) or not raw:
        raise top.wrong("models", "a mapping of model ids")
    top.finish()
    models = []
    for name, value in raw.items():
        if not isinstance(name, str) or not name:
            raise CatalogueError(f"models: expected a model id, found {name!r}")
        models.append(_model(name, value))
    known = {model.id for model in models}
    for model in models:
        if model.routed_to and model.routed_to not in known:
            raise CatalogueError(f"models.{model.id}.routed_to: no model {model.routed_to!r} in the catalogue")
    return Catalogue(dated, models)
