"""`backtest data` as a person runs it: what is shown, what programs read, how a failure is said."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_engine.data.candles import COLUMNS
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest

DATA = Path(os.environ.get("SPARK_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DIRTY = DATA / "ethusdt_1h_cdd_dirty.csv.gz"
THYAO = DATA / "bist_thyao_1d_2021_2026.parquet"
START = 1_704_067_200  # 2024-01-01T00:00:00Z
HEADER = "ts,open,high,low,close,volume\n"
Backtest = Callable[..., subprocess.CompletedProcess[str]]

real_data = pytest.mark.skipif(not DIRTY.exists(), reason=f"{DATA} is absent: set SPARK_TEST_DATA")


def hours(count: int = 48, without: range = range(0)) -> str:
    return HEADER + "".join(
        f"{START + 3600 * hour},{10 + hour},{12 + hour},{9 + hour},{11 + hour},{100 + hour}\n"
        for hour in range(count)
        if hour not in without
    )


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT_1h.csv"
    path.write_text(hours(without=range(20, 25)))
    return path


def test_a_picture_is_drawn_of_plain_characters_on_request(backtest: Backtest, candles: Path) -> None:
    shown = backtest("data", "inspect", candles, "--plot", "ascii")
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    title = next(number for number, line in enumerate(lines) if line.strip() == "close")
    drawn = lines[title : title + 25]
    assert all(line.isascii() for line in drawn)
    assert sum(line.count("*") for line in drawn) > 30  # closes
    assert sum(line.count("#") for line in drawn) > 30  # volumes
    (missing,) = [line for line in drawn if line.strip().startswith("missing")]
    assert missing.count("^") == 5


def test_into_a_pipe_nothing_is_drawn_unless_asked_for(backtest: Backtest, candles: Path) -> None:
    shown = backtest("data", "inspect", candles)
    assert "│" not in shown.stdout
    assert "missing " not in [line.strip()[:8] for line in shown.stdout.splitlines()]
    braille = backtest("data", "inspect", candles, "--plot", "braille", PYTHONIOENCODING="utf-8")
    assert "│" in braille.stdout
    assert any("\u2801" <= character <= "\u28ff" for character in braille.stdout)


def test_on_a_terminal_the_picture_comes_by_itself_and_can_be_switched_off(candles: Path) -> None:
    assert "│" in on_a_terminal("data", "inspect", candles)
    assert "│" not in on_a_terminal("data", "inspect", candles, "--plot", "off")


def on_a_terminal(*arguments: object) -> str:
    """What the command writes where its standard output is a terminal."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "spark_engine.command.main", *map(str, arguments)]
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=slave, env=environment) as process:
        os.close(slave)
        written = b""
        while True:
            try:
                piece = os.read(master, 65_536)
            except OSError:  # Linux says so when the other end is gone
                break
            if not piece:
                break
            written += piece
        assert process.wait(timeout=60) == 0
    os.close(master)
    return written.decode()


def test_a_repair_without_an_out_writes_nothing_and_says_so(
    backtest: Backtest, tmp_path: Path, candles: Path
) -> None:
    candles.write_text(candles.read_text() + f"{START},10,12,9,11,100\n")
    before = sorted(tmp_path.iterdir())
    shown = backtest("data", "repair", candles)
    assert shown.returncode == 0
    assert "exact-duplicates   1 row" in shown.stdout
    assert "left out" in shown.stdout
    assert "nothing was written" in shown.stdout
    assert sorted(tmp_path.iterdir()) == before


def test_a_mended_file_needs_no_repair_and_is_taken_by_a_run(
    backtest: Backtest, tmp_path: Path, candles: Path
) -> None:
    candles.write_text(candles.read_text() + f"{START},10,12,9,11,100\n{START + 7},10,12,9,11,1\n")
    told = json.loads(
        backtest("data", "repair", candles, "--out", "mended.parquet", "--output", "json").stdout
    )
    assert {repair["name"]: repair["rows"] for repair in told["repairs"]} == {
        "order": 2,
        "off-grid-rows": 1,
        "exact-duplicates": 1,
    }
    assert (told["before"]["accepted"], told["after"]["accepted"], told["out"]) == (
        False,
        True,
        "mended.parquet",
    )
    again = json.loads(backtest("data", "inspect", "mended.parquet", "--output", "json").stdout)
    assert (again["accepted"], again["rows"], again["sha256"]) == (True, 43, told["after"]["sha256"])
    assert "nothing to mend" in backtest("data", "repair", "mended.parquet").stdout


