"""The tables of a walk-forward: what each window chose and what became of it, and the curve of all tests."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import arro3.core as arrow

from spark_engine.evidence.sweep_result import windows_digest
from spark_engine.evidence.sweep_tables import INTEGER, NUMBER, TYPES, stored
from spark_engine.evidence.tables import TIMESTAMP
from spark_engine.sweeps.axis_types import ValueType
from spark_engine.sweeps.walk import Curve, Test, Walk

TEXT = arrow.DataType.utf8()
TEST_METRICS = ("finalEquity", "totalReturn", "sharpe", "maxDrawdown", "trades", "exposure", "totalFees")


def windows_table(
    tests: Sequence[Test], ts: Sequence[int], types: Mapping[str, ValueType], objective: str
) -> arrow.RecordBatch:
    """A row a window. `ts`: opens of the bars of the run's window. Metrics are null without a test."""
    starts: dict[str, list[int]] = {
        "trainStartTs": [ts[test.window.train_start] for test in tests],
        "testStartTs": [ts[test.window.test_start] for test in tests],
        "testLastTs": [ts[test.window.test_stop - 1] for test in tests],
    }
    bars: dict[str, list[int | None]] = {
        "trainStart": [test.window.train_start for test in tests],
        "trainStop": [test.window.train_stop for test in tests],
        "testStart": [test.window.test_start for test in tests],
        "testStop": [test.window.test_stop for test in tests],
        "trainTrials": [test.pick.trials for test in tests],
        "trial": [test.pick.trial if test.pick.trial >= 0 else None for test in tests],
    }
    return arrow.RecordBatch.from_pydict(
        {
            "window": arrow.Array([*range(len(tests))], INTEGER),
            **{name: arrow.Array(values, INTEGER) for name, values in bars.items()},
            **{name: arrow.Array(values, INTEGER).cast(TIMESTAMP) for name, values in starts.items()},
            **{
                f"params.{name}": arrow.Array(
                    [
                        stored(kind, test.parameters[name]) if name in test.parameters else None
                        for test in tests
                    ],
                    TYPES[kind],
                )
                for name, kind in types.items()
            },
            "trainObjective": arrow.Array([test.pick.objective for test in tests], NUMBER),
            "testObjective": _metric(tests, objective),
            **{name: _metric(tests, name, INTEGER if name == "trades" else NUMBER) for name in TEST_METRICS},
            "error": arrow.Array([test.error for test in tests], TEXT),
        }
    )


def curve_table(curve: Curve) -> arrow.RecordBatch:
    """A row a bar of every test: the equity that carries on from test to test."""
    return arrow.RecordBatch.from_pydict(
        {
            "window": arrow.Array.from_buffer(curve.window),
            "bar": arrow.Array.from_buffer(curve.bar),
            "ts": arrow.Array.from_buffer(curve.ts).cast(TIMESTAMP),
            "equity": arrow.Array.from_buffer(curve.equity),
            "position": arrow.Array.from_buffer(curve.position),
        }
    )


def walk_digest(walk: Walk) -> str:
    """Which trial each window chose, and what its test gave; -1 and 0 where there was none."""
    tests = walk.tests
    return windows_digest(
        array("q", range(len(tests))),
        array("q", (test.pick.trial for test in tests)),
        array("q", (test.metrics.get("trades", -1) for test in tests)),
        array("d", (test.metrics.get("finalEquity", 0.0) for test in tests)),
    )


def _metric(tests: Sequence[Test], name: str, kind: arrow.DataType = NUMBER) -> arrow.Array:
    values = [test.metrics.get(name) for test in tests]
    return arrow.Array(
        [float(value) if value is not None and kind is NUMBER else value for value in values], kind
    )
