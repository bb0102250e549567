"""The event form, on the real exchange: what `ctx` shows, what it does, and how a strategy fails."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import EventCode, Ledger, OrderType
from spark_engine.strategies import context

MakeCandles = Callable[..., Candles]
Run = Callable[..., Ledger]
Refusal = Callable[..., str]

HEAD = """
from spark_engine.strategies import *
from spark_engine.strategies import Order, Trail
class Own:
"""


def own(body: str) -> str:
    return HEAD + "".join(f"    {line}\n" for line in body.splitlines())


def on_bar(*lines: str) -> str:
    return own("def on_bar(self, ctx):\n" + "\n".join(f"    {line}" for line in lines))


RISING = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]


def test_bar_and_history_end_with_the_present_row(run: Run, make_candles: MakeCandles) -> None:
    source = on_bar(
        "bar = ctx.bar",
        "row = ctx.warmup + bar.index",
        "assert (bar.ts, bar.close, bar.volume) == (row * ctx.timeframe_ms, 100.0 + row, 1.0 + row)",
        "assert (bar.open, bar.low, bar.high) == (99.0 + row, 99.0 + row, 100.0 + row)",
        "assert ctx.history('close', 3).tolist() == [98.0 + row, 99.0 + row, 100.0 + row][-row - 1:]",
        "assert len(ctx.history('ts', 1000)) == row + 1",
        "assert len(ctx.history('close', 0)) == 0",
        "self.bars = [*getattr(self, 'bars', []), bar]",
        "assert [one.index for one in self.bars] == list(range(bar.index + 1))",
        "ctx.target(1.0 if bar.index == 2 else float('nan'))",
    )
    ledger = run(source, make_candles(RISING, warmup=2))
    assert ledger.decisions.bar.tolist() == [2]
    assert ledger.fills.bar.tolist() == [3]


def test_history_is_a_view_that_cannot_be_written_to(
    run: Run, refusal: Refusal, make_candles: MakeCandles
) -> None:
    run(on_bar("assert ctx.history('close', 2).base is not None"), make_candles(RISING))
    message = refusal(on_bar("ctx.history('close', 1)[0] = 5.0"), make_candles(RISING))
    assert message.startswith(
        "bar 0 (1970-01-01T00:00:00Z), own_strategies.py:6: ValueError: assignment dest"
    )


def test_the_account_is_that_of_this_close(run: Run, make_candles: MakeCandles) -> None:
    source = on_bar(
        "if ctx.bar.index == 0:",
        "    assert (ctx.cash, ctx.position, ctx.equity) == (10_000.0, 0.0, 10_000.0)",
        "    ctx.submit(Order(side='buy', quantity=2.0))",
        "elif ctx.bar.index == 2:",
        "    assert (ctx.cash, ctx.position, ctx.equity) == (9_800.0, 2.0, 9_800.0 + 2 * 102.0)",
    )
    run(source, make_candles(RISING))


def test_on_start_sees_the_warm_up_and_its_last_bar(run: Run, make_candles: MakeCandles) -> None:
    source = own(
        "def on_start(self, ctx):\n"
        "    assert ctx.history('close', 10).tolist() == [100.0, 101.0]\n"
        "    assert (ctx.bar.index, ctx.bar.close) == (-1, 101.0)\n"
        "    self.started = True\n"
        "def on_bar(self, ctx):\n"
        "    assert self.started and ctx.bar.index >= 0"
    )
    run(source, make_candles(RISING, warmup=2))


def test_parameters_seed_and_chance_are_those_of_the_spec(run: Run, make_candles: MakeCandles) -> None:
    source = own(
        "from pydantic import BaseModel\n"
        "class Params(BaseModel):\n"
        "    weight: float = 0.25\n"
        "def on_bar(self, ctx):\n"
        "    import random\n"
        "    self.twin = getattr(self, 'twin', None) or random.Random(7)\n"
        "    assert ctx.seed == 7 and ctx.random.random() == self.twin.random()\n"
        "    ctx.target(ctx.params.weight)"
    )
    assert set(run(source, make_candles(RISING), seed=7).decisions.target.tolist()) == {0.25}
    assert set(run(source, make_candles(RISING), seed=7, weight=1).decisions.target.tolist()) == {1.0}


def test_fills_are_told_before_the_bar_and_orders_can_follow_at_once(
    run: Run, make_candles: MakeCandles
) -> None:
    source = own(
        "def on_start(self, ctx):\n"
        "    self.told = []\n"
        "def on_bar(self, ctx):\n"
        "    self.told.append('bar')\n"
        "    if ctx.bar.index == 0:\n"
        "        self.id = ctx.submit(Order(side='buy', quantity=2))\n"
        "        assert self.id == 1\n"
        "    if ctx.bar.index == 4:\n"
        "        assert self.told == ['bar', 'fill 1', 'bar', 'fill 2', 'bar', 'bar', 'bar'], self.told\n"
        "def on_fill(self, ctx, fill):\n"
        "    self.told.append(f'fill {fill.order}')\n"
        "    assert (fill.bar, fill.quantity, fill.fee) == (ctx.bar.index, 2.0, 0.0)\n"
        "    assert (fill.liquidity, fill.reason, fill.price) == ('taker', 'signal', ctx.bar.open)\n"
        "    if fill.side == 'buy':\n"
        "        ctx.submit(Order(side='sell', quantity=2))"
    )
    ledger = run(source, make_candles(RISING))
    assert ledger.fills.side.tolist() == [1, -1]
    assert ledger.fills.bar.tolist() == [1, 2]


def test_every_kind_of_order_reaches_the_book_as_it_was_written(run: Run, make_candles: MakeCandles) -> None:
    source = on_bar(
        "if ctx.bar.index == 0:",
        "    ctx.submit(Order(side='buy', type='limit', quantity=1, limit=50, tif='Day'))",
        "    ctx.submit(Order(side='sell', type='stop', quantity=2, stop=40, reduce_only=True))",
        "    ctx.submit(Order(side='buy', type='stop-limit', quantity=3, stop=300, limit=301, oco_group=4))",
        "    ctx.submit(Order(side='sell', type='trailing-stop', quantity=4, trail_bps=5000, tif='GTD',"
        " expires=10**12))",
        "if ctx.bar.index == 1:",
        "    names = 'id side type quantity limit stop tif reduce_only'.split()",
        "    seen = [tuple(getattr(order, name) for name in names) for order in ctx.orders]",
        "    assert seen == [(1, 'buy', 'limit', 1.0, 50.0, None, 'Day', False),",
        "        (2, 'sell', 'stop', 2.0, None, 40.0, 'GTC', True),",
        "        (3, 'buy', 'stop-limit', 3.0, 301.0, 300.0, 'GTC', False),",
        "        (4, 'sell', 'trailing-stop', 4.0, None, 50.5, 'GTD', False)], seen",
        "    ctx.cancel(2)",
        "    ctx.cancel(99)",
    )
    ledger = run(source, make_candles(RISING))
    asked = ledger.submissions
    assert asked is not None
    assert asked.type.tolist()[:4] == [
        OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP,
    ]  # fmt: skip
    assert asked.trail_rate.tolist()[3] == 0.5
    assert asked.oco.tolist()[2] == 4
    assert asked.expires.tolist()[3] == 10**12
    assert ledger.events.code.tolist() == [EventCode.CANCELLED_USER]


@pytest.mark.parametrize(
    ("loss", "left"), [("99.0", 99.0), ("Trail(bps=200)", 101.0 * (1.0 - 0.02)), ("Trail(amount=3.0)", 98.0)]
)
def test_a_bracket_leaves_at_its_stop(loss: str, left: float, run: Run, make_candles: MakeCandles) -> None:
    source = on_bar(
        "if ctx.bar.index == 0:",
        f"    ctx.submit(Order(side='buy', quantity=1, take_profit=200, stop_loss={loss}))",
    )
    ledger = run(source, make_candles([100.0, 101.0, 101.0, 90.0]))
    assert ledger.fills.side.tolist() == [1, -1]
    assert ledger.fills.price.tolist() == [100.0, left]


BAD = [
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("ctx.target(1.5)", "ctx.target: weight must be in [-1, 1], is 1.5"),
    ("ctx.target(float('inf'))", "ctx.target: weight must be in [-1, 1], is inf"),
    ("ctx.target('long')", "ctx.target: weight must be a number, is 'long'"),
    ("ctx.target(None)", "ctx.target: weight must be a number, is None"),
    ("ctx.target(True)", "ctx.target: weight must be a number, is True"),
    ("return 1.0", "on_bar must return nothing; call ctx.target or ctx.submit to act"),
    ("ctx.submit('buy')", "ctx.submit takes an Order, is 'buy'"),
    ("ctx.cancel('one')", "ctx.cancel takes the id that ctx.submit gave, is 'one'"),
    (
        "ctx.history('clsoe', 3)",
        "ctx.history: column must be one of ts, open, high, low, close, volume, quality",
    ),
    ("ctx.history('close', -3)", "ctx.history: n must be at least 0, is -3"),
    ("ctx.bar.close = 3.0", "AttributeError"),
    ("ctx.cash = 3.0", "AttributeError"),
    ("self.on_bar(ctx)", "RecursionError"),
    ("raise SystemExit(3)", "it called sys.exit; a strategy may only return or raise"),
    ("SMA(0)", "ValueError: SMA: length must be a whole number of at least 1, is 0"),
]


@pytest.mark.parametrize(("line", "told"), BAD)
def test_what_fails_names_bar_time_and_line(
    line: str, told: str, refusal: Refusal, make_candles: MakeCandles
) -> None:
    message = refusal(on_bar("if ctx.bar.index == 3:", f"    {line}"), make_candles(RISING))
    if "RecursionError" not in told:
        assert message.startswith("bar 3 (1970-01-01T03:00:00Z)")
    if "on_bar must" not in told:
        assert "own_strategies.py:7: " in message
    assert told in message


def test_a_failure_in_another_file_of_the_package_names_that_file(
    module: Callable[..., object], refusal: Refusal, make_candles: MakeCandles, written: Callable[..., object]
) -> None:
    from spark_engine.errors import InvalidStrategy
    from spark_engine.simulation.ledger import Account
    from spark_engine.strategies.load import load
    from spark_engine.strategies.simulate import simulate_strategy

    module("deep_package.inner", "def broken():\n    raise KeyError('x')\n")
    module(
        "deep_package.outer",
        "from deep_package.inner import broken\nclass Own:\n    def on_bar(self, ctx): broken()\n",
    )
    with pytest.raises(InvalidStrategy, match=r"deep_package/inner\.py:2: KeyError: 'x'"):
        simulate_strategy(
            load({"entryPoint": "deep_package.outer:Own"}), make_candles(RISING), Account(1.0, 0, 0, 0), {}
        )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def __init__(self): 1 / 0\ndef on_bar(self, ctx): pass", "own_strategies.py:5: ZeroDivisionError"),
        (
            "def on_start(self, ctx): 1 / 0\ndef on_bar(self, ctx): pass",
            "on_start, own_strategies.py:5: ZeroDiv",
        ),
        ("def on_start(self, ctx): ctx.target(1)\ndef on_bar(self, ctx): pass", "in on_bar and on_fill only"),
        ("def on_start(self, ctx): ctx.bar\ndef on_bar(self, ctx): pass", "there is no bar yet in on_start"),
        (
            "def on_bar(self, ctx): ctx.target(1)\ndef on_fill(self, ctx, fill): fill.nope",
            "bar 1 (1970-01-01T01:00:00Z), own_strategies.py:6: AttributeError",
        ),
    ],
)
def test_a_failure_before_or_between_bars_says_where(
    body: str, told: str, refusal: Refusal, make_candles: MakeCandles
) -> None:
    assert told in refusal(own(body), make_candles(RISING))


def test_ctrl_c_and_the_deadline_stay_what_they_are(run: Run, make_candles: MakeCandles) -> None:
    from spark_engine.errors import DeadlineExceeded

    with pytest.raises(KeyboardInterrupt):
        run(on_bar("raise KeyboardInterrupt"), make_candles(RISING))
    with pytest.raises(DeadlineExceeded):
        run(
            on_bar("from spark_engine.errors import DeadlineExceeded", "raise DeadlineExceeded('late')"),
            make_candles(RISING),
        )


def test_what_it_prints_goes_to_stderr(
    run: Run, make_candles: MakeCandles, capsys: pytest.CaptureFixture[str]
) -> None:
    run(on_bar("print(ctx.bar.index)"), make_candles([1.0, 2.0]))
    assert capsys.readouterr() == ("", "0\n1\n")


def test_both_forms_of_one_rule_give_the_same_ledger(run: Run, sample: Candles) -> None:
    """A crossing of averages, by targets of a vector and by incremental indicators."""
    event = own(
        "def on_start(self, ctx):\n"
        "    self.fast, self.slow = SMA(10), SMA(40)\n"
        "    self.fast.feed(ctx.history('close', ctx.warmup))\n"
        "    self.slow.feed(ctx.history('close', ctx.warmup))\n"
        "def on_bar(self, ctx):\n"
        "    fast, slow = self.fast.update(ctx.bar.close), self.slow.update(ctx.bar.close)\n"
        "    ctx.target(1.0 if fast > slow else 0.0)"
    )
    vector = """
        import numpy
        def average(values, n):
            windows = numpy.lib.stride_tricks.sliding_window_view(values, n)
            return numpy.concatenate((numpy.full(n - 1, numpy.nan), windows.mean(axis=1)))
        def signals(candles):
            return numpy.where(average(candles.close, 10) > average(candles.close, 40), 1.0, 0.0)
        """
    by_event = run(event, sample)
    by_vector = run(vector, sample)
    assert by_event.fills.price.tolist() == by_vector.fills.price.tolist()
    assert by_event.equity.tolist() == by_vector.equity.tolist()
    assert len(by_event.fills) > 50


def test_the_uncompiled_context_gives_the_same_ledger(
    run: Run, sample: Candles, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = own(
        "def on_start(self, ctx):\n"
        "    self.fills = 0\n"
        "def on_bar(self, ctx):\n"
        "    closes = ctx.history('close', 20)\n"
        "    if ctx.position == 0 and not ctx.orders and ctx.bar.close > closes[0]:\n"
        "        ctx.submit(Order(side='buy', quantity=0.3 * ctx.cash / ctx.bar.close,\n"
        "            take_profit=ctx.bar.high * 1.02, stop_loss=Trail(bps=150)))\n"
        "    elif ctx.random.random() < 0.01:\n"
        "        ctx.target(0.25 + self.fills % 2 / 2)\n"
        "def on_fill(self, ctx, fill):\n"
        "    self.fills += 1"
    )
    compiled = run(source, sample)
    path = Path(str(context.__file__)).with_name("context.py")
    spec = spec_from_loader("plain_context", SourceFileLoader("plain_context", str(path)))
    assert spec is not None and spec.loader is not None
    plain = module_from_spec(spec)
    spec.loader.exec_module(plain)
    assert not str(context.__file__).endswith(".py"), "not compiled: run make"
    for name in ("Context", "Runner"):
        monkeypatch.setattr(context, name, getattr(plain, name))
    uncompiled = run(source, sample)
    assert compiled.equity.tolist() == uncompiled.equity.tolist()
    assert compiled.fills.price.tolist() == uncompiled.fills.price.tolist()
    assert len(compiled.fills) > 30
