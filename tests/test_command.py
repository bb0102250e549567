"""What a person and a script see of `backtest`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

Manifest = dict[str, Any]
Backtest = Callable[..., subprocess.CompletedProcess[str]]
ALL = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.yaml"))
FEEDS = [path for path in ALL if "kind: MarketDataFeed" in path.read_text()]
EXAMPLES = [path for path in ALL if path not in FEEDS]
ESCAPE = "\x1b["


def test_the_table_shows_the_figures_of_the_evidence(backtest: Backtest, tmp_path: Path) -> None:
    shown = backtest("run", "-f", EXAMPLES[0], "--out", "artifact")
    assert shown.returncode == 0, shown.stderr
    evidence = json.loads((tmp_path / "artifact" / "evidence.json").read_bytes())
    metrics = evidence["result"]["metrics"]
    assert f"{metrics['finalEquity']['value']:,.2f}" in shown.stdout
    assert f"{metrics['maxDrawdown']['value'] * 100:,.2f} %" in shown.stdout
    assert f"{metrics['trades']['value']:,} closed" in shown.stdout
    assert f"{evidence['result']['benchmark']['finalEquity']:,.2f}" in shown.stdout
    assert evidence["digest"] in shown.stdout
    assert "artifact/report.html" in shown.stdout


def test_json_has_plain_numbers_and_names_the_artifact(backtest: Backtest, tmp_path: Path) -> None:
    told = json.loads(backtest("run", "-f", EXAMPLES[0], "--output", "json").stdout)
    assert set(told) == {"digest", "metrics", "artifact", "checks"}
    assert isinstance(told["metrics"]["sharpe"], float)
    directory = tmp_path / told["artifact"]["dir"]
    assert directory.name.endswith(told["digest"].removeprefix("sha256:")[:8])
    assert json.loads((directory / "evidence.json").read_bytes())["digest"] == told["digest"]


def test_yaml_says_what_json_says(backtest: Backtest) -> None:
    as_yaml = yaml.safe_load(backtest("run", "-f", EXAMPLES[0], "--output", "yaml", "--out", "a").stdout)
    as_json = json.loads(backtest("run", "-f", EXAMPLES[0], "--output", "json", "--out", "b").stdout)
    assert as_yaml["metrics"] == as_json["metrics"]
    assert as_yaml["digest"] == as_json["digest"]


def test_quiet_prints_the_directory_alone(backtest: Backtest, tmp_path: Path) -> None:
    shown = backtest("run", "-f", EXAMPLES[0], "-q")
    assert shown.stderr == ""
    assert (tmp_path / shown.stdout.strip() / "evidence.json").is_file()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid_runs_and_verifies(backtest: Backtest, example: Path) -> None:
    assert backtest("validate", "-f", example).returncode == 0
    command = "sweep" if "kind: ParameterSweep" in example.read_text() else "run"
    assert backtest(command, "-f", example, "--out", "artifact", "-q").returncode == 0
    assert backtest("verify", "artifact", "--rerun").returncode == 0


@pytest.mark.parametrize("example", FEEDS, ids=lambda path: path.stem)
def test_every_example_of_a_feed_is_valid(backtest: Backtest, example: Path) -> None:
    shown = backtest("validate", "-f", example)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "MarketDataFeed/" in shown.stdout


def test_a_run_that_the_server_would_name_is_valid(backtest: Backtest) -> None:
    text = EXAMPLES[0].read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("  name: ")]
    shown = backtest("validate", "-f", "-", stdin=text.replace(line, "  generateName: sma-"))
    assert (shown.returncode, shown.stdout) == (0, "-: BacktestRun/sma- is valid\n")


def on_a_terminal(*arguments: object, directory: Path, **environment: str) -> str:
    """What a terminal of 100 columns is sent."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "spark_engine.command.main", *map(str, arguments)],
        cwd=directory,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    )
    os.close(follower)
    chunks = []
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    assert process.wait(timeout=60) == 0
    os.close(leader)
    return b"".join(chunks).decode()