def test_a_file_that_is_there_is_not_overwritten_unless_forced(
    backtest: Backtest, tmp_path: Path, candles: Path
) -> None:
    (tmp_path / "there.parquet").write_text("mine")
    refused = backtest("data", "repair", candles, "--out", "there.parquet")
    assert (refused.returncode, "--force overwrites it" in refused.stderr) == (2, True)
    assert (tmp_path / "there.parquet").read_text() == "mine"
    assert backtest("data", "repair", candles, "--out", "there.parquet", "--force").returncode == 0
    assert (tmp_path / "there.parquet").read_bytes()[:4] == b"PAR1"


def test_rows_that_nobody_can_tell_apart_are_not_written_until_one_says_how(
    backtest: Backtest, tmp_path: Path, candles: Path
) -> None:
    candles.write_text(candles.read_text() + f"{START},10,13,9,11,100\n")
    told = backtest("data", "repair", candles)
    assert (told.returncode, "1 times stay doubled" in told.stdout) == (0, True)
    refused = backtest("data", "repair", candles, "--out", "mended.parquet")
    assert refused.returncode == 11
    assert "--prefer: 1 times have rows that differ and are equally good" in refused.stderr
    assert not (tmp_path / "mended.parquet").exists()
    done = backtest("data", "repair", candles, "--out", "mended.parquet", "--prefer", "filled,last")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["inspect", "absent.csv"], 11, "there is no absent.csv"),
        (["inspect", "BTCUSDT_1h.csv", "--calendar", "XISTT"], 10, "did you mean XIST"),
        (["repair", "BTCUSDT_1h.csv", "--prefer", "newest"], 11, "--prefer: must be filled, finer"),
        (["repair", "BTCUSDT_1h.csv", "--out", "mended.csv"], 2, "--out must be a .parquet file"),
        (
            ["repair", "BTCUSDT_1h.csv", "--out", "absent/m.parquet"],
            21,
            "--out: cannot write absent/m.parquet",
        ),
        (["repair", "BTCUSDT_1h.csv", "--drop", "gaps"], 2, "invalid choice: 'gaps'"),
        (["convert", "BTCUSDT_1h.csv"], 2, "required: --to"),
        (["convert", "plain.csv", "--to", "archive"], 2, "name one with --symbol"),
        (
            ["convert", "BTCUSDT_1h.csv", "--to", "archive", "--timeframe", "4h"],
            11,
            "the data has bars of 1h",
        ),
        (
            ["convert", "BTCUSDT_1h.csv", "--to", "archive", "--timeframe", "1x"],
            10,
            "--timeframe: must be a count",
        ),
        (["convert", "BTCUSDT_1h.csv", "--to", "archive", "--venue", "a/b"], 10, "--venue: must be at most"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    backtest: Backtest, tmp_path: Path, candles: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "plain.csv").write_text(candles.read_text())
    shown = backtest("data", *arguments)
    assert shown.returncode == code
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def test_what_a_file_says_cannot_drive_the_terminal(backtest: Backtest, tmp_path: Path) -> None:
    text = hours(5).replace("volume\n", "volume,\x1b[31mnotes\n", 1).replace("0\n", "0,\n")
    lines = [line if line.count(",") == 6 else line + "," for line in text.splitlines()]
    (tmp_path / "odd.csv").write_text("\n".join(lines) + "\n")
    shown = backtest("data", "inspect", "odd.csv")
    assert (shown.returncode, "\x1b" in shown.stdout) == (0, False)


@real_data
def test_the_dirty_export_is_reported_and_mended_as_expected(backtest: Backtest, tmp_path: Path) -> None:
    expected = json.loads((DATA / "ethusdt_1h_cdd_dirty.expected.json").read_text())
    told = json.loads(backtest("data", "repair", DIRTY, "--out", "e.parquet", "--output", "json").stdout)
    before, after = told["before"], told["after"]
    assert before["rows"] == expected["data_rows"]
    assert before["times"][0]["forms"] == {
        "epoch ms": expected["unix_in_ms_rows"],
        "epoch s": expected["unix_in_s_rows"],
    }
    assert before["duplicates"]["price_conflicts"] == expected["duplicate_price_conflicts_gt_0.01"]
    assert before["order"] == expected["order"]
    assert (after["rows"], after["gaps"], after["missing_bars"]) == (expected["unique_hours"], 8, 16)
    assert after["accepted"]
    shown = backtest("data", "inspect", DIRTY).stdout
    assert "unix: 7,478 epoch ms, 28,584 epoch s" in shown
    assert "91 rows say another time than unix, mostly by 4 h" in shown
    assert "suspect: 2017-08-17 04:00   open 652.74" in shown


