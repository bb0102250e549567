"""Price with entries and exits: the whole window, and its last trades close up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import plural, significant, utc
from spark_engine.report.plot import WIDTH, Frame, Layer, Mark, Plot, bucket_span, middles, polyline
from spark_engine.report.scale import LinearScale, TimeScale, padded

MAX_CANDLES = 180
MAX_MARKED_TRADES = 100
CLOSE_UP_TRADES = 40
ACTIVITY_BINS = 120
LOG_FROM_RATIO = 4

Trades = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Slice:
    """The price columns of some buckets in a row."""

    ts: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    span: float  # ms of a bucket
    bar: float  # ms of a bar

    @property
    def time(self) -> TimeScale:
        return TimeScale(self.ts[0], self.ts[-1] + self.span)


def too_many_to_mark(trades: Trades) -> bool:
    return len(trades["pnl"]) > MAX_MARKED_TRADES


def price_plot(chart: Mapping[str, Any], trades: Trades) -> Plot:
    """The whole window, with every entry and exit unless there are too many to tell apart."""
    dense = too_many_to_mark(trades)
    return _price_plot(
        "price",
        "Price over the whole window",
        _slice(chart, 0),
        chart,
        trades,
        first=0,
        height=280,
        marked=not dense,
    )


def close_up_plot(chart: Mapping[str, Any], trades: Trades) -> Plot | None:
    """The last trades, marked one by one; None where the whole window already shows all."""
    if not too_many_to_mark(trades):
        return None
    first_trade = len(trades["pnl"]) - CLOSE_UP_TRADES
    first_bucket = max(0, bisect_right(chart["price"]["ts"], trades["entry_ts"][first_trade]) - 1)
    title = f"The last {CLOSE_UP_TRADES} trades"
    buckets = _slice(chart, first_bucket)
    return _price_plot("close-up", title, buckets, chart, trades, first=first_trade, height=320, marked=True)


def activity_plot(chart: Mapping[str, Any], trades: Trades) -> Plot | None:
    """Closed trades by time of exit, won upwards and lost downwards; None where all trades are marked."""
    if not too_many_to_mark(trades):
        return None
    time = _slice(chart, 0).time
    won, lost = _count_exits(time, trades)
    highest = max(1, *won, *lost)
    frame = Frame(time, LinearScale(-1.15 * highest, 1.15 * highest))
    wins = sum(won)
    return Plot(
        name="activity",
        title="Trades won and lost over time",
        summary=f"{wins:,} trades won (bars upwards), {sum(lost):,} lost (bars downwards), by time of exit; "
        f"at most {highest} of a kind in one bar.",
        height=84,
        start=time.start,
        stop=time.stop,
        values=[tick for tick in frame.value.ticks() if tick.label == "0"],
        times=[],
        layers=[
            Layer("won-bar", _columns(frame, time, won, +1)),
            Layer("lost-bar", _columns(frame, time, lost, -1)),
        ],
    )


def _slice(chart: Mapping[str, Any], first: int) -> Slice:
    price = chart["price"]
    span = bucket_span(price["ts"])
    bars_a_bucket = -(-chart["bars"] // len(price["ts"]))
    return Slice(
        ts=price["ts"][first:],
        open=price["open"][first:],
        high=price["high"][first:],
        low=price["low"][first:],
        close=price["close"][first:],
        span=span,
        bar=span / bars_a_bucket,
    )


def _price_plot(
    name: str,
    title: str,
    prices: Slice,
    chart: Mapping[str, Any],
    trades: Trades,
    *,
    first: int,
    height: int,
    marked: bool,
) -> Plot:
    time = prices.time
    marked_prices = [*trades["entry_price"][first:], *trades["exit_price"][first:]] if marked else []
    low, high = min(prices.low), max(prices.high)
    log = low > 0 and high / low >= LOG_FROM_RATIO
    frame = Frame(time, padded([low, high, *marked_prices], log=log))
    return Plot(
        name=name,
        title=title,
        summary=_summary(chart, prices, len(trades["pnl"]) - first if marked else None)
        + (" Logarithmic axis." if log else ""),
        height=height,
        start=time.start,
        stop=time.stop,
        values=frame.value.ticks(),
        times=time.ticks(),
        layers=[
            *(_candles(frame, prices) if len(prices.ts) <= MAX_CANDLES else _range(frame, prices)),
            *(_links(frame, prices.bar / 2, trades, first) if marked else []),
        ],
        marks=_marks(frame, prices.bar / 2, chart, trades, first) if marked else [],
    )


def _summary(chart: Mapping[str, Any], prices: Slice, marked: int | None) -> str:
    text = (
        f"{chart['symbol']} from {utc(prices.ts[0])} UTC on: first open {significant(prices.open[0], 7)}, "
        f"last close {significant(prices.close[-1], 7)}, lowest {significant(min(prices.low), 7)}, "
        f"highest {significant(max(prices.high), 7)}."
    )
    return f"{text} {plural(marked, 'closed trade')} marked." if marked else text


def _range(frame: Frame, prices: Slice) -> list[Layer]:
    at = middles(prices.ts)
    return [
        Layer("price-band", frame.band(at, prices.low, prices.high)),
        Layer("price", frame.line(at, prices.close)),
    ]


def _candles(frame: Frame, prices: Slice) -> list[Layer]:
    """Hollow where the close is at or above the open, filled where it is below."""
    half = max(1, min(40, round(prices.span / (frame.time.stop - frame.time.start) * WIDTH * 0.32)))
    wicks: list[str] = []
    rising: list[str] = []
    falling: list[str] = []
    rows = zip(prices.ts, prices.open, prices.high, prices.low, prices.close, strict=True)
    for ts, opened, high, low, close in rows:
        x, top = frame.point(ts + prices.span / 2, max(opened, close))
        bottom = frame.point(ts, min(opened, close))[1]
        highest, lowest = frame.point(ts, high)[1], frame.point(ts, low)[1]
        wicks.append(f"M{x} {highest}V{top}M{x} {bottom}V{lowest}")
        body = f"M{x - half} {top}h{2 * half}v{max(2, bottom - top)}h{-2 * half}z"
        (rising if close >= opened else falling).append(body)
    return [
        Layer("wick", "".join(wicks)),
        Layer("rising", "".join(rising)),
        Layer("falling", "".join(falling)),
    ]


def _links(frame: Frame, half_bar: float, trades: Trades, first: int) -> list[Layer]:
    """A line from each entry to its exit."""
    paths: dict[bool, list[str]] = {True: [], False: []}
    for index in range(first, len(trades["pnl"])):
        entry = frame.point(trades["entry_ts"][index] + half_bar, trades["entry_price"][index])
        leave = frame.point(trades["exit_ts"][index] + half_bar, trades["exit_price"][index])
        paths[trades["pnl"][index] > 0].append(polyline([entry, leave]))
    return [Layer("trade-won", "".join(paths[True])), Layer("trade-lost", "".join(paths[False]))]


def _marks(frame: Frame, half_bar: float, chart: Mapping[str, Any], trades: Trades, first: int) -> list[Mark]:
    """Entries point the way of the trade; exits are a disc where money was made, a cross where not."""
    marks = []
    for index in range(first, len(trades["pnl"])):
        entry = "entry-long" if trades["side"][index] == "long" else "entry-short"
        exit_shape = "exit-won" if trades["pnl"][index] > 0 else "exit-lost"
        marks.append(frame.mark(entry, trades["entry_ts"][index] + half_bar, trades["entry_price"][index]))
        marks.append(frame.mark(exit_shape, trades["exit_ts"][index] + half_bar, trades["exit_price"][index]))
    return marks + _open_entry(frame, half_bar, chart)


def _open_entry(frame: Frame, half_bar: float, chart: Mapping[str, Any]) -> list[Mark]:
    """The last fill, where it left a position open."""
    position, fills = chart["position"]["last"][-1], chart["fills"]
    if position == 0 or not fills["ts"] or fills["ts"][-1] < frame.time.start:
        return []
    shape = "entry-long" if position > 0 else "entry-short"
    return [frame.mark(shape, fills["ts"][-1] + half_bar, fills["price"][-1])]


def _count_exits(time: TimeScale, trades: Trades) -> tuple[list[int], list[int]]:
    won, lost = [0] * ACTIVITY_BINS, [0] * ACTIVITY_BINS
    for ts, pnl in zip(trades["exit_ts"], trades["pnl"], strict=True):
        column = min(ACTIVITY_BINS - 1, max(0, int(time.place(ts) * ACTIVITY_BINS)))
        (won if pnl > 0 else lost)[column] += 1
    return won, lost


def _columns(frame: Frame, time: TimeScale, counts: Sequence[int], direction: int) -> str:
    width = WIDTH / ACTIVITY_BINS
    zero = frame.point(time.start, 0)[1]
    pieces = []
    for column, count in enumerate(counts):
        if count:
            height = zero - frame.point(time.start, direction * count)[1]
            left, breadth = round(column * width) + 2, round(width) - 4
            pieces.append(f"M{left} {zero}h{breadth}v{-height}h{-breadth}z")
    return "".join(pieces)
