"""What a request costs in tokens, by the rates of the documentation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from gsvr_tui.emulator.scenario import ModelSpec

_HAN = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")


def text_tokens(text: str) -> int:
    """About 0.7 tokens a Chinese character, a quarter of a token any other."""
    wide = len(_HAN.findall(text))
    return math.ceil(wide * 0.7 + (len(text) - wide) / 4)


@dataclass(frozen=True, slots=True)
class Clip:
    """The stretch of a video that a request looks at."""

    start_s: float
    end_s: float
    has_audio: bool
    fps: float = 1.0
    resolution: str = ""  # LOW, MEDIUM, HIGH; empty: default
    agentic: bool = False
    frames: bool = True
    sound: bool = True

    @property
    def seconds(self) -> float:
        """Its length."""
        return max(0.0, self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """Tokens of a prompt by modality."""

    text: int
    video: int = 0
    audio: int = 0
    tool: int = 0  # loaded by agentic processing; not part of the prompt
    cached: int = 0

    @property
    def prompt(self) -> int:
        """What counts against tokens per minute and the model's window."""
        return self.text + self.video + self.audio

    def details(self) -> list[dict[str, Any]]:
        """`promptTokensDetails`."""
        shown = (("VIDEO", self.video), ("AUDIO", self.audio), ("TEXT", self.text))
        return [{"modality": name, "tokenCount": count} for name, count in shown if count]


def prompt_tokens(model: ModelSpec, text: str, clips: list[Clip]) -> PromptTokens:
    """The tokens of a prompt: text, frames and sound of each clip."""
    video = audio = tool = 0
    for clip in clips:
        frame = {"LOW": model.frame_tokens_low, "HIGH": model.frame_tokens_high}.get(
            clip.resolution, model.frame_tokens
        )
        frames = math.ceil(clip.seconds * clip.fps) * frame if clip.frames else 0
        sound = math.ceil(clip.seconds * model.audio_tokens) if clip.has_audio and clip.sound else 0
        if clip.agentic:  # it looks at about an eighth of a long video
            tool += (frames + sound) // 8
        else:
            video += frames
            audio += sound
    return PromptTokens(text_tokens(text), video, audio, tool)
