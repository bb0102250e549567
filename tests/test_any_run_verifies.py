"""Whatever the candles, costs and windows: a run that ends leaves an artifact that verifies and repeats."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from spark_engine.evidence.directory import write_directory
from spark_engine.evidence.stored import read_directory
from spark_engine.evidence.verify import verify
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.manifest import resolve_run
from spark_engine.execute.rerun import rerun
from spark_engine.execute.wrap import wrap

HOUR = 3_600_000
MOVES = st.lists(st.integers(-30, 30), min_size=8, max_size=120)
HOLES = st.sets(st.integers(0, 119), max_size=6)


LIMITS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"policy": st.sampled_from(["Halt", "Fail"])},
        optional={
            "maxNotional": st.sampled_from(["100", "20000"]),
            "maxPosition": st.sampled_from(["0.5", "1000"]),
            "maxLeverage": st.sampled_from(["0.9", "2"]),
            "maxDrawdown": st.sampled_from(["0.01", "0.2"]),
            "maxDailyLoss": st.sampled_from(["0.005", "0.1"]),
        },
    ),
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
    """A CSV of candles, the spec of a manifest that runs over it, and guardrail limits."""
    scale = draw(st.integers(0, 8))
    price = draw(st.integers(50, 10**6))
    rows = []
    holes = draw(HOLES)
    for hour, move in enumerate(draw(MOVES)):
        opened, price = price, max(1, price + move)
        high, low = max(opened, price) + draw(st.integers(0, 3)), max(1, min(opened, price) - 1)
        if hour not in holes:
            prices = ",".join(f"{ticks / 10**scale:.{scale}f}" for ticks in (opened, high, low, price))
            rows.append(f"{1_600_000_000_000 // HOUR * HOUR + hour * HOUR},{prices},1")
    fast = draw(st.integers(1, 4))
    strategy = draw(
        st.sampled_from(
            [
                {"name": "sma-cross", "params": {"fast": fast, "slow": fast + draw(st.integers(1, 6))}},
                {"name": "rsi", "params": {"period": draw(st.integers(2, 6)), "lower": 40, "upper": 60}},
            ]
        )
    )
    strategy["params"]["direction"] = draw(st.sampled_from(["long", "long-short"]))
    sizing = draw(st.sampled_from(["AllIn", "FixedQuantity", "FixedNotional", "EquityFraction"]))
    market: dict[str, Any] = {"symbol": "X", "timeframe": "1h"}
    if draw(st.booleans()):
        steps = st.sampled_from(["0.001", "0.05", "1"])
        market |= {"tickSize": "0.00000001", "lotSize": draw(steps), "minNotional": draw(steps)}
    bps = st.integers(0, 500).map(str)
    spec = {
        "strategy": strategy,
        "market": market,
        "data": {"uri": "candles.csv"},
        "account": {
            "allowShort": True,
            "initialCash": draw(st.sampled_from(["10000", "0.01", "1000000000"])),
            "leverage": draw(st.sampled_from(["1", "0.5", "3", "25"])),
            "borrowRateAnnual": draw(st.sampled_from(["0", "0.1", "40"])),
            **draw(st.sampled_from([{}, {"marginModel": "Isolated", "maintenanceMargin": "0.02"}])),
        },
        "execution": {
            "fill": draw(st.sampled_from(["NextOpen", "NextClose"])),
            "takerFeeBps": draw(bps),
            "slippageBps": draw(bps),
            "closeAtEnd": draw(st.booleans()),
            "intrabarPath": draw(st.sampled_from(["CloseDirection", "Worst"])),
            **({} if sizing == "AllIn" else {"sizing": sizing, "size": draw(st.sampled_from(["0.5", "20"]))}),
        },
    }
    return "ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n", spec, draw(LIMITS)


@settings(max_examples=100)
@given(runs())
def test_any_run_leaves_an_artifact_that_verifies_and_repeats(
    run: tuple[str, dict[str, Any], dict[str, Any] | None],
) -> None:
    candles, spec, limits = run
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candles.csv"
        path.write_text(candles)
        spec["data"]["uri"] = str(path)
        manifest = {
            "apiVersion": "spark.trading/v1alpha1",
            "kind": "BacktestRun",
            "metadata": {"name": "any"},
            "spec": spec,
        }
        artifact = wrap(carry_out(resolve_run(manifest), limits))
        write_directory(Path(folder) / "out", artifact.files)
        directory = read_directory(Path(folder) / "out")
        assert [finding for check in verify(directory) for finding in check.findings] == []
        assert rerun(directory, artifact.evidence).findings == ()
