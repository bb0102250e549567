"""The vector form: what `signals` sees, what it may return, and how it fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidSpec
from spark_engine.simulation.ledger import Ledger
from spark_engine.strategies.registry import check_parameters
from spark_engine.strategies.table import Strategy

MakeCandles = Callable[..., Candles]
Run = Callable[..., Ledger]
Refusal = Callable[..., str]
Written = Callable[..., Strategy]


def decided(ledger: Ledger) -> list[tuple[int, float]]:
    return list(zip(ledger.decisions.bar.tolist(), ledger.decisions.target.tolist(), strict=True))


@pytest.mark.parametrize(
    "returned",
    [
        "[1.0, float('nan'), 0, None, -0.5]",
        "numpy.array([1.0, numpy.nan, 0.0, numpy.nan, -0.5])",
        "numpy.array([1.0, numpy.nan, 0.0, numpy.nan, -0.5], dtype='float32')",
        "polars.Series([1.0, None, 0.0, float('nan'), -0.5])",
    ],
)
def test_lists_arrays_and_series_are_targets_and_nan_keeps(
    returned: str, run: Run, make_candles: MakeCandles
) -> None:
    source = f"""
        import numpy, polars
        def signals(candles):
            return {returned}
        """
    ledger = run(source, make_candles([10.0, 11.0, 12.0, 11.0, 10.0]))
    assert decided(ledger) == [(0, 1.0), (2, 0.0), (4, -0.5)]


def test_whole_numbers_and_booleans_are_targets_too(run: Run, make_candles: MakeCandles) -> None:
    source = "def signals(candles): return candles.close > 10.5"
    assert decided(run(source, make_candles([10.0, 11.0]))) == [(0, 0.0), (1, 1.0)]


def test_the_warm_up_is_seen_but_not_acted_upon(run: Run, make_candles: MakeCandles) -> None:
    source = """
        def signals(candles):
            assert candles.warmup == 2 and len(candles) == 4 and candles.timeframe_ms == 3_600_000
            return candles.close / 100
        """
    assert decided(run(source, make_candles([10.0, 20.0, 30.0, 40.0], warmup=2))) == [(0, 0.3), (1, 0.4)]


def test_columns_are_read_only_views(run: Run, refusal: Refusal, make_candles: MakeCandles) -> None:
    candles = make_candles([10.0, 11.0])
    source = """
        def signals(candles):
            names = list(candles.keys())
            assert names == ["ts", "open", "high", "low", "close", "volume", "quality"]
            assert all(candles[name].base is not None and not candles[name].flags.owndata for name in names)
            return [0.0] * len(candles)
        """
    run(source, candles)
    writes = "def signals(candles):\n    candles.close[0] = 1.0\n"
    assert refusal(writes, candles) == "own_strategies.py:2: ValueError: assignment destination is read-only"
    thaws = "def signals(candles):\n    candles.close.flags.writeable = True\n"
    assert "cannot set WRITEABLE flag" in refusal(thaws, candles)


PARAMETERS = """
from pydantic import BaseModel, Field
import numpy
class Params(BaseModel):
    level: float = Field(10.5, gt=0, description="Level.")
"""
FUNCTION = (
    PARAMETERS
    + """
def signals(candles, params: Params):
    return (candles.close > params.level).astype(float)
"""
)
CLASS = """
class Own:
    from pydantic import BaseModel, Field
    class Params(BaseModel):
        level: float = 10.5
    def signals(self, candles, params):
        return (candles.close > params.level).astype(float)
