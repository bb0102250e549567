"""Look-ahead probe: the future is changed or cut off, and decisions up to the cut must stay as they were.

What a strategy does on bar i may depend on bars <= i alone. The probe runs it on the first rows of the
candles, then again with every row after a cut made much dearer, made much cheaper, and taken away. It also
runs it twice on the same rows: other decisions then mean that it is not reproducible. What it cannot
find is a strategy that reads the future from elsewhere, a file of its own say: that does not depend on its
candles.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields

from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidStrategy
from spark_engine.simulation.ledger import Account, Action, Decisions, Ledger, OrderType, Submissions
from spark_engine.strategies.altered import cheaper, cut_off, dearer
from spark_engine.strategies.failure import bar_of
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.strategies.table import BUILT_IN_CODE, FIELD, Parameters, ProbeLevel, Strategy


@dataclass(frozen=True, slots=True)
class Effort:
    """rows: of the window that are looked at first, doubled up to `most` until there are `decisions`."""

    rows: int
    most: int
    decisions: int
    cuts: int


@dataclass(frozen=True, slots=True)
class Probed:
    """What was looked at: the first `bars` of the window with their `decisions`, cut after bars `cuts`."""

    level: ProbeLevel
    bars: int
    decisions: int
    cuts: tuple[int, ...]


QUICK = Effort(rows=2_000, most=32_000, decisions=20, cuts=3)
FULL = Effort(rows=20_000, most=2**63, decisions=200, cuts=24)
EFFORTS = {"quick": QUICK, "full": FULL}
PRICES = ("limit", "stop", "trail", "trail_rate", "take_profit", "stop_loss", "stop_trail", "stop_trail_rate")
TURNS = ("dearer", "cheaper", "cut off")


def probe(
    strategy: Strategy,
    candles: Candles,
    parameters: Parameters,
    seed: int,
    account: Account,
    level: ProbeLevel = "quick",
) -> Probed | None:
    """Raises `InvalidStrategy` where decisions depend on later bars or change from run to run; it names the
    first bar that differs and the cut. None for a built-in strategy, which its tests probe, and for "off".

    Cuts are drawn from `seed`. quick: 3 cuts on the first 2,000 rows, or as many up to 32,000 as hold 20
    decisions; full: 24 cuts on 20,000 rows, or as many as hold 200 decisions.
    """
    if level == "off" or strategy.code == BUILT_IN_CODE:
        return None
    effort = EFFORTS[level]
    subject = Subject(strategy, parameters, seed, account)
    rows = effort.rows
    while True:
        first = cut_off(candles, min(candles.warmup + rows, len(candles)))
        expected = subject.decided(first)
        if len(expected) >= effort.decisions or len(first) == len(candles) or rows >= effort.most:
            break
        rows *= 2
    _check_reproducible(subject, first, expected)
    places = tuple(cuts(first, expected, seed, effort.cuts))
    for cut in places:
        _check_cut(subject, first, expected, cut, seed)
    return Probed(level, len(first) - first.warmup, len(expected), places)


Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A strategy with all that its decisions may depend on besides candles."""

    strategy: Strategy
    parameters: Parameters
    seed: int
    account: Account

    def decided(self, candles: Candles) -> list[Row]:
        """What it decided, in order; a row begins with its bar."""
        if self.strategy.decide is not None:
            return _rows(self.strategy.decide(candles, self.parameters))
        ledger: Ledger = simulate_strategy(self.strategy, candles, self.account, self.parameters, self.seed)
        return _rows(ledger.submissions) if ledger.submissions is not None else []


