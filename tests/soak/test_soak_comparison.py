"""A soak is worth what its comparison sees: each kind of damage is told, and nothing else is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from spark_engine.data.archive.segment import CandleRow, TickRow

from tests.exchange.klines import Bar, bars
from tests.exchange.ledger import Trade
from tests.soak.bars import compare_bars
from tests.soak.connections import unexplained
from tests.soak.lag import lag_buckets, percentile_ms
from tests.soak.memory import MIB, memory
from tests.soak.trades import compare_trades

SECOND = 1_000_000_000
MINUTE = 60_000
END = 200 * 1000


def trade(number: int) -> Trade:
    return Trade("BTCTRY", str(1000 + number), number * 1000, f"{number + 1}.5000000000", "0.1000000000", 1)


def row(made: Trade) -> TickRow:
    return TickRow(made.time_ms, made.id, int(Decimal(made.price) * 10), 1, 1, 1, 1, 1)


LEDGER = [trade(number) for number in range(120)]
ROWS = [row(made) for made in LEDGER]
CLAIMED = ((0, END),)


def test_an_archive_that_has_every_trade_once_is_clean() -> None:
    counts = compare_trades(LEDGER, ROWS, END, CLAIMED, ())
    assert not (counts.lost or counts.doubled or counts.invented or counts.altered or counts.beyond_reach)
    assert counts.expected == 120


def test_a_trade_that_is_missing_is_lost() -> None:
    assert compare_trades(LEDGER, ROWS[:50] + ROWS[51:], END, CLAIMED, ()).lost == [LEDGER[50]]


def test_the_last_trade_before_the_end_is_expected_and_one_after_it_is_not() -> None:
    assert compare_trades(LEDGER, ROWS[:-1], END, CLAIMED, ()).lost == [LEDGER[-1]]
    assert compare_trades(LEDGER, ROWS[:-1], LEDGER[-1].time_ms, CLAIMED, ()).lost == []


def test_what_was_made_before_the_first_archived_trade_is_not_expected() -> None:
    assert compare_trades(LEDGER, ROWS[20:], END, CLAIMED, ()).lost == []


def test_a_row_that_is_there_twice_is_doubled() -> None:
    assert compare_trades(LEDGER, [*ROWS, ROWS[7]], END, CLAIMED, ()).doubled == [ROWS[7].id]


def test_a_trade_of_another_price_is_altered_and_one_of_no_ledger_invented() -> None:
    spoilt = [ROWS[0]._replace(price=99), *ROWS[1:], ROWS[0]._replace(id="false")]
    counts = compare_trades(LEDGER, spoilt, END, CLAIMED, ())
    assert (counts.altered, counts.invented) == ([ROWS[0].id], ["false"])


@pytest.mark.parametrize(
    ("there_after", "claimed", "withheld", "excused"),
    [
        (50, ((0, 30_000), (40_000, END)), ((30_000, 40_000),), True),
        (49, ((0, 30_000), (40_000, END)), ((30_000, 40_000),), False),
        (50, ((0, END),), ((30_000, 40_000),), False),
        (50, ((0, 30_000), (40_000, END)), (), False),
    ],
    ids=["beyond reach", "50 were not made since", "the archive claims to know", "no fault withheld it"],
)
def test_a_loss_is_excused_only_where_the_venue_could_not_tell_it_any_more(
    there_after: int, claimed: Any, withheld: Any, excused: bool
) -> None:
    ledger = LEDGER[: 36 + there_after]
    counts = compare_trades(ledger, ROWS[:35] + ROWS[36 : 36 + there_after], END, claimed, withheld)
    assert (counts.beyond_reach, counts.lost) == (([LEDGER[35]], []) if excused else ([], [LEDGER[35]]))


def candle(kline: Bar, **changes: Any) -> CandleRow:
    first, most, least, last = (int(price * 10) for price in (kline.open, kline.high, kline.low, kline.close))
    whole = CandleRow(
        kline.time * 1000,
        first,
        most,
        least,
        last,
        int(kline.volume * 10),
        kline.trades,
        0,
        "ticks",
        0,
        1,
        1,
        1,
    )
    return whole._replace(**changes)


KLINES = bars(LEDGER, 60)
BARS = {kline.time * 1000: candle(kline) for kline in KLINES}


def test_bars_as_the_klines_are_clean() -> None:
    counts = compare_bars(KLINES, BARS, MINUTE, CLAIMED, 2 * MINUTE)
    assert (counts.complete, counts.wrong, counts.wanting, counts.invented, counts.uncovered_ms) == (
        2, [], [], [], 0,
    )  # fmt: skip


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume", "trades"])
def test_a_complete_bar_with_another_figure_is_wrong(field: str) -> None:
    spoilt = {**BARS, 0: BARS[0]._replace(**{field: getattr(BARS[0], field) + 1})}
    assert compare_bars(KLINES, spoilt, MINUTE, CLAIMED, 2 * MINUTE).wrong == [0]


def test_a_bar_that_is_absent_or_partial_is_wanting_once_there_was_time() -> None:
    partial = {0: BARS[0]._replace(quality=1)}
    assert compare_bars(KLINES, partial, MINUTE, CLAIMED, 2 * MINUTE).wanting == [0, MINUTE]
    assert compare_bars(KLINES, partial, MINUTE, CLAIMED, MINUTE).wanting == [0]


def test_time_that_the_archive_does_not_claim_is_a_gap() -> None:
    claimed = ((0, MINUTE), (MINUTE + 500, END))
    assert compare_bars(KLINES, BARS, MINUTE, claimed, 2 * MINUTE).uncovered_ms == 500


def sample(second: int, counts: Sequence[int], **health: Any) -> dict[str, Any]:
    """counts: trades of up to 5 ms, up to 1 s, later, since the start."""
    total, metrics = 0, {}
    for bound, count in zip(("0.005", "1.0", "+Inf"), counts, strict=True):
        total += count
        metrics[f"feed_lag_seconds_bucket,le={bound},stage=receipt"] = float(total)
    metrics["feed_reconnects_total,reason=dropped"] = float(health.get("reconnects", 0))
    return {
        "at_ns": second * SECOND,
        "metrics": metrics,
        "health": {"wsUp": True, "reconnects": 0, **health},
        "rss": 100 * MIB,
    }


def fault(name: str, began: int, ended: int) -> dict[str, Any]:
    return {"fault": name, "began_ns": began * SECOND, "ended_ns": ended * SECOND}


def test_lag_that_a_fault_was_meant_to_make_is_told_apart() -> None:
    samples = [sample(0, (0, 0, 0)), sample(2, (10, 0, 0)), sample(4, (10, 10, 0)), sample(20, (30, 10, 0))]
    drip = [fault("SlowDrip", 3, 3)]
    usual = lag_buckets(samples, drip, "receipt", delayed=False)
    assert usual == {0.005: 10, 1.0: 0, math.inf: 0}
    assert lag_buckets(samples, drip, "receipt", delayed=True)[1.0] == 10
    assert lag_buckets(samples, [fault("RestError", 3, 3)], "receipt", delayed=True).total() == 0


def test_lag_after_a_reconnect_is_the_faults_for_a_while() -> None:
    samples = [sample(0, (0, 0, 0)), sample(2, (0, 9, 0), reconnects=1), sample(14, (5, 9, 0), reconnects=1)]
    assert lag_buckets(samples, [], "receipt", delayed=True)[1.0] == 9


def test_a_percentile_lies_within_its_bucket() -> None:
    buckets = lag_buckets([sample(0, (0, 0, 0)), sample(2, (90, 10, 0))], [], "receipt", delayed=False)
    assert percentile_ms(buckets, 50) == pytest.approx(5 * 50 / 90)
    assert percentile_ms(buckets, 95) == pytest.approx(502.5)
    assert percentile_ms(buckets, 100) == pytest.approx(1000)


def test_a_reconnect_needs_a_fault_that_ends_connections() -> None:
    samples = [sample(0, (0, 0, 0)), sample(2, (0, 0, 0), reconnects=1)]
    assert unexplained(samples, [fault("CleanClose", 1, 1)]) == []
    assert len(unexplained(samples, [fault("RestError", 1, 1)])) == 1
    assert len(unexplained(samples, [fault("CleanClose", 20, 20)])) == 1


def test_memory_that_grows_in_the_second_half_is_seen() -> None:
    flat = [{"at_ns": second * SECOND, "rss": 100 * MIB} for second in range(100)]
    growing = [{**each, "rss": each["rss"] + place * MIB} for place, each in enumerate(flat)]
    assert memory(flat).growth == pytest.approx(0)
    assert memory(growing).growth == pytest.approx(49)
    assert memory(growing).slope == pytest.approx(3600)
