"""The numbers of the examples, pinned. Whoever changes one raises SEMANTICS, and says so in the changelog."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.manifest import load_object, resolve_run
from spark_engine.version import SEMANTICS

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

# (semantics, example) -> first digits of the candles, decisions, fills and equity digests
PINNED: dict[tuple[int, str], tuple[str, str, str, str]] = {
    (1, "btcusdt-1d-sma-long-short"): (
        "23933f38789f",
        "e77ebb2cce22",
        "8f6a8fcb4f16",
        "a26be4a22dc4",
    ),
    (1, "btcusdt-1h-sma-cross"): (
        "ca6cfeb17dd6",
        "374c53d784b3",
        "a87d58cf2fdd",
        "b73d245768da",
    ),
    (1, "btcusdt-4h-rsi"): ("8cf6960b69e0", "fac7df63ec0a", "d0fdf7718735", "84ddace8de40"),
}


RUNS = [path for path in sorted(EXAMPLES.glob("*.yaml")) if "kind: BacktestRun" in path.read_text()]


@pytest.mark.parametrize("example", RUNS, ids=lambda path: path.stem)
def test_an_example_gives_the_numbers_that_it_always_gave(example: Path) -> None:
    run = resolve_run(load_object(example.read_bytes(), str(example)))
    result = carry_out(run).execution.result
    columns = ("candles", "decisions", "fills", "equity")
    shown = tuple(result[name].removeprefix("sha256:")[:12] for name in columns)
    assert shown == PINNED[SEMANTICS, example.stem]
