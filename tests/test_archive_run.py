"""A backtest on the archive of a feed, while the feed goes on: the recorded run repeats, to the digest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spark_engine
from spark_engine.command.main import main
from spark_engine.data.archive.segment import CandleRow
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.stores import open_store
from spark_engine.feeds.market import Candle, Instrument, Interval, Quality
from spark_engine.feeds.pipeline.batch import Batch

from tests.archives import DAY, FIRST, HOUR, MINUTE, Writer, into, minute, minutes

Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    """Two days and a half hour, in a commit of every six hours."""
    writer = Writer(into(tmp_path / "archive"))
    for begin in range(FIRST, FIRST + 2 * DAY, 6 * HOUR):
        writer.commit(minutes(begin, 360), [(begin, begin + 6 * HOUR)])
    writer.commit(minutes(writer.known_to, 30), [(writer.known_to, writer.known_to + 30 * MINUTE)])
    return writer


@pytest.fixture
def manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """The example on a feed: two averages on the hours of BTCTRY."""
    spec = manifest["spec"]
    spec["market"] = {"symbol": "BTCTRY", "timeframe": "1h"}
    spec["data"] = {"feedRef": {"name": "btcturk-spot"}}
    spec["strategy"] = {"name": "sma-cross", "params": {"fast": 2, "slow": 5}}
    return manifest


@pytest.fixture
def run(tmp_path: Path, manifest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Run:
    """`backtest run -f <the manifest> --data <archive> ...`: exit code, evidence, what it said."""

    def call(data: object, out: str, file: Path | None = None) -> tuple[int, dict[str, Any], str]:
        if file is None:
            file = tmp_path / "run.json"
            file.write_text(json.dumps(manifest))
        arguments = ["run", "-f", str(file), "--out", str(tmp_path / out), "-q", "--no-report"]
        code = main([*arguments, *(["--data", str(data)] if data else [])])
        said = " ".join(capsys.readouterr().err.split())
        path = tmp_path / out / "evidence.json"
        return code, json.loads(path.read_bytes()) if path.exists() else {}, said

    return call


def grow(writer: Writer, folder: Path) -> None:
    """What a feed does in a day: it appends, amends, fills in, and compacts."""
    begin = writer.known_to
    writer.commit(minutes(begin, 300), [(begin, begin + 5 * HOUR)])
    writer.commit([minute(FIRST + hour * HOUR, price=30_000, revision=1) for hour in range(0, 40, 3)])
    for path in writer.compact():
        (folder / writer.path / path).unlink()


def test_the_recorded_run_repeats_while_the_feed_goes_on(writer: Writer, tmp_path: Path, run: Run) -> None:
    code, first, said = run(tmp_path / "archive", "first")
    assert code == 0, said
    settled = json.loads((tmp_path / "first" / "spec.json").read_bytes())["spec"]
    known = FIRST + 2 * DAY + 30 * MINUTE
    uri = f"{tmp_path}/archive/btcturk/BTCTRY/1m?commit=9&to={known}"
    assert settled["data"]["uri"] == first["run"]["data"]["uri"] == uri
    assert settled["data"]["sha256"] == first["run"]["data"]["sha256"]
    assert settled["market"]["start"] == "2024-01-01T00:00:00Z"
    assert settled["market"]["end"] == "2024-01-03T00:00:00Z"
    assert first["result"]["counts"]["bars"] == 48
    assert first["result"]["counts"]["trades"] > 0

    grow(writer, tmp_path / "archive")
    assert main(["verify", str(tmp_path / "first"), "--rerun"]) == 0
    code, again, said = run(None, "again", tmp_path / "first" / "spec.json")
    assert (code, again["digest"]) == (0, first["digest"]), said
    code, latest, said = run(tmp_path / "archive", "latest")
    assert code == 0, said
    assert latest["digest"] != first["digest"]
    assert latest["run"]["data"]["uri"].endswith(f"?commit=11&to={known + 5 * HOUR}")


def test_an_archive_that_moved_is_verified_where_it_is_now(writer: Writer, tmp_path: Path, run: Run) -> None:
    assert run(tmp_path / "archive", "first")[0] == 0
    grow(writer, tmp_path / "archive")
    (tmp_path / "archive").rename(tmp_path / "moved")
    assert main(["verify", str(tmp_path / "first"), "--rerun", "--data", str(tmp_path / "moved")]) == 0


def test_what_an_archive_knows_of_missing_bars_is_in_the_evidence_of_such_a_run_alone(
    writer: Writer, tmp_path: Path, run: Run, manifest: dict[str, Any]
) -> None:
    quality = run(tmp_path / "archive", "first")[1]["result"]["dataQuality"]
    assert (quality["missingNoTrades"], quality["missingFeedDown"]) == (0, 0)
    manifest["spec"]["market"]["symbol"] = "BTCUSDT"
    other = run("sample://btcusdt-1h", "other")[1]["result"]["dataQuality"]
    assert {"missingNoTrades", "missingFeedDown"} & set(other) == set()


def test_the_writer_of_feeds_and_the_reader_of_runs_agree(tmp_path: Path, run: Run) -> None:
    """Appended, amended, filled in and compacted by the real writer, after the run."""
    instrument = Instrument(
        symbol="BTCTRY", venue_symbol="BTC_TRY", base="BTC", quote="TRY", price_scale=2, quantity_scale=4
    )
    store, journal = open_store(str(tmp_path / "archive")), tmp_path / "journal"
    feed = Archive(store, venue="btcturk", journal=journal, writer="a test", grace_seconds=0)

    def write(rows: list[CandleRow], begin: int, end: int) -> None:
        covered = (Interval(begin, end),)
        feed.append(Batch(instrument=instrument, candles=tuple(map(candle, rows)), covered=covered))
        feed.flush()

    for begin in range(FIRST, FIRST + 2 * DAY, 6 * HOUR):
        write(minutes(begin, 360), begin, begin + 6 * HOUR)
    code, first, said = run(tmp_path / "archive", "first")
    assert code == 0, said
    assert first["result"]["counts"]["bars"] == 48
    write(minutes(FIRST + 2 * DAY, 300), FIRST + 2 * DAY, FIRST + 2 * DAY + 5 * HOUR)
    write(minutes(FIRST - 60 * MINUTE, 60), FIRST - 60 * MINUTE, FIRST)
    write([minute(FIRST + 7 * HOUR, price=30_000, revision=1)], FIRST, FIRST + DAY)
    assert feed.compact(FIRST + 10 * DAY) > 0
    assert main(["verify", str(tmp_path / "first"), "--rerun"]) == 0
    code, latest, said = run(tmp_path / "archive", "latest")
    assert (code, latest["result"]["counts"]["bars"]) == (0, 48 + 1 + 5), said
    feed.close()


def candle(row: CandleRow) -> Candle:
    """As the builder of candles hands it over."""
    values = row._asdict()
    for name in ("ts", "commit", "quality", "source"):
        del values[name]
    return Candle(symbol="BTCTRY", timeframe="1m", ts_ms=row.ts, quality=Quality(row.quality), **values)


def test_a_feed_without_its_archive_is_refused_with_what_to_do(run: Run) -> None:
    code, _evidence, said = run(None, "first")
    assert code == 10
    assert "spec.data.feedRef: names a MarketDataFeed" in said
    assert "--data" in said


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_a_corrupt_byte_in_the_archive_ends_with_11_in_words(
    writer: Writer, tmp_path: Path, run: Run, suffix: str
) -> None:
    path = next((tmp_path / "archive").rglob(f"*.{suffix}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, _evidence, said = run(tmp_path / "archive", "first")
    assert code == 11
    assert "spec.data.uri" in said
    assert path.name in said
    assert "Traceback" not in said


def test_a_rewritten_archive_ends_with_11_and_names_the_digest(
    writer: Writer, tmp_path: Path, run: Run
) -> None:
    assert run(tmp_path / "archive", "first")[0] == 0
    writer.rows[0] = writer.rows[0]._replace(close=1)
    writer.compact()
    code, _evidence, said = run(None, "again", tmp_path / "first" / "spec.json")
    assert code == 11
    assert "spec.data.sha256" in said


def test_a_notebook_reads_an_archive_and_runs_on_it(
    writer: Writer, tmp_path: Path, run: Run, manifest: dict[str, Any]
) -> None:
    archive = str(tmp_path / "archive")
    digest = run(archive, "first")[1]["digest"]
    result = spark_engine.run(manifest, data=archive)
    assert result.digest == digest
    assert result.execution.spec["data"]["sha256"]
    candles = spark_engine.read_candles(archive, symbol="BTCTRY", timeframe="1h")
    assert candles.pinned_uri == result.execution.spec["data"]["uri"]
    with pytest.raises(InvalidSpec, match=r"spec\.data\.feedRef"):
        spark_engine.run(manifest)


def test_a_sweep_settles_what_it_read_too(writer: Writer, tmp_path: Path, manifest: dict[str, Any]) -> None:
    spec = manifest["spec"]
    spec["strategy"]["params"].pop("fast")
    del spec["notes"], spec["verdict"]
    sweep = {
        **manifest,
        "kind": "ParameterSweep",
        "spec": {
            "template": spec,
            "parameters": [{"name": "fast", "values": [2, 3]}],
            "objective": {"metric": "totalReturn", "direction": "Maximize"},
        },
    }
    (tmp_path / "sweep.json").write_text(json.dumps(sweep))
    archive, out = tmp_path / "archive", str(tmp_path / "sweep")
    arguments = ["-f", str(tmp_path / "sweep.json"), "--data", str(archive), "--out", out, "--no-report"]
    assert main(["sweep", *arguments]) == 0
    recorded = json.loads((tmp_path / "sweep" / "spec.json").read_bytes())["spec"]["template"]["data"]
    assert "?commit=9&to=" in recorded["uri"]
    grow(writer, archive)
    assert main(["verify", out, "--rerun"]) == 0


def test_reading_an_archive_imports_nothing_heavy(
    writer: Writer, tmp_path: Path, heavy_packages: frozenset[str]
) -> None:
    script = (
        "import sys\n"
        "from spark_engine.data.read import read_candles\n"
        "from spark_engine.data.request import CandleRequest\n"
        "assert len(read_candles(CandleRequest(sys.argv[1], 'BTCTRY', '1h'))) == 48\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "archive")], capture_output=True, text=True, check=True
    )
    modules = set(finished.stdout.split())
    feeds = {"msgspec", "websockets", "httpx2", "starlette", "prometheus_client", "asyncio", "obstore"}
    assert modules & (heavy_packages | feeds) == set()