"""


@pytest.mark.parametrize("source", [FUNCTION, CLASS])
def test_a_function_and_a_class_get_their_parameters(
    source: str, run: Run, make_candles: MakeCandles
) -> None:
    candles = make_candles([10.0, 11.0, 12.0])
    assert decided(run(source, candles)) == [(0, 0.0), (1, 1.0), (2, 1.0)]


def test_parameters_of_a_spec_come_through(run: Run, make_candles: MakeCandles) -> None:
    assert decided(run(FUNCTION, make_candles([10.0, 11.0, 12.0]), level=11)) == [
        (0, 0.0),
        (1, 0.0),
        (2, 1.0),
    ]


def test_a_function_that_asks_for_the_seed_gets_it(run: Run, make_candles: MakeCandles) -> None:
    source = "def signals(candles, seed): return [seed / 100] * len(candles)"
    assert decided(run(source, make_candles([10.0]), seed=42)) == [(0, 0.42)]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (
            "[0, 0, 1.5]",
            "bar 2 (1970-01-01T02:00:00Z), own_strategies.py:1, signals: the target is 1.5; it must be",
        ),
        (
            "[0, float('-inf'), 0]",
            "bar 1 (1970-01-01T01:00:00Z), own_strategies.py:1, signals: the target is -inf",
        ),
        ("[0, 0]", "own_strategies.py:1, signals returned 2 targets for 3 rows: it must return one a row"),
        ("None", "returned NoneType that is no column; it must return one number a row"),
        ("'buy'", "returned str that is no column"),
        ("['buy'] * 3", "returned list that is no column"),
        ("[[1], [2], [3]]", "returned list that is no column"),
        ("candles.close.reshape(1, 3)", "returned ndarray of shape (1, 3)"),
        ("0.5", "returned float that is no column"),
        ("candles.close * 1j", "returned ndarray that is no column"),
    ],
)
def test_what_is_no_target_is_refused_with_bar_and_line(
    returned: str, told: str, refusal: Refusal, make_candles: MakeCandles
) -> None:
    assert told in refusal(f"def signals(candles): return {returned}", make_candles([10.0, 11.0, 12.0]))


def test_a_wrong_length_names_the_warm_up(refusal: Refusal, make_candles: MakeCandles) -> None:
    message = refusal("def signals(candles): return [0]", make_candles([10.0, 11.0, 12.0], warmup=2))
    assert "1 targets for 3 rows (2 of them warm-up)" in message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("1 / 0", "own_strategies.py:3: ZeroDivisionError: division by zero"),
        ("candles['clsoe']", "KeyError: \"'clsoe': there are ts, open, high, low, close, volume, quality\""),
        ("raise RuntimeError", "own_strategies.py:3: RuntimeError"),
        ("sys.exit(0)", "own_strategies.py:3: it called sys.exit; a strategy may only return or raise"),
        ("signals(candles)", "own_strategies.py:3: RecursionError: maximum recursion depth exceeded"),
        ("numpy.zeros(3)[5]", "own_strategies.py:3: IndexError: index 5 is out of bounds"),
    ],
)
def test_what_is_raised_names_the_line_of_the_strategy(
    body: str, told: str, refusal: Refusal, make_candles: MakeCandles
) -> None:
    source = f"import numpy, sys\ndef signals(candles):\n    {body}\n"
    assert told in refusal(source, make_candles([10.0]))


def test_ctrl_c_stays_ctrl_c(run: Run, make_candles: MakeCandles) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("def signals(candles): raise KeyboardInterrupt", make_candles([10.0]))


def test_what_it_prints_goes_to_stderr(
    run: Run, make_candles: MakeCandles, capsys: pytest.CaptureFixture[str]
) -> None:
    run("print('on import')\ndef signals(candles):\n    print('hello')\n    return [0]", make_candles([10.0]))
    assert capsys.readouterr() == ("", "on import\nhello\n")


def test_a_function_of_candles_alone_takes_no_parameters(run: Run, make_candles: MakeCandles) -> None:
    with pytest.raises(InvalidSpec) as caught:
        run("def signals(candles): return [0]", make_candles([10.0]), fast=3)
    assert caught.value.field == "spec.strategy.params.fast"
    assert caught.value.message.endswith("has no such parameter; it has: none")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def signals(): pass", "signals takes candles and params (and seed, if it wants it), not ()"),
        ("def signals(one, two, three): pass", "not (one, two, three)"),
    ],
)
def test_a_signature_that_cannot_be_called_is_refused(
    source: str, told: str, refusal: Refusal, make_candles: MakeCandles
) -> None:
    assert told in refusal(source, make_candles([10.0]))


def test_lookback_is_a_number_or_a_function_of_the_parameters(written: Written) -> None:
    source = CLASS + "    @staticmethod\n    def lookback(params): return int(params.level * 2)\n"
    strategy = written(source)
    assert strategy.lookback(check_parameters(strategy, {})) == 21
    assert written(CLASS + "    lookback = 7\n", name="other").lookback({}) == 7
    assert written(CLASS, name="third").lookback({}) == 0


def test_types_that_exist_for_checkers_only_do_no_harm(run: Run, make_candles: MakeCandles) -> None:
    source = """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        from pydantic import BaseModel
        if TYPE_CHECKING:
            from spark_engine.strategies import CandleArrays
        class Params(BaseModel):
            level: float = 10.5
        def signals(candles: CandleArrays, params: Params) -> Nothing:
            return candles.close > params.level
        """
    assert decided(run(source, make_candles([10.0, 11.0]))) == [(0, 0.0), (1, 1.0)]


def test_an_annotation_that_does_not_exist_is_refused(refusal: Refusal, make_candles: MakeCandles) -> None:
    source = "from __future__ import annotations\ndef signals(candles, params: Parms): return [0]"
    assert "params: 'Parms': NameError: name 'Parms' is not defined" in refusal(source, make_candles([10.0]))


def test_stdout_is_back_when_runs_in_threads_overlap(capsys: pytest.CaptureFixture[str]) -> None:
    """As in a sweep: the first to begin is the first to end."""
    import sys

    from spark_engine.strategies.prints import prints_to_stderr

    stdout = sys.stdout
    first, second = prints_to_stderr(), prints_to_stderr()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    print("still inside")
    second.__exit__(None, None, None)
    assert sys.stdout is stdout
    assert capsys.readouterr() == ("", "still inside\n")
