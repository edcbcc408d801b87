"""Writes the sentences of emulated answers: deterministic, varied, none twice in one answer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from gsvr_tui.emulator import prose_en, prose_zh

_TRIES = 200
_Words = Any
"""One of the modules of words."""
_VOCABULARY: Mapping[str, Callable[[_Words], Sequence[str]]] = {
    "topic": lambda words: words.TOPICS,
    "actor": lambda words: words.ACTORS,
    "lead": lambda words: words.LEADS,
    "verb": lambda words: words.VERBS,
    "manner": lambda words: words.MANNERS,
    "plain": lambda words: words.PLAIN_VERBS,
}


def clock_text(seconds: float) -> str:
    """`MM:SS`, `H:MM:SS` from one hour on; fractions are dropped."""
    whole = max(0, int(seconds + 1e-6))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def english_duration(seconds: float) -> str:
    """`3 minutes and 4 seconds`."""
    whole = int(seconds)
    parts = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((whole // 3600, "hour"), (whole // 60 % 60, "minute"), (whole % 60, "second"))
        if count
    ]
    if not parts:
        return "less than a second"
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bare(topic: str) -> str:
    return topic.removeprefix("the ")


class _Slots(dict[str, str]):
    """Fills the slots of a sentence, each when it is first asked for."""

    def __init__(self, writer: Writer, random: Random) -> None:
        super().__init__()
        self._writer = writer
        self._random = random

    def __missing__(self, name: str) -> str:
        self[name] = text = self._make(name)
        return text

    def _make(self, name: str) -> str:
        words, fresh, random = self._writer.words, self._writer.fresh, self._random
        match name:
            case "Topic" | "Actor" | "Lead":
                return _capital(self[name.lower()])
            case "bare" | "bare2":
                return _bare(self[name.replace("bare", "topic")])
            case "Head":
                return _capital(self["bare"])
            case "topic2":
                return fresh(random, words.TOPICS, but=self["topic"])
            case "result":
                parts = [fresh(random, some) for some in (words.LINKS, words.EFFECTS, words.THINGS)]
                return ("" if self._writer.chinese else " ").join(parts)
        return fresh(random, _VOCABULARY[name](words))


class Writer:
    """Sentences for one answer. `seed` makes them the video's own; every text also depends on its place."""

    def __init__(self, seed: str, language: str) -> None:
        self._seed = seed
        self.chinese = language.lower().startswith("zh")
        self.words: _Words = prose_zh if self.chinese else prose_en
        self._written: set[str] = set()
        self._worn: Counter[str] = Counter()

    def random(self, place: str) -> Random:
        """Chance for one place of the answer."""
        digest = hashlib.sha256(f"{self._seed}\x1f{place}".encode()).digest()
        return Random(digest)  # noqa: S311 - prose, not secrets

    def fresh(self, random: Random, words: Sequence[str], but: str = "") -> str:
        """One of the words, rather one that was not used much yet."""
        count = len(words)
        picks = [word for _ in range(3) if (word := words[int(random.random() * count)]) != but]
        word = min(picks, key=lambda pick: self._worn[pick]) if picks else words[0]
        self._worn[word] += 1
        return word

    def _unique(self, place: str, make: Callable[[Random], str]) -> str:
        random = self.random(place)
        for _ in range(_TRIES):
            text = make(random)
            if text not in self._written:
                break
        self._written.add(text)
        return text

    def _write(self, place: str, patterns: Sequence[str]) -> str:
        return self._unique(place, lambda random: self.fresh(random, patterns).format_map(_Slots(self, random)))

    def sentence(self, place: str) -> str:
        """One full sentence."""
        return self._write(place, self.words.PATTERNS)

    def paragraph(self, place: str, count: int, opening: str = "") -> str:
        """Several sentences, the given one first."""
        sentences = [opening] if opening else []
        sentences += [self.sentence(f"{place}/{index}") for index in range(count - len(sentences))]
        return ("" if self.chinese else " ").join(sentences)

    def title(self, place: str) -> str:
        """A short heading."""
        return self._write(place, self.words.TITLES)

    def question(self, place: str) -> str:
        """A question."""
        return self._write(place, self.words.QUESTIONS)

    def term(self, place: str) -> str:
        """A word or two."""
        return self._unique(place, lambda random: _bare(self.fresh(random, self.words.TOPICS)))

    def facts(self, video_s: float, start_s: float, end_s: float, has_audio: bool) -> str:
        """A sentence that is true of the real video."""
        part = end_s - start_s < video_s - 1.0
        if self.chinese:
            whole = prose_zh.duration(video_s)
            sound = "带有声音" if has_audio else "没有声音"
            if not part:
                return f"这段视频总长{whole}并且{sound}。"
            first, last = prose_zh.duration(start_s), prose_zh.duration(end_s)
            return f"这段视频总长{whole}并且{sound}，这里说明的是从{first}到{last}的部分。"
        whole = english_duration(video_s)
        sound = "with sound" if has_audio else "without sound"
        if not part:
            return f"The video runs for {whole} {sound}."
        return f"The video runs for {whole} {sound}, and this part covers {clock_text(start_s)} to {clock_text(end_s)}."
