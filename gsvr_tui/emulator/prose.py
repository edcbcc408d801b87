"""Writes the sentences of emulated answers: deterministic, varied, none twice in one answer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from gsvr_tui.emulator import prose_en, prose_zh

_TRIES = 200


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


class Writer:
    """Sentences for one answer. `seed` makes them the video's own; every text also depends on its place."""

    def __init__(self, seed: str, language: str) -> None:
        self._seed = seed
        self.chinese = language.lower().startswith("zh")
        self._words = prose_zh if self.chinese else prose_en
        self._written: set[str] = set()
        self._worn: Counter[str] = Counter()

    def random(self, place: str) -> Random:
        """Chance for one place of the answer."""
        digest = hashlib.sha256(f"{self._seed}\x1f{place}".encode()).digest()
        return Random(digest)  # noqa: S311 - prose, not secrets

    def _fresh(self, random: Random, words: Sequence[str], but: str = "") -> str:
        picks = [word for word in random.sample(words, 4) if word != but]
        word = min(picks, key=lambda pick: self._worn[pick])
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

    def _result(self, random: Random) -> str:
        parts = [self._fresh(random, words) for words in (self._words.LINKS, self._words.EFFECTS, self._words.THINGS)]
        return ("" if self.chinese else " ").join(parts)

    def _slots(self, random: Random) -> dict[str, str]:
        words = self._words
        topic = self._fresh(random, words.TOPICS)
        topic2 = self._fresh(random, words.TOPICS, but=topic)
        actor = self._fresh(random, words.ACTORS)
        lead = self._fresh(random, words.LEADS)
        return {
            "topic": topic,
            "topic2": topic2,
            "Topic": _capital(topic),
            "bare": _bare(topic),
            "bare2": _bare(topic2),
            "Head": _capital(_bare(topic)),
            "actor": actor,
            "Actor": _capital(actor),
            "lead": lead,
            "Lead": lead,
            "verb": self._fresh(random, words.VERBS),
            "manner": self._fresh(random, words.MANNERS),
            "result": self._result(random),
            "plain": random.choice(prose_en.PLAIN_VERBS),
        }

    def _write(self, place: str, patterns: Sequence[str]) -> str:
        return self._unique(place, lambda random: self._fresh(random, patterns).format(**self._slots(random)))

    def sentence(self, place: str) -> str:
        """One full sentence."""
        return self._write(place, self._words.PATTERNS)

    def paragraph(self, place: str, count: int, opening: str = "") -> str:
        """Several sentences, the given one first."""
        sentences = [opening] if opening else []
        sentences += [self.sentence(f"{place}/{index}") for index in range(count - len(sentences))]
        return ("" if self.chinese else " ").join(sentences)

    def title(self, place: str) -> str:
        """A short heading."""
        return self._write(place, self._words.TITLES)

    def question(self, place: str) -> str:
        """A question."""
        return self._write(place, self._words.QUESTIONS)

    def term(self, place: str) -> str:
        """A word or two."""
        return self._unique(place, lambda random: _bare(self._fresh(random, self._words.TOPICS)))

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
