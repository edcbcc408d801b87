"""Hostile text is made harmless, and numbers read as people expect."""

from __future__ import annotations

import os
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core import text as t

ANY_TEXT = st.text(st.characters(exclude_categories=()))
SPICED = st.lists(
    st.one_of(
        st.sampled_from(
            ["\x1b", "[", "]", "P", "\x07", "\x1b\\", "\x9b", "\x9d", "\x9c", "31m", "8;;http://x", "\u200d"]  # noqa: RUF005
            + [
                "\u202e",
                "👩",
                "🏫",
                "\ufe0f",
                "\udce9",
                "\r",
                "\n",
                "\t",
                "\u2028",
                "讲",
                "e\u0301",
                ".",
                "/",
                "\\",
                "CON",
                "-",
            ]
        ),
        ANY_TEXT,
    )
).map("".join)


# ---------------------------------------------------------------- clean_text


@given(SPICED, st.booleans())
def test_no_control_character_survives_cleaning(s: str, newlines: bool) -> None:
    cleaned = t.clean_text(s, newlines=newlines)
    for char in cleaned:
        assert unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") or (char == "\n" and newlines)
        assert not 0x202A <= ord(char) <= 0x202E
        assert not 0x2066 <= ord(char) <= 0x2069
        assert char not in "\u200b\u200c\u200e\u200f\u2060\ufeff\t"
    cleaned.encode("utf-8")


@given(SPICED, st.booleans())
def test_cleaning_twice_changes_nothing_more(s: str, newlines: bool) -> None:
    once = t.clean_text(s, newlines=newlines)
    assert t.clean_text(once, newlines=newlines) == once


@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_plain_text_of_every_script_is_left_alone(s: str) -> None:
    assert t.clean_text(s) == s


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x07", "click"),
        ("\x1b]52;c;bWFsd2FyZQ==\x07paste", "paste"),
        ("\x1bP1$r0m\x1b\\dcs", "dcs"),
        ("\x1b(0lqk", "lqk"),
        ("\x1b]0;never ended", "0;never ended"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("a\u200db", "ab"),
        ("👩\u200d🏫 teaches", "👩\u200d🏫 teaches"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("👩\u200d\u202e🏫", "👩\u200d🏫"),
        ("a\tb", "a b"),
        ("one\r\ntwo", "one two"),
        ("bell\x07\x00\x7f", "bell"),
        (os.fsdecode(b"caf\xe9.mp4"), "caf\\xe9.mp4"),
        ("\ud800", "\\ud800"),
        ("hidden\U000e0049\U000e0047", "hidden"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
    ],
)
def test_hostile_text_is_made_harmless(hostile: str, harmless: str) -> None:
    assert t.clean_text(hostile) == harmless


def test_line_breaks_stay_when_they_are_allowed() -> None:
    assert t.clean_text("a\r\nb\rc\nd\u2028e", newlines=True) == "a\nb\nc\nd\ne"


@pytest.mark.parametrize("piece", ["\x1b]", "\x9d", "\x1b[", "\x9b0", "\x1bP", "\u200d", "\ufe0f", "\x1b[1;"])
def test_cleaning_time_grows_with_the_text_not_its_square(piece: str) -> None:
    started = time.perf_counter()
    t.clean_text(piece * 100_000)
    assert time.perf_counter() - started < 2  # a quadratic rule needs minutes


# ---------------------------------------------------------------- slug


@given(SPICED, st.integers(16, 200))
def test_a_slug_is_safe_everywhere(s: str, max_bytes: int) -> None:
    name = t.slug(s, max_bytes)
    assert name
    assert len(name.encode("utf-8")) <= max_bytes
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set("/\\:*?\"<>|\0 \n\t$`'&;%!")
    assert ".." not in name
    assert name[0] not in ".-"
    assert name[-1] not in ". -"
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert all(unicodedata.category(char)[0] not in "CZ" for char in name)


@given(SPICED)
def test_a_slug_of_a_slug_is_itself(s: str) -> None:
    assert t.slug(t.slug(s)) == t.slug(s)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Lecture 01: Intro", "Lecture-01-Intro"),
        ("第3讲 线性代数（上）", "第3讲-线性代数（上）"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\x", "C-Windows-x"),
        ("CON", "_CON"),
        ("con.tar", "_con.tar"),
        ("COM¹", "_COM¹"),
        ("console", "console"),
        (".hidden.", "hidden"),
        ("cafe\u0301", "café"),
        ("", "video"),
        ("...", "video"),
        ("\x1b[31m", "video"),
        ("=cmd|' /C calc'!A0", "cmd-C-calc-A0"),
    ],
)
def test_slugs_read_like_their_stems(stem: str, name: str) -> None:
    assert t.slug(stem) == name


