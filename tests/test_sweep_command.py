"""`backtest sweep` and `backtest sweep merge` as a person uses them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars
import pytest
import spark_engine
import yaml
from spark_engine.execute.manifest import resolve_run
from spark_engine.execute.sweep_parts import MARKER

Backtest = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "btcusdt-1h-sma-sweep.yaml"
SLOW = {"name": "slow", "range": {"start": 3, "stop": 240, "step": 1}}


def sweep_of(**spec: Any) -> dict[str, Any]:
    """A small sweep with a condition; fields of the spec may be changed."""
    return {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "ParameterSweep",
        "metadata": {"name": "small"},
        "spec": {
            "template": {
                "strategy": {"name": "sma-cross"},
                "market": {
                    "symbol": "BTCUSDT",
                    "timeframe": "1h",
                    "start": "2020-01-01T00:00:00Z",
                    "end": "2021-01-01T00:00:00Z",
                },
                "data": {"uri": "sample://btcusdt-1h"},
            },
            "parameters": [
                {"name": "fast", "range": {"start": 3, "stop": 24, "step": 3}},
                {"name": "slow", "range": {"start": 6, "stop": 60, "step": 6}},
            ],
            "where": "fast <= slow",
            **spec,
        },
    }


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """The manifest of a small sweep as a file."""

    def write(**spec: Any) -> Path:
        path = tmp_path / f"sweep-{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(sweep_of(**spec)))
        return path

    return write


def told(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def test_the_example_gives_a_ranked_table_and_a_report_and_verifies(
    backtest: Backtest, tmp_path: Path
) -> None:
    finished = backtest("sweep", "-f", EXAMPLE, "--out", "out")
    assert finished.returncode == 0, finished.stderr
    assert "DSR" in finished.stdout
    assert finished.stderr == ""
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("evidence.json", "spec.json", "results.parquet", "blocks.parquet", "top.json", "report.html"),
        "SHA256SUMS",
    }
    assert not (tmp_path / "out.partial").exists()
    table = polars.read_parquet(tmp_path / "out" / "results.parquet")
    assert table.sort("rank")["sharpe"].to_list() == sorted(table["sharpe"].to_list(), reverse=True)
    checked = backtest("verify", "out", "--rerun")
    assert checked.returncode == 0, checked.stdout


SEARCHES: dict[str, dict[str, Any]] = {
    "grid": {},
    "random": {"search": {"mode": "Random", "samples": 40, "seed": 7}},
    "walk-forward": {"walkForward": {"mode": "Anchored", "train": "60d", "test": "30d", "embargo": 3}},
}


@pytest.mark.parametrize("search", SEARCHES)
def test_threads_and_shards_change_no_digest(
    search: str, backtest: Backtest, written: Callable[..., Path]
) -> None:
    file = written(**SEARCHES[search])
    quiet = ("--no-report", "--output", "json")
    whole = {
        threads: told(backtest("sweep", "-f", file, "--out", f"t{threads}", "--threads", threads, *quiet))
        for threads in (1, 2, 8)
    }
    assert len({each["digest"] for each in whole.values()}) == 1
    for count in (1, 3, 7):
        names = [f"s{index}" for index in range(count)]
        for index, name in enumerate(names):
            told(backtest("sweep", "-f", file, "--shard", f"{index}/{count}", "--out", name, *quiet))
        if count == 1:  # the only shard is the whole sweep
            assert told(backtest("sweep", "-f", file, "--out", "one", *quiet))["digest"] == whole[1]["digest"]
            continue
        merged = told(backtest("sweep", "merge", *reversed(names), "--out", f"merged{count}", *quiet))
        assert merged["digest"] == whole[1]["digest"]
        assert (merged["best"], merged["counts"]) == (whole[1]["best"], whole[1]["counts"])
        counted, of_whole = merged["selection"].pop("trials"), dict(whole[1]["selection"])
        assert counted == of_whole.pop("trials")
        assert merged["selection"] == pytest.approx(of_whole, rel=1e-11)
    checked = backtest("verify", "merged3", "--rerun")
    assert checked.returncode == 0, checked.stdout


def test_shards_that_do_not_fit_are_refused_by_name(backtest: Backtest, written: Callable[..., Path]) -> None:
    file, other = written(), written(objective={"metric": "calmar"})
    for index in range(3):
        backtest("sweep", "-f", file, "--shard", f"{index}/3", "--out", f"s{index}", "-q")
    backtest("sweep", "-f", other, "--shard", "1/3", "--out", "other", "-q")
    backtest("sweep", "-f", file, "--shard", "1/4", "--out", "fourth", "-q")
    for directories, message in (
        (("s0", "s2"), "of 3 shards these are missing: 1"),
        (("s0", "s1", "s2", "s1"), "shard 1 is there twice"),
        (("s0", "other", "s2"), "other was made with another spec"),
        (("s0", "fourth", "s2"), "fourth is one of 4 shards"),
    ):
        refused = backtest("sweep", "merge", *directories, "--out", "merged")
        assert refused.returncode == 11
        assert message in refused.stderr


def test_a_damaged_shard_is_refused(backtest: Backtest, written: Callable[..., Path], tmp_path: Path) -> None:
    file = written()
    for index in range(2):
        backtest("sweep", "-f", file, "--shard", f"{index}/2", "--out", f"s{index}", "-q")
    table = tmp_path / "s1" / "results.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"?")
    refused = backtest("sweep", "merge", "s0", "s1", "--out", "merged")
    assert (refused.returncode, "results.parquet is missing or was changed" in refused.stderr) == (11, True)


def test_an_interrupted_sweep_goes_on_where_it_was(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    wide = [
        {"name": "fast", "range": {"start": 2, "stop": 200, "step": 1}},
        {"name": "slow", "range": {"start": 201, "stop": 400, "step": 1}},
    ]
    file = written(parameters=wide)
    command = [sys.executable, "-m", "spark_engine.command.main", "sweep", "-f", str(file), "--out", "cut"]
    running = subprocess.Popen(
        [*command, "--no-report", "--threads", "1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    first = tmp_path / "cut.partial" / "results-000000.parquet"
    until = time.monotonic() + 60
    while not first.exists() and time.monotonic() < until and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "--resume" in said
    assert not (tmp_path / "cut").exists()
    shutil.copytree(tmp_path / "cut.partial", tmp_path / "other.partial")
    refused = backtest("sweep", "-f", written(), "--out", "other", "--resume")
    assert (refused.returncode, "with another spec" in refused.stderr) == (10, True)
    shutil.copytree(tmp_path / "cut.partial", tmp_path / "spoilt.partial")
    (tmp_path / "spoilt.partial" / first.name).write_bytes(b"no table")
    spoilt = backtest("sweep", "-f", file, "--out", "spoilt", "--resume")  # what is done is not done again
    assert (spoilt.returncode, first.name in spoilt.stderr) == (11, True)
    resumed = told(
        backtest("sweep", "-f", file, "--out", "cut", "--resume", "--no-report", "--output", "json")
    )
    whole = told(backtest("sweep", "-f", file, "--out", "whole", "--no-report", "--output", "json"))
    assert resumed["digest"] == whole["digest"]
    assert not (tmp_path / "cut.partial").exists()


def test_a_folder_of_others_is_never_taken_for_an_unfinished_sweep(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "thesis.txt").write_text("mine")
    refused = backtest("sweep", "-f", written(), "--out", "out")
    assert (refused.returncode, MARKER in refused.stderr) == (2, False)
    assert (tmp_path / "out.partial" / "thesis.txt").read_text() == "mine"


def test_bad_sets_are_rows_with_an_error_and_rank_nowhere(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    summary = told(backtest("sweep", "-f", written(), "--out", "out", "--output", "json"))
    table = polars.read_parquet(tmp_path / "out" / "results.parquet")
    bad = table.filter(polars.col("fast") == polars.col("slow"))
    assert summary["counts"]["errors"] == bad.height > 0
    assert bad["rank"].null_count() == bad.height
    assert all("fast must be smaller than slow" in error for error in bad["error"])
    assert table["error"].null_count() == table.height - bad.height


def test_a_sweep_without_one_good_set_is_still_evidence(
    backtest: Backtest, written: Callable[..., Path]
) -> None:
    file = written(where="fast == slow")
    summary = told(backtest("sweep", "-f", file, "--out", "out", "--output", "json"))
    assert summary["best"] is None
    assert summary["selection"]["dsr"] is None
    assert backtest("verify", "out").returncode == 0


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("maxDrawdown", "Minimize"), ("trades", "Maximize"), ("finalEquity", "Maximize")],
)
def test_the_best_is_the_best_by_any_objective(
    metric: str, direction: str, backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    file = written(objective={"metric": metric, "direction": direction})
    summary = told(backtest("sweep", "-f", file, "--out", "out", "--output", "json"))
    column = polars.read_parquet(tmp_path / "out" / "results.parquet")[metric].drop_nulls()
    best = column.max() if direction == "Maximize" else column.min()
    assert summary["best"]["objective"] == pytest.approx(best)
    assert backtest("verify", "out").returncode == 0


def test_the_best_trial_of_the_example_is_the_single_run_with_its_parameters(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    best = told(backtest("sweep", "-f", written(), "--out", "out", "--output", "json"))["best"]
    template = sweep_of()["spec"]["template"]
    run = spark_engine.run({**template, "strategy": {"name": "sma-cross", "params": best["params"]}})
    assert {name: run.metrics[name] for name in best["metrics"]} == best["metrics"]


def test_walk_forward_tests_every_window_with_the_best_of_its_training(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    file = written(walkForward={"mode": "Rolling", "train": 1000, "test": 500, "embargo": 24})
    summary = told(backtest("sweep", "-f", file, "--out", "out", "--output", "json", "--no-report"))
    windows = polars.read_parquet(tmp_path / "out" / "windows.parquet")
    curve = polars.read_parquet(tmp_path / "out" / "out_of_sample.parquet")
    training = polars.read_parquet(tmp_path / "out" / "training.parquet")
    assert summary["counts"]["windows"] == windows.height
    assert curve.height == 500 * windows.height
    assert windows["testStart"].to_list() == [1024 + 500 * k for k in range(windows.height)]
    for window in windows.iter_rows(named=True):
        tried = training.filter(polars.col("window") == window["window"], ~polars.col("failed"))
        assert window["trainObjective"] == tried["objective"].max()
        single = _run_over(window, closed=True)
        assert single["finalEquity"] == pytest.approx(window["finalEquity"], rel=1e-12)
        assert single["trades"] == window["trades"]
    chained = 10_000.0
    for window in windows.iter_rows(named=True):
        chained *= window["finalEquity"] / 10_000.0
    assert curve["equity"][-1] == pytest.approx(chained, rel=1e-9)
    counted = summary["selection"]["trials"]
    assert counted["training"] == training.filter(~polars.col("failed")).height
    assert counted["all"] == counted["sweep"] + counted["training"]


def _run_over(window: dict[str, Any], *, closed: bool) -> Any:
    """The single run of a test: its window, warmed up by its slow average, closed at its end."""
    template = sweep_of()["spec"]["template"]
    market = {
        **template["market"],
        "start": window["testStartTs"].isoformat(),
        "end": (window["testLastTs"] + timedelta(hours=1)).isoformat(),
        "warmupBars": window["params.slow"],
    }
    params = {"fast": window["params.fast"], "slow": window["params.slow"]}
    return spark_engine.run(
        {
            **template,
            "market": market,
            "strategy": {"name": "sma-cross", "params": params},
            "execution": {"closeAtEnd": closed},
        }
    ).metrics


def test_trials_of_earlier_sweeps_count(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    first = told(backtest("sweep", "-f", written(), "--out", "first", "--output", "json"))
    file = written(where="fast < slow", selectionContext=[{"uri": str(tmp_path / "first")}])
    second = told(backtest("sweep", "-f", file, "--out", "second", "--output", "json"))
    alone = told(backtest("sweep", "-f", written(where="fast < slow"), "--out", "alone", "--output", "json"))
    assert second["selection"]["trials"]["earlier"] == first["selection"]["trials"]["all"]
    assert second["selection"]["minBacktestYears"] > alone["selection"]["minBacktestYears"]
    assert backtest("verify", "second", "--rerun").returncode == 0
    named = written(selectionContext=[{"name": "first"}])
    refused = backtest("sweep", "-f", named, "--out", "third")
    assert refused.returncode == 10
    assert "spec.selectionContext[0].name" in refused.stderr
    assert "give the uri" in refused.stderr


def tampered(directory: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Evidence changed by someone who knows how to write it, checksums included."""
    from spark_crds.canonical import canonical, parse_canonical, sha256_hex
    from spark_engine.evidence.artifact import checksum_lines

    evidence = parse_canonical((directory / "evidence.json").read_bytes())
    change(evidence)
    content = canonical(evidence)
    (directory / "evidence.json").write_bytes(content)
    (directory / "SHA256SUMS").write_bytes(checksum_lines(evidence, sha256_hex(content)))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda e: e["result"]["selection"]["dsr"].update(value=0.99), "selection.dsr.value is 0.99"),
        (lambda e: e["result"]["best"].update(trial=0), "best.trial is 0"),
        (lambda e: e["result"]["counts"].update(trials=1), "digest does not follow"),
    ],
    ids=["deflated Sharpe ratio", "best trial", "counts"],
)
def test_a_better_looking_figure_is_found_out(
    change: Callable[[dict[str, Any]], None],
    finding: str,
    backtest: Backtest,
    written: Callable[..., Path],
    tmp_path: Path,
) -> None:
    backtest("sweep", "-f", written(), "--out", "out", "-q")
    tampered(tmp_path / "out", change)
    checked = backtest("verify", "out")
    assert (checked.returncode, finding in checked.stdout) == (1, True), checked.stdout


