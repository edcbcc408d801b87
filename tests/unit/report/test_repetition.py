"""Loops are found in any language and at any place; what repeats honestly is not called one."""

from __future__ import annotations

import random
import time

from gsvr_tui.report.repetition import LoopWatch, find_loop, mostly_table, tokens_of, worst_ratio


def words(text: str) -> list[str]:
    return [token.text for token in tokens_of(text)]


def noise(count: int, seed: int = 1) -> list[str]:
    chooser = random.Random(seed)
    return [f"w{chooser.randrange(4000)}" for _ in range(count)]


def test_chinese_counts_by_character_and_latin_by_word() -> None:
    assert words("今天 is a 好day!") == ["今", "天", "is", "a", "好", "day"]


def test_code_tables_headings_times_and_list_marks_do_not_count() -> None:
    text = "# Title\n- 00:10 one\n2. [1:02:03] two\n| a | b |\n```\ncode code\n```\nthree"
    assert words(text) == ["one", "two", "three"]


def test_a_block_of_any_length_is_found_from_its_fifth_time_on() -> None:
    for length in (4, 7, 23, 80):
        block = noise(length, 100 + length)
        for times, found in ((4, False), (5, True), (30, True)):
            loop = find_loop([*noise(200, 3), *block * times, *noise(100, 4)])
            assert (loop is not None) is found, (length, times)
            if loop is not None:
                assert loop.period % length == 0
                assert loop.first == 200
                assert loop.last == 200 + length * times


def test_a_long_block_is_found_from_its_third_time_on() -> None:
    block = noise(250, 9)
    assert find_loop([*noise(50, 2), *block * 2]) is None
    loop = find_loop([*noise(50, 2), *block * 3])
    assert loop is not None
    assert loop.long


def test_a_block_that_holds_the_same_words_twice_is_still_found() -> None:
    block = [*["a", "b", "c", "d", "x", "a", "b", "c", "d", "y", "z"]]
    loop = find_loop([*noise(30), *block * 6, *noise(30, 5)])
    assert loop is not None
    assert loop.repeats >= 6


def test_laughter_and_counting_are_no_loops() -> None:
    assert find_loop(["ha"] * 200) is None
    assert find_loop([*["ha", "he"]] * 100) is None
    assert find_loop([str(n) for n in range(500)]) is None


def test_a_long_text_is_searched_in_little_time() -> None:
    text = noise(60_000, 8)
    began = time.perf_counter()
    assert find_loop(text) is None
    assert find_loop([*["a", "b", "c", "d"]] * 15_000) is not None
    assert time.perf_counter() - began < 5  # about 0.2 s on a quiet machine


def test_near_copies_compress_too_well_and_prose_does_not() -> None:
    near = " ".join(f"Now we look at step {n} of the example and see how it works." for n in range(200))
    assert find_loop(words(near)) is None
    assert worst_ratio(near) > 5
    assert worst_ratio(" ".join(noise(2_000))) < 4
    assert worst_ratio("short " * 20) == 0


def test_a_table_is_recognised() -> None:
    row = "| a | b |\n"
    assert mostly_table(row * 10)
    assert not mostly_table(row * 3 + "text\n" * 20)


def test_a_stream_is_stopped_soon_after_it_begins_to_loop() -> None:
    watch = LoopWatch()
    for n in range(400):
        assert not watch.feed(f'{{"start": "{n // 60:02d}:{n % 60:02d}", "text": "{" ".join(noise(8, n))}"}}, ')
    said = 0
    while not watch.feed('{"start": "09:11", "text": "现在我们来看这个例子的第一步。"}, '):
        said += 1
        assert said < 100
    assert watch.looping
