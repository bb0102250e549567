"""A resolved feed: its provider's defaults filled in, and one form for one meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from spark_crds.feeds import CHANNELS, DEFAULTS, FILE_PROVIDERS, TIMEFRAMES
from spark_crds.resolve import SpecError, resolve, spec_hash
from spark_crds.schema import field_schema


@pytest.fixture
def feed(base_of: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    return base_of("objects_marketdatafeed")


@pytest.fixture
def files(feed: dict[str, Any]) -> dict[str, Any]:
    feed["spec"] = {
        "provider": "bist-files",
        "symbols": ["THYAO"],
        "endpoints": {"files": "drop"},
        "storage": {"uri": "archive"},
    }
    return feed


def test_the_defaults_of_a_feed_that_streams(feed: dict[str, Any]) -> None:
    assert resolve(feed) == {
        "provider": "btcturk-spot",
        "symbols": ["BTCTRY"],
        "channels": ["ticker", "trade"],
        "timeframes": ["1m"],
        "storage": {"uri": "s3://market-data/archive", "flushInterval": "60s"},
        "staleAfter": "30s",
        "candles": {"grace": "2s", "amendWindow": "10m"},
        "calendar": "24x7",
        "suspend": False,
    }


def test_the_defaults_of_a_feed_of_files(files: dict[str, Any]) -> None:
    spec = resolve(files)
    assert "channels" not in spec
    assert (spec["timeframes"], spec["staleAfter"], spec["calendar"]) == (["1d"], "1d", "XIST")


def test_one_minute_is_always_archived_where_trades_are_streamed(
    feed: dict[str, Any], files: dict[str, Any]
) -> None:
    files["spec"]["timeframes"] = ["1w"]
    assert resolve(files)["timeframes"] == ["1w"]
    feed["spec"] = {
        "provider": "binance-spot",
        "symbols": ["A"],
        "storage": {"uri": "a"},
        "timeframes": ["1h"],
    }
    assert resolve(feed)["timeframes"] == ["1m", "1h"]


def test_the_order_of_symbols_channels_and_timeframes_means_nothing(feed: dict[str, Any]) -> None:
    feed["spec"] |= {
        "symbols": ["USDTTRY", "BTCTRY"],
        "channels": ["trade", "ticker"],
        "timeframes": ["1d", "1h", "1m"],
    }
    first = resolve(feed)
    feed["spec"] |= {
        "symbols": ["BTCTRY", "USDTTRY"],
        "channels": ["ticker", "trade"],
        "timeframes": ["1m", "1d", "1h"],
    }
    assert resolve(feed) == first
    assert spec_hash(resolve(feed)) == spec_hash(first)
    assert first["timeframes"] == ["1m", "1h", "1d"]


def test_the_start_of_the_history_is_in_utc(feed: dict[str, Any]) -> None:
    feed["spec"]["backfill"] = {"start": "2026-01-01T03:00:00+03:00"}
    assert resolve(feed)["backfill"] == {"start": "2026-01-01T00:00:00Z"}


def test_a_resolved_feed_resolves_to_itself(object_case: Any) -> None:
    if object_case.kind != "MarketDataFeed" or not object_case.accepted:
        return
    spec = resolve(object_case.manifest)
    assert resolve({**object_case.manifest, "spec": spec}) == spec


def test_the_platforms_defaults_of_runs_are_not_for_feeds(feed: dict[str, Any]) -> None:
    platform = {"engine": {"queueName": "backtests"}, "account": {"initialCash": "1"}, "retries": 0}
    assert resolve(feed, platform) == resolve(feed)


def test_what_is_wrong_is_named(feed: dict[str, Any]) -> None:
    feed["spec"]["channels"] = ["ticker"]
    with pytest.raises(SpecError, match="must hold trade") as caught:
        resolve(feed)
    assert caught.value.field == "spec.channels"


def test_the_resolver_knows_every_provider_channel_and_timeframe_of_the_schema() -> None:
    assert list(DEFAULTS) == field_schema("MarketDataFeed", "spec.provider")["enum"]
    assert list(CHANNELS) == field_schema("MarketDataFeed", "spec.channels[0]")["enum"]
    assert list(TIMEFRAMES) == field_schema("MarketDataFeed", "spec.timeframes[0]")["enum"]
    assert set(FILE_PROVIDERS) < set(DEFAULTS)
