"""bollinger: reversion to the mean from outside the Bollinger bands (Bollinger, 2001)."""

from __future__ import annotations

from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidSpec
from spark_engine.simulation import signals
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.events import DIRECTION, LIMIT, MAX_WINDOW, collect, target_down
from spark_engine.strategies.table import Parameter, Parameters, Strategy


def decide(candles: Candles, parameters: Parameters) -> Decisions:
    """Up where the close comes back from below the lower band, down back from above the upper one.

    Bands: the simple average of `period` closes -/+ `width` population standard deviations. A close on a band
    is not outside. The rule is that of TradingView's "Bollinger Bands Strategy".
    """
    period, width, down = int(parameters["period"]), float(parameters["width"]), target_down(parameters)
    if not len(candles):
        return collect(candles, lambda _bar, _target: 0)
    base = signals.smallest(candles.ticks_close)
    _check_fits(candles, period, signals.largest(candles.ticks_close) - base)
    return collect(
        candles,
        lambda bar, target: signals.bollinger(
            candles.ticks_close, base, period, width, candles.warmup, down, bar, target
        ),
    )


def _check_fits(candles: Candles, period: int, spread: int) -> None:
    if 2 * period * spread * spread >= LIMIT:
        scale = candles.quality_report.price_scale
        raise InvalidSpec(
            f"period is {period}; with prices that span {spread} ticks of 10^-{scale} it must be at most "
            f"{(LIMIT - 1) // (2 * spread * spread)}: shorten it, or set a lower spec.market.priceScale",
            field="spec.strategy.params.period",
        )


STRATEGY = Strategy(
    name="bollinger",
    aliases=("bollinger-reversion",),
    summary="Bollinger bands: buy when the close comes back above the lower band, sell back below the upper.",
    parameters=(
        Parameter("period", "integer", "Bars of the bands.", minimum=2, maximum=MAX_WINDOW, default=20),
        Parameter(
            "width",
            "number",
            "Standard deviations from the middle to a band.",
            minimum=0.1,
            maximum=10,
            default=2,
        ),
        DIRECTION,
    ),
    checks=(),
    decide=decide,
    lookback=lambda parameters: int(parameters["period"]),
)
