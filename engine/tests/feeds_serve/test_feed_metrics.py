"""The series of a feed: all there from the start, few, and told of the right things."""

from __future__ import annotations

import math

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from spark_engine.feeds.connection.state import CloseReason
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.pipeline.observer import Observer
from spark_engine.feeds.serve.health import ArchiveHealth, FeedHealth, SymbolHealth
from spark_engine.feeds.serve.metrics import SYMBOL_LABELS_MOST, FeedMetrics

Labels = tuple[tuple[str, str], ...]


def scraped(metrics: FeedMetrics) -> dict[tuple[str, Labels], float]:
    """Every series of a scrape, as Prometheus would store it."""
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(metrics: FeedMetrics, name: str, **labels: str) -> float:
    return scraped(metrics)[name, tuple(sorted(labels.items()))]


def symbols(count: int) -> list[str]:
    return [f"S{number}TRY" for number in range(count)]


def busy(metrics: FeedMetrics, names: list[str], provider: str = "btcturk-spot") -> None:
    """Everything happens at least once, to every symbol and for every reason."""
    for name in names:
        metrics.on_tick(name, 12.0)
        metrics.on_lag("archive", 15.0)
        metrics.on_duplicates(name, 2)
        metrics.on_reordered(name, 1)
        metrics.on_gap(name, "missed", 1500)
        metrics.on_recovered(name, 3)
        metrics.on_filled(name, 4)
        metrics.on_late(name, "amended")
        metrics.on_sequence_break(name)
    for reason in CloseReason:
        metrics.on_reconnect(reason)
    for kind in ("frame", "body", "never-heard-of"):
        metrics.on_malformed(kind)
        metrics.on_notice(kind)
    metrics.on_rest("sent")
    metrics.on_storage_error("full")
    listed = tuple(SymbolHealth(name, Stage.LIVE, last_message_age_ms=500) for name in names)
    metrics.update(FeedHealth("f", provider, ws_up=True, fresh=True, symbols=listed))


@pytest.mark.parametrize("count", [1, 30, SYMBOL_LABELS_MOST, SYMBOL_LABELS_MOST + 1, 400])
def test_a_busy_pod_has_at_most_300_series(count: int) -> None:
    metrics = FeedMetrics("btcturk-spot", symbols(count))
    busy(metrics, symbols(count))
    assert len(scraped(metrics)) <= 300


@pytest.mark.parametrize("provider", ["btcturk-spot", "binance-spot", "bist-files"])
def test_nothing_that_happens_adds_a_series(provider: str) -> None:
    metrics = FeedMetrics(provider, symbols(30))
    before = set(scraped(metrics))
    busy(metrics, [*symbols(30), "NOT-OF-THE-FEED"], provider)
    assert set(scraped(metrics)) == before


def test_every_provider_has_the_feed_series_and_btcturk_its_own_besides() -> None:
    btcturk = {name for name, _ in scraped(FeedMetrics("btcturk-spot", ["BTCTRY"]))}
    binance = {name for name, _ in scraped(FeedMetrics("binance-spot", ["BTCUSDT"]))}
    assert {name for name in btcturk - binance if not name.endswith(("_bucket", "_count", "_sum"))} == {
        "btcturk_ws_up",
        "btcturk_ticks_total",
        "btcturk_reconnects_total",
    }
    assert {"btcturk_ws_lag_ms_bucket", "btcturk_ws_lag_ms_count", "btcturk_ws_lag_ms_sum"} <= btcturk
    assert not any(name.startswith("btcturk_") for name in binance)


def test_before_the_first_connect_the_socket_is_down_and_no_reason_has_counted() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY"])
    assert value(metrics, "btcturk_ws_up") == value(metrics, "feed_ws_up") == 0
    assert value(metrics, "btcturk_ticks_total", symbol="BTCTRY") == 0
    for reason in CloseReason:
        assert value(metrics, "btcturk_reconnects_total", reason=reason.value) == 0


def test_the_buckets_of_the_lag_are_those_of_the_requirement() -> None:
    found = scraped(FeedMetrics("btcturk-spot", ["BTCTRY"]))
    bounds = [float(labels[0][1]) for name, labels in found if name == "btcturk_ws_lag_ms_bucket"]
    assert bounds == [5, 10, 25, 50, 100, 150, 200, 250, 300, 500, 1000, 2500, 5000, math.inf]


