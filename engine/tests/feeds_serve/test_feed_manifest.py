"""A MarketDataFeed as the values that a feed runs on, and errors that name the field."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from spark_crds.resolve import resolve
from spark_engine.command.main import main
from spark_engine.errors import InvalidSpec
from spark_engine.execute.manifest import load_object
from spark_engine.feeds.manifest import feed_settings
from spark_engine.feeds.settings import Endpoints, FeedSettings

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
MINIMAL: dict[str, Any] = {
    "apiVersion": "spark.trading/v1alpha1",
    "kind": "MarketDataFeed",
    "metadata": {"name": "btc"},
    "spec": {"provider": "btcturk-spot", "symbols": ["BTCTRY"], "storage": {"uri": "archive"}},
}


def feed(**fields: Any) -> dict[str, Any]:
    return {**MINIMAL, "spec": {**copy.deepcopy(MINIMAL["spec"]), **fields}}


def refusal(manifest: dict[str, Any]) -> InvalidSpec:
    with pytest.raises(InvalidSpec) as caught:
        feed_settings(manifest)
    return caught.value


def test_a_minimal_feed_has_the_defaults_of_its_provider() -> None:
    assert feed_settings(MINIMAL) == FeedSettings(
        name="btc",
        provider="btcturk-spot",
        symbols=("BTCTRY",),
        channels=("ticker", "trade"),
        timeframes=("1m",),
        archive_uri="archive",
        flush_ms=60_000,
        stale_after_ms=30_000,
        grace_ms=2_000,
        amend_ms=600_000,
        calendar="24x7",
    )


def test_every_field_arrives() -> None:
    manifest = feed(
        provider="binance-spot",
        symbols=["ETHUSDT", "BTCUSDT"],
        channels=["trade", "obdiff"],
        timeframes=["1d", "1h"],
        endpoints={"webSocket": "ws://a:1", "rest": "http://b:2", "history": "http://c:3"},
        storage={"uri": "s3://bucket/archive", "flushInterval": "5s"},
        retention={"trades": "2d", "candles": "48h"},
        staleAfter="1m",
        candles={"grace": "3s", "amendWindow": "1h"},
        backfill={"start": "1970-01-02T00:00:00.250Z"},
    )
    assert feed_settings(manifest) == FeedSettings(
        name="btc",
        provider="binance-spot",
        symbols=("BTCUSDT", "ETHUSDT"),
        channels=("trade", "obdiff"),
        timeframes=("1m", "1h", "1d"),
        archive_uri="s3://bucket/archive",
        endpoints=Endpoints(websocket="ws://a:1", rest="http://b:2", history="http://c:3"),
        flush_ms=5_000,
        stale_after_ms=60_000,
        grace_ms=3_000,
        amend_ms=3_600_000,
        ticks_retention_ms=172_800_000,
        candles_retention_ms=172_800_000,
        backfill_start_ms=86_400_250,
    )


def test_a_feed_of_files_has_no_channels_and_the_sessions_of_its_exchange() -> None:
    settings = feed_settings(load_object((EXAMPLES / "bist-daily-feed.yaml").read_bytes(), "feed.yaml"))
    assert (settings.channels, settings.timeframes, settings.calendar) == ((), ("1d",), "XIST")
    assert settings.endpoints == Endpoints(files="drop")
    assert settings.stale_after_ms == 86_400_000


def test_a_resolved_feed_gives_the_settings_of_the_one_that_a_person_wrote() -> None:
    for path in sorted(EXAMPLES.glob("*-feed.yaml")):
        manifest = load_object(path.read_bytes(), str(path))
        assert feed_settings({**manifest, "spec": resolve(manifest)}) == feed_settings(manifest)


def test_an_unknown_calendar_is_named_with_those_that_are_known() -> None:
    manifest = feed(provider="bist-files", endpoints={"files": "drop"}, calendar="XISTT")
    error = refusal(manifest)
    assert error.field == "spec.calendar"
    assert "did you mean XIST" in error.message


@pytest.mark.parametrize("spelling", ["THYAO.E", "THYAO.IS"])
def test_a_spelling_of_files_is_no_symbol_of_a_feed_of_files(spelling: str) -> None:
    """No file would ever be its own: they go by the canonical name."""
    error = refusal(feed(provider="bist-files", endpoints={"files": "drop"}, symbols=[spelling]))
    assert error.field == "spec.symbols"
    assert f"{spelling} is THYAO" in error.message
    right = feed(provider="bist-files", endpoints={"files": "drop"}, symbols=["THYAO", "THYAO.R"])
    assert feed_settings(right).symbols == ("THYAO", "THYAO.R")


def test_a_venue_that_never_closes_takes_no_calendar() -> None:
    error = refusal(feed(calendar="XIST"))
    assert str(error) == "spec.calendar: btcturk-spot never closes: must be 24x7, is 'XIST'"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("webSocket", "wss://a:70000"),
        ("rest", "https://a:http/"),
        ("history", "https://[::1/"),
        ("rest", "http://:80"),
    ],
)
def test_an_address_that_only_looks_like_one_is_refused(name: str, url: str) -> None:
    error = refusal(feed(endpoints={name: url}))
    assert error.field == f"spec.endpoints.{name}"
    assert error.message.startswith("is no address: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/drop", "http://[::1"])
def test_an_address_of_files_is_looked_at_likewise(url: str) -> None:
    error = refusal(feed(provider="bist-files", endpoints={"files": url}))
    assert str(error).startswith("spec.endpoints.files: is no address: ")


@pytest.mark.parametrize("place", ["drop", "file:///srv/drop", "https://vendor.example/drop/"])
def test_files_may_be_in_a_folder_or_behind_an_address(place: str) -> None:
    assert feed_settings(feed(provider="bist-files", endpoints={"files": place})).endpoints.files == place


def test_everything_that_the_api_server_would_say_is_said_at_once() -> None:
    error = refusal(feed(symbols=["BTC_TRY"], staleAfter="31d"))
    assert error.field == "spec.symbols[0]"
    assert "should match" in error.message
    assert "spec.staleAfter: " in error.message
    assert "must be at most 30d" in error.message


def test_another_kind_is_no_feed() -> None:
    manifest = load_object((EXAMPLES / "btcusdt-1h-sma-cross.yaml").read_bytes(), "run.yaml")
    assert str(refusal(manifest)) == "kind: must be MarketDataFeed here, is BacktestRun"


def test_a_feed_without_a_name_of_its_own_is_refused() -> None:
    error = refusal({**MINIMAL, "metadata": {"generateName": "btc-"}})
    assert error.field == "metadata.name"
    assert error.message == "is needed where there is no API server to make one of generateName"


def test_validate_says_what_the_engine_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "feed.yaml"
    text = (EXAMPLES / "bist-daily-feed.yaml").read_text()
    file.write_text(text)
    assert main(["validate", "-f", str(file)]) == 0
    file.write_text(text.replace("calendar: XIST", "calendar: XMARS"))
    assert main(["validate", "-f", str(file)]) == 10
    assert "spec.calendar: 'XMARS' is no calendar of this engine" in capsys.readouterr().err
