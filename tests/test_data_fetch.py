"""`backtest data fetch` against a venue on real sockets: what is missing is fetched, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.pages import page_ms
from spark_engine.feeds.market import Quality
from spark_engine.feeds.providers.btcturk.spot import BtcturkSpot

from tests.exchange.http_server import Answer, Asked
from tests.exchange.ledger import Ledger
from tests.exchange.threaded import ExchangeThread

KLINES = "/v1/klines/history"
HISTORY_MINUTES = 180
PAGE_SECONDS = page_ms("1m", BtcturkSpot.history_bars_most) // 1000  # pages begin at its multiples
Backtest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(
        symbols=("BTCTRY", "ETHTRY"), seed=11, live=False, history_minutes=HISTORY_MINUTES, limits=False
    ) as running:
        yield running


def venue(exchange: ExchangeThread, *symbols: str) -> list[str]:
    return [
        *("--provider", "btcturk-spot", "--endpoint", exchange.exchange.rest_url, "--to", "archive"),
        *(word for symbol in symbols for word in ("--symbol", symbol)),
    ]


def minutes_ago(exchange: ExchangeThread, minutes: int) -> str:
    return str(exchange.exchange.clock.now_ms() // 60_000 * 60 - 60 * minutes)


def asked_pages(exchange: ExchangeThread) -> int:
    return exchange.exchange.rest.requests.count(KLINES)


def require_bars_of(ledger: Ledger, folder: Path, symbol: str, timeframe: str, seconds: int) -> int:
    """All whole bars of the archive are the ledger's, and none is missing. How many there are."""
    archive = Archive.open(
        str(folder / "archive"), venue="btcturk-spot", journal=folder / "journal", writer="test"
    )
    found = archive.candles(symbol, timeframe, 0, 1 << 45)
    archive.close()
    whole = {bar.ts_ms // 1000: bar for bar in found if bar.quality is Quality.COMPLETE}
    told = {bar.time: bar for bar in ledger.klines(symbol, seconds, min(whole), max(whole))}
    assert whole.keys() == told.keys()
    for time_s, bar in whole.items():
        truth = told[time_s]
        assert [
            Decimal(price).scaleb(-bar.price_scale) for price in (bar.open, bar.high, bar.low, bar.close)
        ] == [
            truth.open,
            truth.high,
            truth.low,
            truth.close,
        ]
        rounding = Decimal(seconds // 60).scaleb(-bar.quantity_scale)  # of each minute's volume
        assert abs(Decimal(bar.volume).scaleb(-bar.quantity_scale) - truth.volume) <= rounding
    return len(whole)


def test_a_symbol_is_fetched_whole_and_a_second_time_nothing(
    exchange: ExchangeThread, backtest: Backtest, tmp_path: Path
) -> None:
    arguments = ["data", "fetch", *venue(exchange, "BTCTRY,ETHTRY"), "--timeframe", "1m,1h"]
    arguments += ["--start", minutes_ago(exchange, 172), "--end", minutes_ago(exchange, 2)]
    first = backtest(*arguments)
    assert first.returncode == 0, first.stderr
    assert "still missing" not in first.stdout
    assert "BTCTRY: 0 of 170 bars" in first.stderr
    assert "ETHTRY: 170 of 170 bars" in first.stderr
    for symbol in ("BTCTRY", "ETHTRY"):
        assert require_bars_of(exchange.exchange.ledger, tmp_path, symbol, "1m", 60) > 100
    before = asked_pages(exchange)
    second = backtest(*arguments, "--output", "json")
    told = json.loads(second.stdout)
    assert [one["requests"] for one in told["symbols"].values()] == [0, 0]
    assert asked_pages(exchange) == before
    assert {each["series"].rpartition("/")[2] for each in told["series"]} == {"1m", "1h"}


def test_only_the_hole_is_fetched(exchange: ExchangeThread, backtest: Backtest) -> None:
    now_s = int(minutes_ago(exchange, 0))

    def fetched(begin: int, end: int) -> dict[str, int]:
        arguments = ["--start", str(now_s - 60 * begin), "--end", str(now_s - 60 * end)]
        shown = backtest("data", "fetch", *venue(exchange, "BTCTRY"), *arguments, "--output", "json")
        assert shown.returncode == 0, shown.stderr
        symbols: dict[str, dict[str, int]] = json.loads(shown.stdout)["symbols"]
        return symbols["BTCTRY"]

    assert fetched(100, 80)["bars"] == 20
    assert fetched(40, 20)["bars"] == 20
    assert fetched(100, 20)["bars"] == 40


def test_a_fetch_is_stopped_by_ctrl_c_and_goes_on_where_it_was(
    exchange: ExchangeThread, backtest: Backtest, tmp_path: Path
) -> None:
    pages = 15
    end_s = exchange.exchange.clock.now_ms() // 1000 // PAGE_SECONDS * PAGE_SECONDS
    begin_s = end_s - pages * PAGE_SECONDS
    arguments = ["data", "fetch", *venue(exchange, "BTCTRY"), "--start", str(begin_s), "--end", str(end_s)]

    async def slowly(asked: Asked) -> Answer | None:
        if asked.path == KLINES:
            await asyncio.sleep(0.2)
        return None

    before = asked_pages(exchange)
    exchange.exchange.hooks.requests.append(slowly)
    try:
        command = [sys.executable, "-m", "spark_engine.command.main", *arguments]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            wait_until(lambda: asked_pages(exchange) >= before + 4)
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "what was fetched is in the archive" in complaint
    finally:
        exchange.exchange.hooks.requests.remove(slowly)
    stopped_after = asked_pages(exchange) - before
    rest = json.loads(backtest(*arguments, "--output", "json").stdout)["symbols"]["BTCTRY"]
    assert rest["missing"] == 0
    assert pages - stopped_after <= rest["requests"] <= pages - stopped_after + 1
    assert 0 < rest["bars"] < pages * PAGE_SECONDS // 60


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answered_once(exchange: ExchangeThread, answer: Answer, times: int) -> Callable[[Asked], object]:
    """The next pages of history are `answer`."""
    left = [times]

    async def hook(asked: Asked) -> Answer | None:
        if asked.path != KLINES or not left[0]:
            return None
        left[0] -= 1
        return answer

    exchange.exchange.hooks.requests.append(hook)
    return hook


def test_a_venue_that_refuses_more_requests_is_waited_for_and_it_is_said_until_when(
    exchange: ExchangeThread, backtest: Backtest
) -> None:
    hook = answered_once(exchange, Answer(429, b"{}", headers={"Retry-After": "2"}), 1)
    try:
        shown = backtest("data", "fetch", *venue(exchange, "BTCTRY"), "--start", minutes_ago(exchange, 30))
    finally:
        exchange.exchange.hooks.requests.remove(hook)  # type: ignore[arg-type]
    assert shown.returncode == 0, shown.stderr
    assert "the venue refuses more requests for now: waiting until " in shown.stderr
    assert "still missing" not in shown.stdout


def test_a_page_that_is_nonsense_is_not_taken_and_asked_for_once_more(
    exchange: ExchangeThread, backtest: Backtest, tmp_path: Path
) -> None:
    nonsense = Answer(200, b'{"s":"ok","t":[60,60],"o":[1,1],"h":[1,1],"l":[1,1],"c":[1,1],"v":[1,1]}')
    arguments = ["data", "fetch", *venue(exchange, "BTCTRY"), "--start", minutes_ago(exchange, 30)]
    hook = answered_once(exchange, nonsense, 1)
    try:
        shown = backtest(*arguments)
    finally:
        exchange.exchange.hooks.requests.remove(hook)  # type: ignore[arg-type]
    assert shown.returncode == 0, shown.stderr
    assert "times that do not ascend" in shown.stderr
    assert require_bars_of(exchange.exchange.ledger, tmp_path, "BTCTRY", "1m", 60) > 10


def test_what_could_not_be_had_ends_in_an_error_that_names_the_cause(
    exchange: ExchangeThread, backtest: Backtest
) -> None:
    arguments = ["data", "fetch", *venue(exchange, "BTCTRY"), "--start", minutes_ago(exchange, 30)]
    hook = answered_once(exchange, Answer(200, b"[]"), 100)
    try:
        shown = backtest(*arguments)
    finally:
        exchange.exchange.hooks.requests.remove(hook)  # type: ignore[arg-type]
    assert shown.returncode == 11
    assert "bars of BTCTRY are still missing" in shown.stderr
    assert KLINES in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_symbol_that_there_is_not_is_named_with_those_it_may_be(
    exchange: ExchangeThread, backtest: Backtest, tmp_path: Path
) -> None:
    shown = backtest("data", "fetch", *venue(exchange, "BTCTRL"), "--start", "2024-01-01")
    assert shown.returncode == 10
    assert "--symbol: btcturk-spot does not trade BTCTRL; did you mean BTCTRY?" in shown.stderr
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--provider", "nasdaq"], 10, "--provider: must be one of binance-spot, btcturk-spot; is 'nasdaq'"),
        (["--start", "yesterday"], 10, "--start: a time must be"),
        (["--end", "2023-01-01"], 2, "--end must be after --start"),
        (["--timeframe", "1m,9x"], 10, "--timeframe: must be a count and one of"),
        (["--start", "2199-01-01"], 2, "--start must be in the past; is 2199-01-01T00:00:00Z"),
        (["--timeframe", "2m"], 10, "--timeframe: must be one of 1m, 5m"),
        (["--to", "ftp://archive"], 10, "--to: must be a path, or file://"),
        (["--endpoint", "venue"], 10, "--endpoint: must be http:// or https://"),
        (["--endpoint", "http://127.0.0.1:99999"], 10, "--endpoint: is no address: Port out of range"),
        (
            ["--endpoint", "http://127.0.0.1:9"],
            21,
            "127.0.0.1:9/api/v2/server/exchangeinfo: connection refused",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_option(
    exchange: ExchangeThread, backtest: Backtest, arguments: list[str], code: int, complaint: str
) -> None:
    shown = backtest("data", "fetch", *venue(exchange, "BTCTRY"), "--start", "2024-01-01", *arguments)
    assert shown.returncode == code
    assert complaint in shown.stderr
    assert "Traceback" not in shown.stderr


def test_without_a_manifest_the_options_must_say_it_all(backtest: Backtest) -> None:
    shown = backtest("data", "fetch", "--start", "2024-01-01")
    assert shown.returncode == 2
    assert "without -f, --provider, --symbol, --to must be there" in shown.stderr
    listed = ["--provider", "btcturk-spot", "--symbol", ",", "--to", "archive"]
    shown = backtest("data", "fetch", *listed, "--start", "2024-01-01")
    assert (shown.returncode, "--symbol must be there" in shown.stderr) == (2, True)


def test_a_feed_says_what_is_fetched(exchange: ExchangeThread, backtest: Backtest, tmp_path: Path) -> None:
    manifest = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "MarketDataFeed",
        "metadata": {"name": "pairs"},
        "spec": {
            "provider": "btcturk-spot",
            "symbols": ["ETHTRY"],
            "timeframes": ["1m", "5m"],
            "storage": {"uri": "archive"},
            "endpoints": {"rest": exchange.exchange.rest_url, "history": exchange.exchange.rest_url},
        },
    }
    (tmp_path / "feed.json").write_text(json.dumps(manifest))
    assert "since when?" in backtest("data", "fetch", "-f", "feed.json").stderr
    shown = backtest("data", "fetch", "-f", "feed.json", "--start", minutes_ago(exchange, 90))
    assert shown.returncode == 0, shown.stderr
    assert require_bars_of(exchange.exchange.ledger, tmp_path, "ETHTRY", "5m", 300) > 10


def test_on_a_terminal_a_bar_shows_how_far_it_is(exchange: ExchangeThread, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    end_s = int(minutes_ago(exchange, 1))
    command = [
        *(sys.executable, "-m", "spark_engine.command.main", "data", "fetch", *venue(exchange, "BTCTRY")),
        *("--start", str(end_s - 3_600), "--end", str(end_s)),
    ]
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        written = b""
        while piece := read(master):
            written += piece
        process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 0
    assert b"of 60 bars" in written
    assert "━".encode() in written


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux says so when the other end is gone
        return b""