def test_a_slug_is_cut_between_characters() -> None:
    assert t.slug("讲" * 100, 16) == "讲" * 5


def test_a_slug_too_short_to_be_safe_is_refused() -> None:
    with pytest.raises(ValueError, match="16"):
        t.slug("x", 3)


# ---------------------------------------------------------------- widths


@given(ANY_TEXT.map(t.clean_text), st.integers(0, 40))
def test_a_cut_text_fits_its_width(s: str, width: int) -> None:
    assert t.cell_width(t.middle_cut(s, width)) <= width


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("short.mp4", 20, "short.mp4"),
        ("a very long lecture name 07.mp4", 16, "a very l… 07.mp4"),
        ("线性代数线性代数线性代数.mp4", 12, "线性…数.mp4"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("no_suffix_but_long", 7, "no_s…ng"),
    ],
)
def test_the_middle_of_a_long_name_is_cut_and_its_suffix_kept(name: str, width: int, shown: str) -> None:
    assert t.middle_cut(name, width) == shown


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0:07", 7.0),
        ("03:25", 205.0),
        ("75:30", 4530.0),
        ("1:02:03", 3723.0),
        ("01:02:03.450", 3723.45),
        ("1:02:03,450", 3723.45),
        ("12:34.5", 754.5),
        ("1:02:345", 62.345),
        ("1:02:03:456", 3723.456),
        (" 03:25 ", 205.0),
        ("03：25", 205.0),
        ("1:60", None),
        ("1:60:00", None),
        ("1:5", None),
        ("12:345", None),
        ("205", None),
        ("205s", None),
        ("-1:00", None),
        ("1:00:00:00", None),
        ("٠٣:٢٥", None),
        ("", None),
        ("1:00.", None),
        ("1:00.1234", None),
    ],
)
def test_times_are_read_strictly(written: str, seconds: float | None) -> None:
    assert t.parse_time(written) == (None if seconds is None else pytest.approx(seconds))


@given(st.integers(0, 10_000 * 3600 - 1))
def test_a_written_time_reads_back_as_itself(seconds: int) -> None:
    assert t.parse_time(t.format_time(seconds)) == seconds


@given(ANY_TEXT)
def test_reading_a_time_never_raises(s: str) -> None:
    t.parse_time(s)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00"), (59.99, "00:59"), (60, "01:00"), (3599, "59:59"), (3600, "1:00:00"), (-3, "00:00")]  # noqa: RUF005
    + [(float("nan"), "--:--"), (float("inf"), "--:--"), (360_000, "100:00:00")],
)
def test_places_in_a_video_are_written_as_clock_times(seconds: float, shown: str) -> None:
    assert t.format_time(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.42, "0.4 s"), (9.97, "10 s"), (59.7, "1 min"), (720, "12 min"), (3599, "1 h 00 min")]  # noqa: RUF005
    + [(11_100, "3 h 05 min"), (86_399, "1 d 00 h"), (187_200, "2 d 04 h"), (float("inf"), "–")],
)
def test_spans_are_written_in_words(seconds: float, shown: str) -> None:
    assert t.format_duration(seconds) == shown


# ---------------------------------------------------------------- sizes and money


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (8_388_608, "8.4 MB"), (999_499_999, "999 MB")]  # noqa: RUF005
    + [(999_999_999, "1.00 GB"), (1_250_000_000, "1.25 GB"), (20 * 10**9, "20.0 GB"), (5 * 10**18, "5000 PB")],
)
def test_sizes_have_three_digits_and_a_unit(count: int, shown: str) -> None:
    assert t.format_bytes(count) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "$0.00"), (0.0042, "$0.0042"), (0.00001, "<$0.0001"), (0.014, "$0.01"), (12.3, "$12.30")]  # noqa: RUF005
    + [(1234.5, "$1,234.50"), (-2, "-$2.00"), (float("nan"), "$–")],
)
def test_money_above_zero_never_reads_as_zero(amount: float, shown: str) -> None:
    assert t.format_usd(amount) == shown
