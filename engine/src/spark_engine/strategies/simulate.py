"""A strategy over candles, in either form: to a ledger, or only to what it decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import EngineError
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate, simulate_events
from spark_engine.strategies.table import Parameters, Strategy

OnBar = Callable[[int], None]


def simulate_strategy(
    strategy: Strategy, candles: Candles, account: Account, parameters: Parameters, seed: int = 0
) -> Ledger:
    """The ledger of `strategy` with checked `parameters`. Raises `BacktestError`.

    `seed` is that of event strategies; vector strategies got theirs from `load`. What a user strategy prints
    goes to stderr.
    """
    if strategy.decide is not None:
        return simulate(candles, strategy.decide(candles, parameters), account)
    from spark_engine.strategies.prints import prints_to_stderr

    with prints_to_stderr():
        return simulate_events(candles, account, connect(strategy, candles, parameters, seed))


def connect(
    strategy: Strategy, candles: Candles, parameters: Parameters, seed: int
) -> Callable[[Any], OnBar]:
    """What `simulate_events` calls with its exchange: it starts a strategy of the event form and returns what
    is called at every close. Failures of the strategy become `InvalidStrategy` that names bar and line.
    """
    from spark_engine.strategies.context import Context, Runner
    from spark_engine.strategies.failure import bar_of, failure

    def fail(error: BaseException, bar: int) -> BaseException:
        return failure(error, strategy.root, bar_of(candles, bar))

    def attach(exchange: Any) -> OnBar:
        if strategy.start is None:
            raise EngineError(f"{strategy.name} has no event form")
        context = Context(exchange, candles, strategy.own(parameters), seed)
        made = strategy.start(parameters, seed)
        on_start = getattr(made, "on_start", None)
        if on_start is not None:
            try:
                on_start(context)
            except BaseException as error:
                raise failure(error, strategy.root, "on_start") from None
        return Runner(context, exchange, made.on_bar, getattr(made, "on_fill", None), fail).step

    return attach