def listed(criteria: list[str]) -> Callable[[dict[str, Any]], None]:
    """Lists the criteria of a verdict in another order."""

    def change(evidence: dict[str, Any]) -> None:
        evidence["result"]["checks"]["verdict"]["criteria"].sort(
            key=lambda row: criteria.index(row["criterion"])
        )

    return change


def test_criteria_of_a_verdict_may_stand_in_any_order(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    """In a spec, and in evidence of engines that kept the order of its author."""
    limits = {"minTrades": 1, "minSharpe": "0.1", "maxDrawdown": "0.9"}
    template = {**sweep_of()["spec"]["template"], "verdict": limits}
    path = written(template=template)
    spec = yaml.safe_load(path.read_text())
    for number, order in enumerate((sorted(limits), [*limits], sorted(limits, reverse=True))):
        spec["spec"]["template"]["verdict"] = {name: limits[name] for name in order}
        path.write_text(yaml.safe_dump(spec, sort_keys=False))
        out = f"out-{number}"
        digest = told(backtest("sweep", "-f", path, "--out", out, "--output", "json"))["digest"]
        assert backtest("verify", out).returncode == 0
        tampered(tmp_path / out, listed(order))
        checked = backtest("verify", out, "--rerun")
        assert checked.returncode == 0, checked.stdout
        assert digest == json.loads((tmp_path / "out-0" / "evidence.json").read_bytes())["digest"]
    tampered(
        tmp_path / "out-0",
        lambda e: e["result"]["checks"]["verdict"]["criteria"][0].update(passed=False),
    )
    assert "checks.verdict" in backtest("verify", "out-0").stdout


def test_the_notebook_gives_the_digest_and_the_table_of_the_command(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    result = spark_engine.sweep(sweep_of())
    assert (
        result.digest
        == told(backtest("sweep", "-f", written(), "--out", "out", "--output", "json"))["digest"]
    )
    assert result.table.equals(polars.read_parquet(tmp_path / "out" / "results.parquet"))
    assert result.best == result.top[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "-f FILE is required"),
        (("-f", "{file}", "--shard", "3/3"), 2, "K from 0 to N-1"),
        (("-f", "{file}", "--threads", "0"), 2, "from 1 to 256"),
        (("-f", "{file}", "--set", "objective.metric=luck"), 10, "spec.objective.metric"),
        (("-f", "{file}", "--set", "template.strategy.params.fast=3"), 10, "fast"),
        (("-f", "{file}", "--data", "absent.parquet"), 11, "spec.template.data.uri"),
        (("-f", str(ROOT / "examples" / "btcusdt-1h-sma-cross.yaml")), 10, "must be ParameterSweep"),
    ],
)
def test_misuse_is_named_and_leaves_nothing(
    arguments: tuple[str, ...],
    code: int,
    message: str,
    backtest: Backtest,
    written: Callable[..., Path],
    tmp_path: Path,
) -> None:
    file = written()
    refused = backtest("sweep", *(argument.format(file=file) for argument in arguments))
    assert (refused.returncode, message in refused.stderr) == (code, True), refused.stderr
    assert "Traceback" not in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_sweep_of_a_built_in_imports_nothing_heavy(tmp_path: Path, heavy_packages: frozenset[str]) -> None:
    document = resolve_run(sweep_of(), "ParameterSweep")
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from spark_crds.formats.run import decode_run\n"
        "from spark_engine.execute.sweep_carry_out import Options, carry_out_sweep\n"
        "document = decode_run(json.loads(sys.stdin.read()))\n"
        "carry_out_sweep(document, None, Path('parts'), Options(with_report=False))\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(document.document()),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(finished.stdout.split()) & (heavy_packages | {"jinja2", "obstore", "rich"}) == set()