def cuts(candles: Candles, decided: list[Row], seed: int, count: int) -> Iterator[int]:
    """Window bars after which the future is changed: drawn from `seed`, every other one where a decision was
    made, since there a change is seen most easily.
    """
    chance = random.Random(f"look-ahead probe {seed}")  # noqa: S311 - the same cuts for the same seed
    last = len(candles) - candles.warmup - 2
    bars = sorted({int(row[0]) for row in decided if row[0] <= last})
    for number in range(count if last >= 0 else 0):
        # In the middle of the rows and later: before a strategy has its first values, nothing can be seen
        yield chance.choice(bars) if bars and number % 2 else chance.randint(last // 3, last)


def _check_reproducible(subject: Subject, candles: Candles, expected: list[Row]) -> None:
    again = subject.decided(candles)
    bar = _first_difference(expected, again, len(candles))
    if bar is not None:
        raise InvalidStrategy(
            "not reproducible: run twice on the same candles, it decided differently on "
            f"{bar_of(candles, bar)}: {_told(expected, bar)}, then {_told(again, bar)}. Draw chance from "
            "ctx.random or from `seed`, and keep nothing from one run to the next",
            field=FIELD,
        )


def _check_cut(subject: Subject, candles: Candles, expected: list[Row], cut: int, seed: int) -> None:
    for turn in TURNS:
        if turn == "cut off":
            altered = cut_off(candles, candles.warmup + cut + 1)
        else:
            change = dearer if turn == "dearer" else cheaper
            altered = change(candles, candles.warmup + cut + 1, seed + cut)
        seen = _decided_on_altered(subject, altered, turn, candles, cut)
        bar = None if seen is None else _first_difference(expected, seen, cut)
        if bar is not None and seen is not None:
            _check_reproducible(
                subject, candles, expected
            )  # what it kept may have met its old state by chance
            raise InvalidStrategy(
                f"looks ahead: with the bars after {bar_of(candles, cut)} {_done(turn)}, its decision on "
                f"{bar_of(candles, bar)} is another: {_told(seen, bar)} instead of {_told(expected, bar)}",
                field=FIELD,
            )


def _decided_on_altered(
    subject: Subject, altered: Candles, turn: str, candles: Candles, cut: int
) -> list[Row] | None:
    """None where the strategy cannot run on so few rows: nothing can be said then."""
    try:
        return subject.decided(altered)
    except InvalidStrategy as error:
        if turn == "cut off":
            return None
        raise InvalidStrategy(
            f"fails when the bars after {bar_of(candles, cut)} are {_done(turn)} (look-ahead probe): "
            f"{error.message}",
            field=FIELD,
        ) from None


def _rows(columns: Decisions | Submissions) -> list[Row]:
    values = (getattr(columns, field.name).tolist() for field in fields(columns))
    return list(zip(*values, strict=True))


def _first_difference(expected: list[Row], seen: list[Row], last: int) -> int | None:
    """The first bar, up to `last`, on which the two decided differently."""
    left = [row for row in expected if row[0] <= last]
    right = [row for row in seen if row[0] <= last]
    if left == right:
        return None
    for one, other in zip(left, right, strict=False):
        if one != other:
            return int(min(one[0], other[0]))
    longer = left if len(left) > len(right) else right
    return int(longer[min(len(left), len(right))][0])


def _told(decided: list[Row], bar: int) -> str:
    """The decisions of a bar in words."""
    rows = [row for row in decided if row[0] == bar]
    return ", ".join(_worded(row) for row in rows[:3]) + (", ..." if len(rows) > 3 else "") or "none"


def _worded(row: Row) -> str:
    if len(row) == len(fields(Decisions)):
        return f"target {row[1]:g}"
    asked = dict(zip((field.name for field in fields(Submissions)), row, strict=True))
    if asked["action"] == Action.CANCEL:
        return f"cancel of order {asked['order']:g}"
    if asked["action"] == Action.TARGET:
        return f"target {asked['quantity']:g}"
    prices = "".join(f", {name} {asked[name]:g}" for name in PRICES if asked[name])
    kind = OrderType(int(asked["type"])).name.lower().replace("_", "-")
    return f"{'buy' if asked['side'] > 0 else 'sell'} {kind} of {asked['quantity']:g}{prices}"


def _done(turn: str) -> str:
    return "cut off" if turn == "cut off" else f"made {turn}"
