"""The numbers of book messages: each follows the last, or the book is asked for anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.provider import Book
from spark_engine.feeds.sequence.books import BookSequence


def book(sequence: int, snapshot: bool = False) -> Book:
    return Book("BTCTRY", "obdiff", sequence, snapshot)


def started(at: int = 100) -> BookSequence:
    sequence = BookSequence()
    assert sequence.accept(book(at, snapshot=True)) == "ok"
    return sequence


@given(st.integers(0, 2**40), st.integers(1, 50))
def test_numbers_that_rise_by_one_from_the_snapshot_are_in_order(begin: int, count: int) -> None:
    sequence = started(begin)
    assert all(sequence.accept(book(begin + step)) == "ok" for step in range(1, count))
    assert sequence.live


def test_a_change_before_the_snapshot_asks_for_the_book() -> None:
    sequence = BookSequence()
    assert not sequence.live
    assert sequence.accept(book(5)) == "broken"


def test_a_skipped_number_breaks_once_until_the_next_snapshot() -> None:
    sequence = started()
    assert sequence.accept(book(102)) == "broken"
    assert [sequence.accept(book(number)) for number in (103, 101, 104)] == ["awaiting"] * 3
    assert not sequence.live
    assert sequence.accept(book(7, snapshot=True)) == "ok"
    assert sequence.accept(book(8)) == "ok"
    assert sequence.breaks == 1


def test_a_repeated_number_is_ignored() -> None:
    sequence = started()
    sequence.accept(book(101))
    assert sequence.accept(book(101)) == "duplicate"
    assert sequence.accept(book(100)) == "duplicate"
    assert sequence.accept(book(102)) == "ok"


def test_a_count_that_begins_anew_without_a_snapshot_is_a_break() -> None:
    assert started(4_000_000).accept(book(1)) == "broken"


def test_whole_books_each_time_are_always_in_order() -> None:
    sequence = BookSequence()
    assert [sequence.accept(book(number, snapshot=True)) for number in (5, 9, 2)] == ["ok"] * 3


def test_on_a_new_connection_the_count_waits_for_its_snapshot() -> None:
    sequence = started()
    sequence.restart()
    assert sequence.accept(book(101)) == "awaiting"
    assert sequence.accept(book(3, snapshot=True)) == "ok"
    assert sequence.breaks == 0
