"""The models the emulator knows when the scenario names none: ids, windows and tokens as of November 2026."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gsvr_tui.emulator.errors import model_not_found
from gsvr_tui.emulator.scenario import ModelSpec

_DECEMBER_FIRST_2026 = 1_796_083_200.0  # 2026-12-01 00:00 UTC
_JUNE_FIRST_2026 = 1_780_272_000.0
_LEVELS_PLUS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")


def _old(
    name: str, default_thinking: str = "", shut_down_at: float | None = None, shut_down_routes_to: str = ""
) -> ModelSpec:
    """A model of the 2.x families: more tokens a frame, a thinking budget in place of levels."""
    return ModelSpec(
        name,
        frame_tokens=258,
        frame_tokens_low=66,
        frame_tokens_high=258,
        audio_tokens=32,
        thinking_levels=(),
        default_thinking=default_thinking,
        shut_down_at=shut_down_at,
        shut_down_routes_to=shut_down_routes_to,
    )


_BUILT_IN = (
    ModelSpec("gemini-4-hydrogen", thinking_levels=("LOW", "MEDIUM", "HIGH", "XHIGH"), default_thinking="HIGH"),
    ModelSpec("gemini-4-carbon"),
    ModelSpec("gemini-4-argon"),
    ModelSpec("gemini-3.8-flash", agentic=True),
    ModelSpec("gemini-3.7-flash", agentic=True, routed_to="gemini-3.8-flash"),
    ModelSpec("gemini-3.6-flash", agentic=True),
    ModelSpec("gemini-3.5-flash", routed_to="gemini-3.6-flash"),
    ModelSpec("gemini-3.5-flash-lite", agentic=True, thinking_levels=_LEVELS_PLUS, default_thinking="MINIMAL"),
    ModelSpec("gemini-3.1-flash-lite", thinking_levels=_LEVELS_PLUS, default_thinking="MINIMAL"),
    ModelSpec("gemini-3.1-pro-preview", default_thinking="HIGH"),
    ModelSpec("gemini-3-flash-preview", thinking_levels=_LEVELS_PLUS, default_thinking="HIGH"),
    ModelSpec("gemini-flash-latest", routed_to="gemini-3.8-flash", beta_only=True),
    ModelSpec(
        "gemini-flash-lite-latest",
        thinking_levels=_LEVELS_PLUS,
        default_thinking="MINIMAL",
        routed_to="gemini-3.5-flash-lite",
        beta_only=True,
    ),
    ModelSpec("gemini-pro-latest", routed_to="gemini-3.1-pro-preview", beta_only=True),
    _old(
        "gemini-2.5-pro",
        default_thinking="MEDIUM",
        shut_down_at=_DECEMBER_FIRST_2026,
        shut_down_routes_to="gemini-3.8-flash",
    ),
    _old(
        "gemini-2.5-flash",
        default_thinking="MEDIUM",
        shut_down_at=_DECEMBER_FIRST_2026,
        shut_down_routes_to="gemini-3.5-flash-lite",
    ),
    _old("gemini-2.5-flash-lite"),
    _old("gemini-2.0-flash", shut_down_at=_JUNE_FIRST_2026),
)


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models of one emulator."""

    models: Mapping[str, ModelSpec]

    @classmethod
    def of(cls, specs: Iterable[ModelSpec]) -> ModelList:
        """The given models, or the built-in ones when there are none."""
        return cls({spec.name: spec for spec in (tuple(specs) or _BUILT_IN)})

    def listed(self, version: str, wall: float) -> list[ModelSpec]:
        """The models this API version shows at the moment."""
        return [spec for spec in self.models.values() if self._there(spec, version, wall)]

    @staticmethod
    def _there(spec: ModelSpec, version: str, wall: float) -> bool:
        if spec.beta_only and version != "v1beta":
            return False
        return spec.shut_down_at is None or wall < spec.shut_down_at

    def find(self, name: str, version: str, wall: float, method: str) -> ModelSpec:
        """The model that will answer to `name`, which may be another one. Raises ApiError (404)."""
        spec = self.models.get(name)
        if spec is None or (spec.beta_only and version != "v1beta"):
            raise model_not_found(name, version, method)
        target = spec.routed_to
        if spec.shut_down_at is not None and wall >= spec.shut_down_at:
            target = spec.shut_down_routes_to
            if not target:
                raise model_not_found(name, version, method)
        return self.models.get(target, spec) if target else spec


def resource(spec: ModelSpec) -> dict[str, Any]:
    """A model as `models.list` shows it."""
    return {
        "name": f"models/{spec.name}",
        "version": "001",
        "displayName": spec.name.replace("-", " ").title(),
        "description": "Emulated model.",
        "inputTokenLimit": spec.input_tokens,
        "outputTokenLimit": spec.output_tokens,
        "supportedGenerationMethods": ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": bool(spec.thinking_levels or spec.default_thinking),
    }