@real_data
def test_a_file_of_an_exchange_is_judged_by_its_sessions(backtest: Backtest) -> None:
    shown = backtest("data", "inspect", THYAO, "--calendar", "XIST").stdout
    assert "placeholders            3: 2026-05-27, 2026-05-28, 2026-05-29" in shown
    assert "rows of no session      1: 2023-02-08" in shown
    assert "sessions without a row  2: 2024-04-09, 2026-07-31" in shown
    assert "gaps                    2, 2 bars missing" in shown


def test_converted_candles_are_read_from_the_archive_as_from_the_file(
    backtest: Backtest, candles: Path
) -> None:
    told = json.loads(
        backtest(
            "data", "convert", candles, "--to", "archive", "--venue", "binance", "--output", "json"
        ).stdout
    )
    assert (told["bars"], told["written"], told["commit"], told["exact"]) == (43, 43, 1, True)
    assert told["uri"].startswith("archive/binance/BTCUSDT/1h?commit=1&to=")
    folder = candles.parent
    direct = read_candles(CandleRequest(str(candles), "BTCUSDT", "1h"))
    archived = read_candles(
        CandleRequest(f"{folder}/{told['uri']}", "BTCUSDT", "1h", partial_bars="Keep", sha256=told["sha256"])
    )
    for name in COLUMNS:
        assert list(getattr(archived, name)) == list(getattr(direct, name))
    assert archived.quality_report.missing_feed_down == 5  # what the file lacks is unknown


def test_an_address_of_an_archive_is_on_one_line_however_long_it_is(
    backtest: Backtest, tmp_path: Path, candles: Path
) -> None:
    archive = tmp_path / ("deep" * 30)
    converted = backtest("data", "convert", candles, "--to", archive)
    inspected = backtest("data", "inspect", archive)
    (series,) = json.loads(backtest("data", "inspect", archive, "--output", "json").stdout)["series"]
    for shown in (converted, inspected):
        assert [line for line in shown.stdout.splitlines() if line.endswith(f" {series['pinned_uri']}")]


def test_converting_again_changes_nothing_and_a_correction_is_a_revision(
    backtest: Backtest, candles: Path
) -> None:
    convert = ("data", "convert", candles, "--to", "archive", "--output", "json")
    first = json.loads(backtest(*convert).stdout)
    again = json.loads(backtest(*convert).stdout)
    assert (again["written"], again["sha256"], again["commit"]) == (0, first["sha256"], 1)
    candles.write_text(candles.read_text().replace(",110\n", ",111\n"))
    corrected = json.loads(backtest(*convert).stdout)
    assert (corrected["written"], corrected["commit"]) == (1, 2)
    assert "amended                 1" in backtest("data", "inspect", "archive").stdout


def test_what_a_missing_bar_means_can_be_said(backtest: Backtest, candles: Path) -> None:
    convert = ("data", "convert", candles, "--to", "archive", "--output", "json")
    begin, end = START * 1000, (START + 48 * 3600) * 1000
    hole = [(START + 20 * 3600) * 1000, (START + 25 * 3600) * 1000]
    unknown = json.loads(backtest(*convert, "--venue", "a").stdout)
    assert unknown["covered"] == [[begin, hole[0]], [hole[1], end]]
    quiet = json.loads(backtest(*convert, "--venue", "b", "--missing", "no-trades").stdout)
    assert quiet["covered"] == [[begin, end]]


@real_data
def test_an_exchange_s_file_is_converted_by_its_sessions(backtest: Backtest) -> None:
    shown = backtest("data", "convert", THYAO, "--to", "archive", "--venue", "bist", "--calendar", "XIST")
    assert shown.returncode == 0
    assert "1,249, of which 1,249 are new" in shown.stdout
    assert "were they adjusted?" in shown.stderr
    assert "2024-04-09 00:00 → 2024-04-15 00:00   not seen" in backtest("data", "inspect", "archive").stdout