def test_a_tick_is_counted_for_its_symbol_with_its_lag() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY", "ETHTRY"])
    metrics.on_tick("ETHTRY", 240.0)
    metrics.on_tick("ETHTRY", 260.0)
    metrics.on_lag("archive", 300.0)
    assert value(metrics, "btcturk_ticks_total", symbol="ETHTRY") == 2
    assert value(metrics, "feed_ticks_total", symbol="BTCTRY") == 0
    assert value(metrics, "btcturk_ws_lag_ms_bucket", le="250.0") == 1
    assert value(metrics, "feed_lag_seconds_sum", stage="receipt") == 0.5
    assert value(metrics, "feed_lag_seconds_count", stage="archive") == 1


def test_a_lag_that_is_not_known_counts_the_tick_alone() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY"])
    metrics.on_tick("BTCTRY", math.nan)
    assert value(metrics, "btcturk_ticks_total", symbol="BTCTRY") == 1
    assert value(metrics, "btcturk_ws_lag_ms_count") == 0
    assert value(metrics, "feed_lag_seconds_count", stage="receipt") == 0


def test_a_reconnect_counts_once_under_both_names() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY"])
    metrics.on_reconnect(CloseReason.REFUSED_429)
    assert value(metrics, "btcturk_reconnects_total", reason="refused_429") == 1
    assert value(metrics, "feed_reconnects_total", reason="refused_429") == 1
    assert value(metrics, "feed_reconnects_total", reason="dropped") == 0


def test_what_is_malformed_in_a_way_of_its_own_counts_as_other() -> None:
    metrics = FeedMetrics("binance-spot", ["BTCUSDT"])
    metrics.on_malformed("frame")
    metrics.on_malformed("a text from the venue")
    assert value(metrics, "feed_parse_errors_total", type="frame") == 1
    assert value(metrics, "feed_parse_errors_total", type="other") == 1


def test_gauges_say_what_the_health_says() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY", "ETHTRY"])
    health = FeedHealth(
        feed="f",
        provider="btcturk-spot",
        ws_up=True,
        fresh=False,
        offset_ms=1270.0,
        offset_bound_ms=12.5,
        drift_ppm=-4.8,
        queue_depth=7,
        symbols=(
            SymbolHealth("BTCTRY", Stage.LIVE, last_message_age_ms=1500),
            SymbolHealth("ETHTRY", Stage.SILENT),
        ),
        archive=ArchiveHealth(commit=9, journal_rows=100, last_flush_ms=1_790_133_600_500),
    )
    metrics.update(health)
    assert value(metrics, "btcturk_ws_up") == 1
    assert value(metrics, "feed_fresh") == 0
    assert value(metrics, "feed_clock_offset_seconds") == 1.27
    assert value(metrics, "feed_clock_offset_bound_seconds") == 0.0125
    assert value(metrics, "feed_clock_drift_ppm") == -4.8
    assert value(metrics, "feed_queue_depth") == 7
    assert value(metrics, "feed_last_message_age_seconds", symbol="BTCTRY") == 1.5
    assert value(metrics, "feed_last_message_age_seconds", symbol="ETHTRY") == math.inf
    assert value(metrics, "feed_subscription_state", state="live") == 1
    assert value(metrics, "feed_subscription_state", state="silent") == 1
    assert value(metrics, "feed_archive_commit") == 9
    assert value(metrics, "feed_archive_journal_rows") == 100
    assert value(metrics, "feed_archive_last_flush_timestamp_seconds") == 1_790_133_600.5


def test_a_clock_that_was_never_compared_is_not_a_clock_without_error() -> None:
    metrics = FeedMetrics("btcturk-spot", ["BTCTRY"])
    for name in ("feed_clock_offset_seconds", "feed_clock_offset_bound_seconds", "feed_clock_drift_ppm"):
        assert math.isnan(value(metrics, name))


def test_with_very_many_symbols_ticks_are_summed_and_the_oldest_message_counts() -> None:
    names = symbols(SYMBOL_LABELS_MOST + 1)
    metrics = FeedMetrics("btcturk-spot", names)
    for name in names:
        metrics.on_tick(name, 1.0)
    ages = tuple(
        SymbolHealth(name, Stage.LIVE, last_message_age_ms=1000 * number) for number, name in enumerate(names)
    )
    metrics.update(FeedHealth("f", "btcturk-spot", ws_up=True, fresh=True, symbols=ages))
    assert value(metrics, "btcturk_ticks_total", symbol="all") == len(names)
    assert value(metrics, "feed_last_message_age_seconds", symbol="all") == len(names) - 1


def test_the_pipeline_can_tell_the_metrics_everything() -> None:
    observer: Observer = FeedMetrics("bist-files", ["THYAO"])
    observer.on_gap("THYAO", "snapshot", 2500)
    assert isinstance(observer, FeedMetrics)
    assert value(observer, "feed_gaps_total", reason="snapshot") == 1
    assert value(observer, "feed_gap_seconds_total", symbol="THYAO") == 2.5