def test_a_terminal_gets_colour_and_sees_progress(tmp_path: Path) -> None:
    shown = on_a_terminal("run", "-f", EXAMPLES[0], directory=tmp_path)
    assert ESCAPE in shown
    assert "drawing the report" in shown


def test_no_color_is_respected(tmp_path: Path) -> None:
    shown = on_a_terminal("run", "-f", EXAMPLES[0], directory=tmp_path, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_pipe_gets_neither_colour_nor_progress(backtest: Backtest) -> None:
    shown = backtest("run", "-f", EXAMPLES[0])
    assert ESCAPE not in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_reader_that_has_seen_enough_changes_no_exit_code(
    form: str, backtest: Backtest, tmp_path: Path
) -> None:
    """`backtest verify | head -1`."""
    backtest("run", "-f", EXAMPLES[0], "--out", "artifact")
    assert unread("verify", "artifact", "--output", form, directory=tmp_path) == (0, "")
    (tmp_path / "artifact" / "chart.json").write_text("{}")
    assert unread("verify", "artifact", "--output", form, directory=tmp_path) == (1, "")


def unread(*arguments: object, directory: Path) -> tuple[int, str]:
    """Exit code and stderr where the reader of stdout has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return written_to(writer, arguments, directory)
    finally:
        os.close(writer)


def written_to(
    stdout: int, arguments: Sequence[object], directory: Path, unbuffered: str = ""
) -> tuple[int, str]:
    """Exit code and stderr of a command with that stdout."""
    finished = subprocess.run(
        [sys.executable, "-m", "spark_engine.command.main", *map(str, arguments)],
        cwd=directory,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    return finished.returncode, finished.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["strategies"], ["run", "-f", EXAMPLES[0], "--output", "json"]])
def test_results_that_cannot_be_written_are_an_error_that_names_the_cause(
    arguments: list[object], unbuffered: str, tmp_path: Path
) -> None:
    """`backtest run > /dev/full`."""
    with Path("/dev/full").open("wb") as full:
        ended = written_to(full.fileno(), arguments, tmp_path, unbuffered)
    assert ended == (21, "error: the results cannot be written: No space left on device\n")


INTERRUPTED = """
import os, signal, sys

what, which = sys.argv.pop(1), sys.argv.pop(1)

def interrupt(event, arguments):
    if (event, str(arguments[:1])) == (what, str((which,))):
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
from spark_engine.command.entry import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("at", "code", "told"),
    [
        (("import", "spark_engine.command.run"), -signal.SIGINT, ""),
        (("open", str(EXAMPLES[0])), 130, "error: interrupted; nothing is left half-written\n"),
    ],
)
def test_ctrl_c_shows_no_traceback_however_early(
    at: tuple[str, str], code: int, told: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", INTERRUPTED, *at, "validate", "-f", EXAMPLES[0]]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (shown.returncode, shown.stderr) == (code, told)


def test_a_name_with_control_characters_cannot_drive_the_terminal(backtest: Backtest) -> None:
    shown = backtest("run", "-f", "-", stdin='{"apiVersion": "\\u001b[2J", "kind": "BacktestRun"}')
    assert shown.returncode == 10
    assert "\x1b" not in shown.stderr


@pytest.mark.parametrize("command", ["run", "verify", "report", "validate", "strategies", "data"])
def test_every_command_teaches_its_use(backtest: Backtest, command: str) -> None:
    shown = backtest(command, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"usage: backtest {command}")


def test_strategies_are_listed_with_parameters_ranges_and_defaults(backtest: Backtest) -> None:
    shown = backtest("strategies").stdout
    for words in ("sma-cross", "rsi", "required", "from 1 to 10000", "14"):
        assert words in shown


def test_an_unknown_strategy_is_answered_with_those_that_exist(backtest: Backtest) -> None:
    shown = backtest("strategies", "smacros")
    assert shown.returncode == 10
    assert "sma-cross" in shown.stderr


def test_validate_speaks_with_the_words_of_the_api_server(backtest: Backtest, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(
        json.dumps(
            {
                "apiVersion": "spark.trading/v1alpha1",
                "kind": "BacktestRun",
                "metadata": {"name": "x"},
                "spec": {
                    "strategy": {"name": "rsi"},
                    "market": {"symbol": "BTCUSDT", "timeframe": "1x"},
                    "data": {"uri": "sample://btcusdt-1h"},
                },
            }
        )
    )
    shown = backtest("validate", "-f", "bad.json")
    assert shown.returncode == 10
    assert 'The BacktestRun "x" is invalid' in shown.stderr
    assert (
        'spec.market.timeframe: Invalid value: "1x": spec.market.timeframe in body should match'
        in shown.stderr
    )


def test_validate_reads_several_files_and_tells_good_from_bad(backtest: Backtest, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Pod\n")
    shown = backtest("validate", "-f", EXAMPLES[0], "bad.yaml")
    assert shown.returncode == 10
    assert "is valid" in shown.stdout
    assert "bad.yaml" in shown.stderr


def test_a_resolved_run_repeats_from_the_artifact(backtest: Backtest, tmp_path: Path) -> None:
    first = json.loads(backtest("run", "-f", EXAMPLES[0], "--output", "json", "--out", "a").stdout)
    again = json.loads(backtest("run", "-f", "a/spec.json", "--output", "json", "--out", "b").stdout)
    assert again["digest"] == first["digest"]


def test_data_inspect_counts_and_says_what_a_run_would_do(backtest: Backtest, tmp_path: Path) -> None:
    rows = "".join(f"{1_600_000_000 + 3600 * hour},1,1,1,1,1\n" for hour in (0, 1, 2, 5, 6))
    (tmp_path / "gappy.csv").write_text("ts,open,high,low,close,volume\n" + rows)
    told = json.loads(backtest("data", "inspect", "gappy.csv", "--output", "json").stdout)
    assert (told["rows"], told["gaps"], told["missing_bars"], told["timeframe"]) == (5, 1, 2, "1h")
    shown = backtest("data", "inspect", "gappy.csv").stdout
    assert "1, 2 bars missing" in shown
    assert ("a run takes it" in shown) is told["accepted"]


def test_data_inspect_of_conflicting_rows_names_the_policy(backtest: Backtest, tmp_path: Path) -> None:
    rows = "".join(f"{1_600_000_000 // 3600 * 3600 + 3600 * hour},1,1,1,1,1\n" for hour in range(4))
    again = f"{1_600_000_000 // 3600 * 3600},2,2,2,2,2\n"
    (tmp_path / "twice.csv").write_text("ts,open,high,low,close,volume\n" + rows + again)
    shown = backtest("data", "inspect", "twice.csv")
    assert shown.returncode == 0
    assert "spec.data.duplicates" in shown.stdout


def test_validate_leaves_objects_of_other_apis_to_their_owners(backtest: Backtest, tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: quants}\n---\n" + EXAMPLES[0].read_text()
    )
    shown = backtest("validate", "-f", "both.yaml")
    assert shown.returncode == 0
    assert "Namespace/quants is not of spark.trading: not checked" in shown.stderr
    assert "is valid" in shown.stdout


def test_a_pattern_that_was_missed_is_explained(backtest: Backtest) -> None:
    shown = backtest("run", "-f", EXAMPLES[0], "--set", "market.timeframe=1x")
    assert shown.returncode == 10
    assert "Length of a bar: a whole number and s, m, h, d or w" in shown.stderr


def test_no_command_at_all_is_answered_with_the_help(backtest: Backtest) -> None:
    shown = backtest()
    assert shown.returncode == 2
    assert "exit codes:" in shown.stderr
