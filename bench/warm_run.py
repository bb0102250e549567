"""One warm run (decide, simulate, trades, metrics) beside the C kernel, raptorbt and vectorbt.

python -m bench --only warm_run
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies.registry import check_parameters, find

from bench.candles import read, real_file, walk
from bench.peers import Peers
from bench.reference import compile_reference, reference_run
from bench.row import Row, Timing, interleaved, ratio_row, timed

BARS = 100_000
MANY_BARS = 1_000_000
FAST, SLOW = 9, 21
BATCH = 5
FEE, CASH, PER_YEAR = 0.001, 10_000.0, 525_600.0
ACCOUNT = Account(initial_cash=CASH, maker_rate=FEE, taker_rate=FEE, slippage_rate=0.0, allow_short=True)
FREE = Account(
    initial_cash=CASH, maker_rate=0.0, taker_rate=0.0, slippage_rate=0.0
)  # a million bars of fees: 0


def warm_run(candles: Candles, direction: str, settings: Account = ACCOUNT) -> Callable[[], Ledger]:
    strategy = find("sma-cross")
    parameters = check_parameters(strategy, {"fast": FAST, "slow": SLOW, "direction": direction})
    decide = strategy.decide
    assert decide is not None

    def run() -> Ledger:
        ledger = simulate(candles, decide(candles, parameters), settings)
        metrics(ledger, candles, settings)
        return ledger

    return run


def beside_c(candles: Candles, direction: str, settings: Account) -> tuple[Timing, Timing]:
    ours = warm_run(candles, direction, settings)
    theirs = reference_run(compile_reference(), candles, FAST, SLOW, direction, settings)
    ledger, outcome = ours(), theirs()
    if (ledger.equity[-1], len(ledger.fills)) != (outcome.final_equity, outcome.fills):
        raise SystemExit(f"{direction}: the two kernels disagree; no ratio of unequal work")
    mine, reference = interleaved(timed(ours), timed(theirs), batch=BATCH)
    return mine, reference


def beside_peers(candles: Candles, peers: Peers, settings: Account) -> tuple[Timing, Timing, Timing]:
    """Ours, raptorbt and vectorbt in turns: long, next open, the fee inside."""
    peers.load(candles)
    ours = warm_run(candles, "long", settings)
    common = {"fast": FAST, "slow": SLOW, "cash": CASH, "fee": settings.taker_rate}

    def raptorbt() -> float:
        return float(peers.call("raptorbt.sma", **common, per_year=PER_YEAR)["seconds"])

    def vectorbt() -> float:
        return float(peers.call("vectorbt.sma", **common)["seconds"])

    raptorbt(), vectorbt()
    mine, one, two = interleaved(timed(ours), raptorbt, vectorbt, batch=BATCH)
    return mine, one, two


def rows(peers: Peers) -> Iterator[Row]:
    candles = walk(BARS)
    work = f"warm run, sma-cross {FAST}/{SLOW}, {BARS:,} bars"
    yield ratio_row(work, *_c(beside_c(candles, "long", ACCOUNT)), most=1.0)
    yield ratio_row(f"{work}, long-short", *_c(beside_c(candles, "long-short", ACCOUNT)), most=1.0)
    path = real_file()
    if path is not None:
        real = read(path)
        yield ratio_row(f"warm run, {path.stem}", *_c(beside_c(real, "long", ACCOUNT)), most=1.0)
    mine, raptorbt, vectorbt = beside_peers(candles, peers, ACCOUNT)
    yield ratio_row(work, mine, "raptorbt", raptorbt, most=1 / 8)
    yield ratio_row(work, mine, "vectorbt", vectorbt)
    many = walk(MANY_BARS)
    work = f"warm run, {MANY_BARS:,} bars"
    yield ratio_row(work, *_c(beside_c(many, "long", FREE)))
    mine, raptorbt, vectorbt = beside_peers(many, peers, FREE)
    yield ratio_row(work, mine, "raptorbt", raptorbt, most=1 / 8)
    yield ratio_row(work, mine, "vectorbt", vectorbt)


def _c(pair: tuple[Timing, Timing]) -> tuple[Timing, str, Timing]:
    return pair[0], "C kernel", pair[1]
