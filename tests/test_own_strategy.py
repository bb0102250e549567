"""A strategy of one's own, in either form, as a newcomer runs it; a wrong one is told by bar and line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Backtest = Callable[..., subprocess.CompletedProcess[str]]

STRATEGIES = """
import numpy as np
from pydantic import BaseModel, Field
from spark_engine.strategies import Order


def rising(candles, params):
    return np.where(np.diff(candles.close, prepend=candles.close[0]) > 0, 1.0, 0.0)


def foreseeing(candles, params):
    return np.where(np.roll(candles.close, -1) > candles.close, 1.0, 0.0)


def too_much(candles, params):
    return np.full(len(candles.close), 2.0)


def too_short(candles, params):
    return [1.0]


class Bracket:
    class Params(BaseModel):
        every: int = Field(50, ge=2, le=1000, description="bars")

    def on_bar(self, ctx):
        if ctx.bar.index % ctx.params.every == 0 and ctx.position == 0 and not ctx.orders:
            close = ctx.bar.close
            ctx.submit(Order(side="buy", quantity=0.1, take_profit=close * 1.02, stop_loss=close * 0.98))


class Careless(Bracket):
    def on_bar(self, ctx):
        if ctx.bar.index == 77:
            raise LookupError("nothing here")


class Backwards(Bracket):
    def on_bar(self, ctx):
        ctx.submit(Order(side="buy", type="limit", quantity=-1, limit=100))
"""


def manifest(name: str, **params: object) -> str:
    spec: dict[str, Any] = {
        "strategy": {"entryPoint": f"mine:{name}", "params": params},
        "market": {"symbol": "BTCUSDT", "timeframe": "1h", "end": "2018-01-01T00:00:00Z"},
        "data": {"uri": "sample://btcusdt-1h"},
    }
    kind = {"apiVersion": "spark.trading/v1alpha1", "kind": "BacktestRun", "metadata": {"name": "mine"}}
    return json.dumps(kind | {"spec": spec})


@pytest.fixture
def own(tmp_path: Path, backtest: Backtest) -> Backtest:
    """`backtest` where a module `mine` can be imported."""
    (tmp_path / "mine.py").write_text(STRATEGIES)
    return lambda *arguments, **more: backtest(*arguments, **more, PYTHONPATH=str(tmp_path))


@pytest.mark.parametrize("name", ["rising", "Bracket"])
def test_either_form_leaves_evidence_that_verifies_and_repeats(
    own: Backtest, tmp_path: Path, name: str
) -> None:
    ran = own("run", "-f", "-", "--out", "out", "-q", stdin=manifest(name))
    assert (ran.returncode, ran.stdout) == (0, "out\n"), ran.stderr
    verified = own("verify", "out", "--rerun")
    assert verified.returncode == 0, verified.stdout
    result = json.loads((tmp_path / "out" / "evidence.json").read_bytes())["result"]
    assert result["strategyCode"].startswith("sha256:")
    assert result["executionModel"]["decisions"] == ("orders" if name == "Bracket" else "targets")
    assert result["checks"]["lookAhead"]["probe"] == "quick"
    assert result["counts"]["trades"] > 10


def test_a_default_left_out_and_written_are_one_digest(own: Backtest) -> None:
    runs = [manifest("Bracket"), manifest("Bracket", every=50), manifest("Bracket", every=60)]
    digests = [
        json.loads(own("run", "-f", "-", "--output", "json", stdin=run).stdout)["digest"] for run in runs
    ]
    assert digests[0] == digests[1] != digests[2]


def test_another_code_is_another_digest_and_does_not_repeat_the_run(own: Backtest, tmp_path: Path) -> None:
    assert own("run", "-f", "-", "--out", "out", "-q", stdin=manifest("rising")).returncode == 0
    (tmp_path / "mine.py").write_text(STRATEGIES + "# a remark\n")
    verified = own("verify", "out", "--rerun")
    assert verified.returncode == 1
    assert "strategyCode differs" in verified.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("foreseeing", ["looks ahead", "bar "]),
        ("too_much", ["bar 0", "mine.py:15", "the target is 2.0; it must be in [-1, 1]"]),
        ("too_short", ["mine.py:19", "returned 1 targets", "must return one a row"]),
        ("Careless", ["bar 77", "mine.py:", "LookupError: nothing here"]),
        ("Backwards", ["bar 0", "mine.py:", "quantity"]),
    ],
)
def test_a_wrong_strategy_ends_with_12_and_says_where(own: Backtest, name: str, told: list[str]) -> None:
    ran = own("run", "-f", "-", "--out", "out", stdin=manifest(name))
    assert ran.returncode == 12, ran.stderr
    assert "Traceback" not in ran.stderr
    for words in told:
        assert words in ran.stderr


def test_a_parameter_out_of_range_ends_with_10_and_names_it(own: Backtest) -> None:
    ran = own("run", "-f", "-", stdin=manifest("Bracket", every=1))
    assert ran.returncode == 10
    assert "spec.strategy.params.every: must be a whole number from 2 to 1000, is 1" in ran.stderr


def test_the_probe_can_be_turned_off_and_the_evidence_says_so(own: Backtest, tmp_path: Path) -> None:
    ran = own("run", "-f", "-", "--out", "out", "-q", "--probe", "off", stdin=manifest("foreseeing"))
    assert ran.returncode == 0
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_bytes())
    assert evidence["result"]["checks"]["lookAhead"] == {"probe": "off"}


def test_an_installed_strategy_is_known_by_its_name(own: Backtest, tmp_path: Path) -> None:
    installed = tmp_path / "mine-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[spark_engine.strategies]\nbracket = mine:Bracket\n")
    by_name = json.loads(manifest("Bracket"))
    by_name["spec"]["strategy"] = {"name": "bracket", "params": {"every": 40}}
    ran = own("run", "-f", "-", "--output", "json", stdin=json.dumps(by_name))
    assert ran.returncode == 0, ran.stderr
    by_name["spec"]["strategy"]["name"] = "brackets"
    unknown = own("run", "-f", "-", stdin=json.dumps(by_name))
    assert (unknown.returncode, "spec.strategy.name" in unknown.stderr) == (10, True)
