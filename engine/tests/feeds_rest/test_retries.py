from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.rest.causes import said_in
from spark_engine.feeds.rest.retries import LONGEST_RETRY_AFTER, full_jitter, retry_after_seconds

NOW = 1_795_000_000.0


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_full_jitter_is_uniform_below_the_exponential_bound(attempt: int, chance: float) -> None:
    delay = full_jitter(attempt, first=1.0, factor=2.0, cap=60.0, chance=chance)
    assert delay == chance * min(60.0, 2.0 ** min(attempt - 1, 60))


def test_attempts_count_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        full_jitter(0, first=1.0, factor=2.0, cap=60.0, chance=0.5)


def test_retry_after_may_be_seconds_or_a_moment() -> None:
    in_a_minute = formatdate(NOW + 60, usegmt=True)
    assert retry_after_seconds("55", date=None, now=NOW) == 55
    assert retry_after_seconds(" 55 ", date=None, now=NOW) == 55
    assert retry_after_seconds(in_a_minute, date=None, now=NOW) == 60
    assert retry_after_seconds(formatdate(NOW - 60, usegmt=True), date=None, now=NOW) == 0


def test_a_moment_is_measured_on_the_servers_own_clock() -> None:
    its_now = formatdate(NOW + 3_600, usegmt=True)
    assert retry_after_seconds(formatdate(NOW + 3_660, usegmt=True), date=its_now, now=NOW) == 60


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo 2015 07:28:00 GMT"])
def test_an_unreadable_retry_after_is_as_good_as_none(text: str) -> None:
    assert retry_after_seconds(text, date=None, now=NOW) is None


@given(st.text(max_size=40), st.one_of(st.none(), st.text(max_size=40)))
def test_any_header_gives_none_or_a_wait_that_ends(text: str, date: str | None) -> None:
    seconds = retry_after_seconds(text, date=date, now=NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


def test_a_wait_beyond_all_reason_is_cut() -> None:
    assert retry_after_seconds("9" * 30, date=None, now=NOW) == LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"success":false,"message":"Pair NOPEUSDT does not exists.","code":1037}',
            "Pair NOPEUSDT does not exists.",
        ),
        (b'{"code":-1121,"msg":"Invalid symbol."}', "Invalid symbol."),
        (b'{"message":null}', '{"message":null}'),
        (b"<html><head><title>\n 502  Bad\tGateway</title></head><body>x</body></html>", "502 Bad Gateway"),
        (b"<html><style>p{color:red}</style><p>closed &amp; gone</p></html>", "closed & gone"),
        (b"", ""),
        (b"plain \x1b[31mred\x00 text", "plain [31mred text"),
    ],
)
def test_what_an_error_page_says_in_one_line(body: bytes, said: str) -> None:
    assert said_in(body) == said


@given(st.binary(max_size=300))
def test_whatever_the_body_what_is_told_is_one_short_printable_line(body: bytes) -> None:
    said = said_in(body)
    assert len(said) <= 160
    assert said.isprintable()
