"""Made-up answers of a model: clean ones in several languages and styles, from a seed, for any template and length."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from gsvr_tui.core.text import format_time
from gsvr_tui.report.template_model import Section, SectionKind, Template, Times
from gsvr_tui.report.templates import TemplateSet, load_templates

EN = [
    "light scatters more strongly at short wavelengths",
    "the sky therefore looks blue by day",
    "at sunset the path through air is longer",
    "red light passes almost unhindered",
    "the lecturer pours milk into a glass tank",
    "the beam turns orange at the far end",
    "Rayleigh described this with a fourth power law",
    "a student asks about violet light",
    "the eye is less sensitive to it",
    "ozone absorbs part of the spectrum",
    "clouds look white because drops are large",
    "Mie scattering hardly depends on colour",
    "the table compares both regimes",
    "the next experiment uses a polariser",
    "the intensity falls when it is turned",
    "bees find their way by this pattern",
    "the homework asks for a sketch",
    "the formula is derived from a dipole",
    "units are checked on the board",
    "a short film shows the dusk on Mars",
    "dust there scatters red forward",
    "the blue halo surrounds the sun",
    "questions are collected for next week",
    "the group measures the angle with care",
    "results are written into a list",
]
ZH = [
    "短波长的光散射得更强",
    "所以白天的天空看起来是蓝色的",
    "日落时光在大气中走的路更长",
    "红光几乎不受影响地穿过",
    "老师把牛奶倒进玻璃水槽",
    "光束在远端变成橙色",
    "瑞利用四次方定律描述了这个现象",
    "有学生问为什么不是紫色",
    "人眼对紫光不太敏感",
    "臭氧吸收了一部分光谱",
    "云看起来是白的因为水滴比较大",
    "米氏散射与颜色几乎无关",
    "表格比较了两种情况",
    "下一个实验使用偏振片",
    "转动时亮度会下降",
    "蜜蜂靠这种图案辨别方向",
    "作业要求画一张示意图",
    "公式由偶极子推导得出",
    "我们在黑板上检查单位",
    "短片展示了火星上的黄昏",
    "那里的尘埃向前散射红光",
    "太阳周围出现蓝色光晕",
    "问题留到下周讨论",
    "小组仔细测量角度",
    "结果写进清单里",
]


class Writer:
    """Writes texts that do not repeat themselves."""

    def __init__(self, seed: int, language: str) -> None:
        self.random = Random(seed)
        self.chinese = language.startswith("zh")
        self.number = self.random.randrange(100)

    def sentence(self) -> str:
        self.number += 1
        pool = ZH if self.chinese else EN
        first, second = self.random.sample(pool, 2)
        if self.chinese:
            joint = self.random.choice(["，而且", "；同时", "，另外", "，不过"])
            return f"{first}{joint}{second}（第{self.number}点）。"
        joint = self.random.choice(["and", "while", "because", "although"])
        return f"{first.capitalize()}, {joint} in step {self.number} {second}."

    def text(self, sentences: int) -> str:
        return ("" if self.chinese else " ").join(self.sentence() for _ in range(sentences))

    def title(self) -> str:
        self.number += 1
        pool = ZH if self.chinese else EN
        return f"{self.random.choice(pool)} {self.number}"


def clean_answer(
    template: Template, duration_s: float, language: str = "", seed: int = 0, start_s: float = 0.0
) -> dict[str, Any]:
    """An answer without faults about a part of a video that lasts from `start_s` for `duration_s`."""
    writer = Writer(seed, language or template.language)
    answer: dict[str, Any] = {"title": writer.title()}
    for section in template.asked_order():
        if section.kind is SectionKind.TEXT:
            answer[section.id] = "\n\n".join(writer.text(3) for _ in range(2))
        else:
            answer[section.id] = _entries(section, writer, start_s, duration_s)
    return answer


def _entries(section: Section, writer: Writer, start: float, duration: float) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    step = 9.0 if section.kind is SectionKind.TRANSCRIPT else 75.0
    at = 0.0
    while at < duration - 0.5 and len(entries) < 3_000:
        end = min(duration, at + step * writer.random.uniform(0.6, 1.4))
        if duration - end < 2:
            end = duration
        entry = {}
        if section.times is Times.SPAN:
            entry = {"start": format_time(start + at), "end": format_time(start + end)}
        elif section.times is Times.POINT:
            entry = {"time": format_time(start + at)}
        if section.kind is SectionKind.TRANSCRIPT:
            entry |= {"speaker": writer.random.choice(["A", "B"]), "text": writer.text(writer.random.choice([1, 2]))}
        elif section.kind is SectionKind.TERMS:
            entry |= {"term": writer.title(), "meaning": writer.sentence()}
        else:
            entry |= {"title": writer.title(), "text": writer.text(2)}
        entries.append(entry)
        at = end
        if not section.covers and len(entries) >= 6:
            break
    return entries


@pytest.fixture(scope="session")
def templates() -> TemplateSet:
    """The shipped templates."""
    return load_templates()


@pytest.fixture(scope="session")
def lesson(templates: TemplateSet) -> Template:
    """The lesson template."""
    return templates.get("comprehensive_lesson")


@pytest.fixture(scope="session")
def transcript(templates: TemplateSet) -> Template:
    """The transcript template."""
    return templates.get("chinese_transcript")


@pytest.fixture(scope="session")
def make_answer() -> Callable[..., dict[str, Any]]:
    """`clean_answer`, as plain data."""
    return clean_answer


@pytest.fixture(scope="session")
def make_text() -> Callable[..., str]:
    """`clean_answer`, as the model would send it."""

    def text(*args: Any, **kwargs: Any) -> str:
        return json.dumps(clean_answer(*args, **kwargs), ensure_ascii=False)

    return text
