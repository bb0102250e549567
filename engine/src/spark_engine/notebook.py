"""The engine in a notebook: `spark_engine.read_candles`, `spark_engine.run` and `spark_engine.sweep`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_crds import API_VERSION
from spark_crds.formats.evidence import evidence_digest

from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles as read
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidSpec
from spark_engine.evidence import tables
from spark_engine.evidence.sweep_result import CURVE_FILE, RESULTS_FILE, TOP_FILE, WINDOWS_FILE
from spark_engine.execute.check import check
from spark_engine.execute.execution import Execution, execute
from spark_engine.execute.window import settled
from spark_engine.settings import candle_request

if TYPE_CHECKING:
    import polars
    from spark_crds.formats.run import RunDocument
    from spark_crds.kinds.backtestrun import BacktestRun, BacktestRunSpec
    from spark_crds.kinds.parametersweep import ParameterSweep, ParameterSweepSpec

    Spec = Mapping[str, Any] | BacktestRun | BacktestRunSpec | str | Path
    SweepSpec = Mapping[str, Any] | ParameterSweep | ParameterSweepSpec | str | Path


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gave. Tables are polars frames, made when asked for (needs `spark-engine[frames]`)."""

    execution: Execution

    @property
    def metrics(self) -> dict[str, float | int | None]:
        return {name: metric.value for name, metric in self.execution.metrics.items()}

    @property
    def digest(self) -> str:
        """The evidence digest: that of `backtest run` on the same spec, data and engine."""
        return evidence_digest(self.execution.result)

    @property
    def fills(self) -> polars.DataFrame:
        ledger, candles = self.execution.ledger, self.execution.candles
        return _frame(tables.fills_table(ledger.fills, candles, self._symbol))

    @property
    def trades(self) -> polars.DataFrame:
        return _frame(tables.trades_table(self.execution.ledger.trades, self.execution.candles))

    @property
    def equity(self) -> polars.DataFrame:
        cash = self.execution.account.initial_cash
        return _frame(tables.equity_table(self.execution.ledger, self.execution.candles, cash))

    @property
    def _symbol(self) -> str:
        return str(self.execution.spec["market"]["symbol"])


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep gave. `evidence` is that of `backtest sweep`; tables are polars frames."""

    evidence: Mapping[str, Any]
    top: list[Mapping[str, Any]]
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """That of `backtest sweep` on the same spec, data and engine."""
        return str(self.evidence["digest"])

    @property
    def best(self) -> Mapping[str, Any] | None:
        """Rank, trial, params, objective and metrics of the best trial."""
        found: Mapping[str, Any] | None = self.evidence["result"]["best"]
        return found

    @property
    def selection(self) -> Mapping[str, Any]:
        """What the best is worth: dsr, pbo, ... each with a value, or a reason why there is none."""
        found: Mapping[str, Any] = self.evidence["result"]["selection"]
        return found

    @property
    def table(self) -> polars.DataFrame:
        """A row a trial (needs `spark-engine[frames]`)."""
        return _read_frame(self.files[RESULTS_FILE])

    @property
    def windows(self) -> polars.DataFrame | None:
        """A row a window of a walk-forward."""
        return _read_frame(self.files[WINDOWS_FILE]) if WINDOWS_FILE in self.files else None

    @property
    def out_of_sample(self) -> polars.DataFrame | None:
        """The chained curve of a walk-forward."""
        return _read_frame(self.files[CURVE_FILE]) if CURVE_FILE in self.files else None


def read_candles(uri: str, *, symbol: str, timeframe: str, **policies: Any) -> Candles:
    """Candles of a file, directory, object store or sample; `policies` are the fields of `CandleRequest`."""
    return read(CandleRequest(uri=uri, symbol=symbol, timeframe=timeframe, **policies))


def run(spec: Spec, candles: Candles | None = None, *, data: str | None = None) -> RunResult:
    """Runs a BacktestRun: a model, a manifest as a dict or a path, or its `spec` alone.

    Raises `BacktestError`. `candles` stands for `spec.data`, for many runs over the same candles; `data` is
    a URI to read in place of its `uri` or `feedRef`, as an archive.
    """
    checked = check(_resolved(spec, "BacktestRun", data).spec)
    candles = candles or read(candle_request(checked.spec))
    return RunResult(execute(replace(checked, spec=settled(checked.spec, candles)), candles))


def sweep(
    spec: SweepSpec,
    candles: Candles | None = None,
    *,
    data: str | None = None,
    threads: int | None = None,
) -> SweepResult:
    """Carries out a ParameterSweep, given as `run` takes its spec. `threads` None: as many as there are.

    Raises `BacktestError`.
    """
    import tempfile

    from spark_engine.execute.sweep_carry_out import Options, carry_out_sweep

    document = _resolved(spec, "ParameterSweep", data)
    with tempfile.TemporaryDirectory() as folder:
        artifact = carry_out_sweep(
            document,
            None,
            Path(folder) / "parts",
            Options(threads=threads, with_report=False),
            candles=candles,
        )
        files = {
            name: content if isinstance(content, bytes) else content.read_bytes()
            for name, content in artifact.files.items()
        }
    return SweepResult(artifact.evidence, json.loads(files[TOP_FILE]), files)


def _resolved(spec: Spec | SweepSpec, kind: str, data: str | None) -> RunDocument:
    from spark_engine.execute.manifest import resolve_run, with_data

    manifest = _manifest(spec, kind)
    return resolve_run(manifest if data is None else with_data(manifest, data), kind)


def _manifest(spec: Spec | SweepSpec, kind: str) -> Mapping[str, Any]:
    if isinstance(spec, str | Path):
        from spark_engine.execute.manifest import load_object

        return load_object(_read(Path(spec)), str(spec))
    if not isinstance(spec, Mapping):
        spec = spec.model_dump(by_alias=True, mode="json", exclude_none=True)
    if "spec" in spec:
        return spec
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "notebook"}, "spec": spec}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSpec(f"cannot read {path}: {error.strerror}") from None


def _frame(table: Any) -> polars.DataFrame:
    import polars

    return polars.DataFrame(table)


def _read_frame(content: bytes) -> polars.DataFrame:
    import io

    import polars

    return polars.read_parquet(io.BytesIO(content))
