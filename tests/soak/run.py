"""The soak itself: faults with pauses between, samples every few seconds, and everything kept at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.exchange.script import Step, random_script
from tests.soak.folder import MINUTE_MS, Folder, Settings
from tests.soak.processes import Exchange, Feed, cpu_seconds, get, resident_bytes

SAMPLE_SECONDS = 2.0
KEEP_SECONDS = 10.0
SETTLE_SECONDS = 45.0  # of the given time, without faults: the last reconnect, its minute, its history
MOST_OVERTIME_SECONDS = 240.0
AFTER_MINUTE_MS = 90_000  # REST has come round to every symbol, then history has confirmed the minute
KEPT = ("feed_", "btcturk_reconnects")


def soak(folder: Folder, symbols: tuple[str, ...], seed: str, seconds: float) -> None:
    """Returns when both processes have ended. What went wrong with the soak itself is in its settings."""
    settings = Settings(seed, symbols, seconds, ())
    folder.settle(settings)
    exchange = Exchange(folder, symbols, seed)
    try:
        feed = Feed(folder, symbols, exchange.addresses)
        settings = replace(settings, command=feed.command)
        try:
            watch = _Watch(folder, exchange, feed, symbols)
            settings = replace(settings, settled_ms=watch.until_settled(seed, seconds))
            settings = replace(settings, ended_ms=exchange.state()["now_ms"])
        except Exception as error:  # the figures so far are worth more than the traceback
            settings = replace(settings, trouble=f"{type(error).__name__}: {error}")
        finally:
            settings = replace(settings, feed_exit=feed.stop())
        watch.keep()
    finally:
        folder.settle(settings)
        exchange.stop()


class _Watch:
    def __init__(self, folder: Folder, exchange: Exchange, feed: Feed, symbols: tuple[str, ...]) -> None:
        self._folder = folder
        self._exchange = exchange
        self._feed = feed
        self._kept = dict.fromkeys(symbols, 0)
        self._began = time.monotonic()

    def until_settled(self, seed: str, seconds: float) -> int:
        """Faults for the time given, then none until the feed is whole again; until when it then is."""
        self._until(lambda: self._sample() == "live", most=60.0)
        self._began = time.monotonic()
        faulty = max(seconds - SETTLE_SECONDS, seconds / 2)
        due = _times(random_script(seed, round(faulty), tuple(self._kept), pause_seconds=_pauses(seconds)))
        at, step = next(due)
        sample_at = keep_at = told_at = 0.0
        while (now := self._elapsed()) < faulty:
            if now >= at:
                with self._going_on():
                    self._exchange.inject(step.fault)
                at, step = next(due)
            if now >= sample_at:
                self._sample()
                sample_at = now + SAMPLE_SECONDS
            if now >= keep_at:
                with self._going_on():
                    self.keep()
                keep_at = now + KEEP_SECONDS
            if now >= told_at:
                sys.stderr.write(f"  {now:.0f} of {seconds:.0f} s, {sum(self._kept.values())} trades\n")
                told_at = now + 60.0
            time.sleep(max(0.0, min(at, sample_at, keep_at) - self._elapsed()))
        return self._settled(seconds)

    def keep(self) -> None:
        """What the exchange knows is ours, whatever becomes of it."""
        for symbol, count in self._kept.items():
            lines = self._exchange.ledger(symbol, count)
            self._folder.add_trades(symbol, lines)
            self._kept[symbol] += lines.count(b"\n")
        self._folder.keep_faults(self._exchange.faults())

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """An answer that the exchange's control port owes us is no reason to end an hour's work."""
        try:
            yield
        except OSError as error:
            self._folder.add_sample({"at_ns": time.time_ns(), "trouble": f"{type(error).__name__}: {error}"})

    def _settled(self, seconds: float) -> int:
        """Live ever since a minute that is over for long enough."""
        until = seconds + MOST_OVERTIME_SECONDS
        minute = self._next_minute_ms()
        while self._elapsed() < until:
            time.sleep(SAMPLE_SECONDS)
            with self._going_on():
                if self._sample() != "live" or self._fault_is_on():
                    minute = self._next_minute_ms()
                now_ms = self._exchange.state()["now_ms"]
                if now_ms >= minute + AFTER_MINUTE_MS and self._elapsed() >= seconds:
                    return minute
        raise RuntimeError("the feed did not become live and stay so after the last fault")

    def _next_minute_ms(self) -> int:
        return -(-int(self._exchange.state()["now_ms"]) // MINUTE_MS) * MINUTE_MS

    def _fault_is_on(self) -> bool:
        return any(fault["ended_ms"] is None for fault in json.loads(self._exchange.faults()))

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _until(self, condition: Callable[[], bool], most: float) -> None:
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > most:
                raise RuntimeError(f"the feed was not live within {most:g} s")
            time.sleep(0.5)

    def _sample(self) -> str:
        """Whether the feed is live: 'live', or why not. A sample that fails is kept as such."""
        if not self._feed.running:
            raise RuntimeError("the feed has ended by itself")
        sample: dict[str, Any] = {"at_ns": time.time_ns(), "load": os.getloadavg()[0]}
        live = ""
        with _told(sample):
            sample["rss"] = resident_bytes(self._feed.pid)
            sample["cpu"] = cpu_seconds(self._feed.pid)
            (health,) = json.loads(get(f"{self._feed.url}/api/feeds/health"))
            sample["metrics"] = _metrics(get(f"{self._feed.url}/metrics").decode())
            sample["true_offset_ms"] = self._exchange.state()["offset_ms"]
            states = {each.pop("state") for each in health["symbols"]}
            live = "live" if health["fresh"] and states == {"live"} else ", ".join(health["notFresh"])
            sample["health"] = {name: value for name, value in health.items() if name != "symbols"}
        sample["live"] = live
        self._folder.add_sample(sample)
        return live


def _pauses(seconds: float) -> tuple[float, float]:
    """Faults come thick in a short soak; a long one has time for a connection to be stable in between."""
    return (1.0, 6.0) if seconds <= 300 else (3.0, 40.0)


def _times(script: tuple[Step, ...]) -> Iterator[tuple[float, Step]]:
    at = 0.0
    for step in script:
        at += step.after_seconds
        yield at, step


def _metrics(text: str) -> dict[str, float]:
    return {
        sample.name
        + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(KEPT) and "symbol" not in sample.labels
    }


@contextmanager
def _told(sample: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        sample["failed"] = f"{type(error).__name__}: {error}"