def test_the_page_of_ten_thousand_trials_stays_small(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    wide = [
        {"name": "fast", "range": {"start": 2, "stop": 101, "step": 1}},
        {"name": "slow", "range": {"start": 102, "stop": 201, "step": 1}},
    ]
    file = written(parameters=wide, topK=1000)
    end = "template.market.end=2020-01-06T00:00:00Z"  # too short for PBO, which takes its time
    finished = backtest("sweep", "-f", file, "--out", "out", "-q", "--set", end)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "out" / "report.html").stat().st_size < 1_500_000


def test_the_package_of_a_sweep_verifies_where_it_is_unpacked(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    assert backtest("sweep", "-f", written(), "--out", "whole", "-q").returncode == 0
    packed = backtest("package", "whole", "--out", "whole.zip")
    assert packed.returncode == 0, packed.stderr
    shutil.unpack_archive(tmp_path / "whole.zip", tmp_path / "elsewhere")
    (folder,) = (path for path in (tmp_path / "elsewhere").iterdir() if path.is_dir())
    assert backtest("verify", folder, "--rerun").returncode == 0
    assert "trials" in (tmp_path / "elsewhere" / "README.md").read_text()


@pytest.mark.parametrize("command", [("compare", "whole"), ("risk-report",)])
def test_what_is_about_runs_refuses_a_sweep_in_plain_words(
    backtest: Backtest, written: Callable[..., Path], command: tuple[str, ...]
) -> None:
    assert backtest("sweep", "-f", written(), "--out", "whole", "-q").returncode == 0
    refused = backtest(*command, "whole")
    assert refused.returncode == 11
    assert "whole is the artifact of a sweep; name one that `backtest run` wrote" in refused.stderr


def test_a_disk_that_is_full_ends_with_21_and_the_sweep_goes_on_where_there_is_room(
    backtest: Backtest, written: Callable[..., Path], tmp_path: Path
) -> None:
    file = written(parameters=[{"name": "fast", "range": {"start": 2, "stop": 60, "step": 1}}, SLOW])
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from spark_engine.command.main import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["sweep", "-f", str(file), "--out", "full", "--no-report", "-q"]
    finished = subprocess.run(
        [sys.executable, "-B", "-c", limited, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert finished.returncode == 21, finished.stderr
    assert "cannot write full.partial" in finished.stderr and "--resume" in finished.stderr
    assert "panicked" not in finished.stderr
    assert backtest(*arguments, "--resume").returncode == 0
    assert backtest("verify", "full").returncode == 0
