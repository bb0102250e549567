"""What event strategies share: the direction of the trade, and the columns that events are written into."""

from __future__ import annotations

from collections.abc import Callable

from spark_engine.data.candles import Candles
from spark_engine.data.rows import unwritten
from spark_engine.errors import InvalidSpec
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.table import Parameter, Parameters

LIMIT = 2**63
BARS_PER_EVENT = 8  # room to start with: strategies that act more often are rare and run twice
LEAST_ROWS = 64
MAX_WINDOW = 10_000

DIRECTION = Parameter(
    name="direction",
    type="string",
    summary="What a down signal does: long sells and stays flat, long-short sells short.",
    choices=("long", "long-short"),
    default="long",
)

Writer = Callable[[memoryview, memoryview], int]


def target_down(parameters: Parameters) -> float:
    """The target of a down signal."""
    return -1.0 if parameters["direction"] == "long-short" else 0.0


def collect(candles: Candles, write: Writer) -> Decisions:
    """The events that `write` puts into columns of bars and targets; it returns how many there are in all."""
    rows = LEAST_ROWS + (len(candles) - candles.warmup) // BARS_PER_EVENT
    bar, target = unwritten("q", rows), unwritten("d", rows)
    count = write(bar, target)
    if count > rows:
        bar, target = unwritten("q", count), unwritten("d", count)
        write(bar, target)
    return Decisions(bar=bar[:count], target=target[:count])


def check_exact(candles: Candles, factor: int, field: str, product: str) -> None:
    """Raises `InvalidSpec` where `max(ticks) * factor` leaves 64 bits; `product` says what `factor` is."""
    if 0 <= signals.bits_set(candles.ticks_close) * factor < LIMIT:
        return  # a bound that costs a quarter of the maximum
    most = signals.largest(candles.ticks_close)
    if most * factor >= LIMIT:
        scale = candles.quality_report.price_scale
        raise InvalidSpec(
            f"{product} is {factor}; with prices up to {most} ticks of 10^-{scale} it must be at most "
            f"{(LIMIT - 1) // most}: shorten the windows, or set a lower spec.market.priceScale",
            field=field,
        )
