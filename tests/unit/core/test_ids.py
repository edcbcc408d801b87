"""Identifiers: unique, sorted, thirteen characters."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.ids import EPOCH_MS, ID_LENGTH, IdMaker, id_number, id_text

WALL = 1_795_500_000.0


@given(st.lists(st.floats(-1e6, 1e6), max_size=200), st.integers(0, 2**32))
def test_ids_grow_whatever_the_clock_does(steps: list[float], seed: int) -> None:
    maker = IdMaker(Random(seed))
    wall, made = WALL, []
    for step in steps:
        wall += step
        made.append(maker.next(wall))
    assert made == sorted(set(made))
    assert all(len(text) == ID_LENGTH for text in made)


@given(st.integers(0, 2**63 - 1))
def test_text_and_number_are_the_same_id(number: int) -> None:
    assert id_number(id_text(number)) == number
    assert id_number(id_text(number).upper()) == number


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_texts_sort_as_their_numbers(one: int, other: int) -> None:
    assert (id_text(one) < id_text(other)) == (one < other)


def test_many_ids_of_one_millisecond_are_all_different() -> None:
    maker = IdMaker(Random(1))
    made = [maker.next(WALL) for _ in range(20_000)]
    assert made == sorted(set(made))


def test_ids_of_two_makers_differ() -> None:
    one, other = IdMaker(Random(1)), IdMaker(Random(2))
    assert not {one.next(WALL) for _ in range(500)} & {other.next(WALL) for _ in range(500)}


def test_a_later_time_gives_a_larger_id() -> None:
    maker = IdMaker(Random(1))
    assert IdMaker(Random(9)).next(WALL) < maker.next(WALL + 0.002)


def test_a_clock_before_the_epoch_still_gives_ids() -> None:
    maker = IdMaker(Random(1))
    first = maker.next(EPOCH_MS / 1000 - 1e6)
    assert id_number(first) < id_number(maker.next(0.0))


@pytest.mark.parametrize("text", ["", "abc", "u" * 13, "z" * 13, "0000000000000x", "００００００００００００００"])
def test_what_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        id_number(text)


@pytest.mark.parametrize("number", [-1, 2**63])
def test_numbers_out_of_range_have_no_text(number: int) -> None:
    with pytest.raises(ValueError, match="63-bit"):
        id_text(number)
