"""What a feed must know before the first message: what the venue trades, and where the archive left off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from msgspec.structs import replace as replaced

from spark_engine.data.request import timeframe_ms
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.pipeline.rules import MINUTE, MINUTE_MS, remembered
from spark_engine.feeds.pipeline.symbol import SymbolFeed
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError, RestUnavailable
from spark_engine.feeds.run.health import Vitals
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.settings import FeedSettings

PATIENCE_SECONDS: Final = 10.0  # a longer wait is told, not sat out in silence


@dataclass(frozen=True, slots=True)
class Preparation:
    """`again`: how long to wait after REST failed, beside what the venue says.
    `listing_seconds`: until the venue is asked anew when it trades none of the symbols."""

    settings: FeedSettings
    provider: StreamProvider
    rest: RestClient
    keeper: Keeper
    vitals: Vitals
    report: Callable[[str], None]
    again: Backoff
    listing_seconds: float

    async def instruments(self) -> Mapping[str, Instrument]:
        """Those of the feed, as wide as the archive has them; at least one, however long that takes."""
        self.vitals.problem = "it has not said yet what it trades"
        while True:
            try:
                answer = await self.rest.get(self.provider.instruments(), patience=PATIENCE_SECONDS)
            except RestError as error:
                self.vitals.problem = f"the venue's symbols are not to be had: {error}"
                self.report(self.vitals.problem)
                told = error.retry_in if isinstance(error, RestUnavailable) else None
                await asyncio.sleep(self.again.delay(floor=told or 0.0))
                continue
            found = self._known(answer.value)
            if found:
                self.vitals.problem = None
                return {symbol: await self._widened(each) for symbol, each in found.items()}
            self.vitals.problem = f"it trades none of spec.symbols: {', '.join(self.settings.symbols)}"
            await asyncio.sleep(self.listing_seconds)

    async def resume(self, feed: SymbolFeed) -> None:
        """With the latest time in the archive."""
        held = await self.keeper.insist(lambda archive: self._held(archive, feed.symbol))
        feed.resume(*held)

    def _known(self, listed: Mapping[str, Instrument]) -> dict[str, Instrument]:
        unknown = [symbol for symbol in self.settings.symbols if symbol not in listed]
        self.vitals.unknown = tuple(unknown)
        for symbol in unknown:
            near = get_close_matches(symbol, listed, n=3, cutoff=0.6)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            self.report(f"spec.symbols: {self.provider.name} does not trade {symbol}{hint}")
        known = {symbol: listed[symbol] for symbol in self.settings.symbols if symbol in listed}
        for symbol, instrument in known.items():
            if not instrument.trading:
                self.report(f"{symbol}: {self.provider.name} lists it, and does not trade it at present")
        return known

    async def _widened(self, instrument: Instrument) -> Instrument:
        scales = await self.keeper.insist(lambda archive: archive.scales(instrument.symbol))
        price, quantity = scales or (0, 0)
        return replaced(
            instrument,
            price_scale=max(price, instrument.price_scale),
            quantity_scale=max(quantity, instrument.quantity_scale),
        )

    def _held(
        self, archive: Archive, symbol: str
    ) -> tuple[
        list[MarketTick],
        list[Candle],
        dict[str, list[Candle]],
        tuple[Interval, ...],
        tuple[Interval, ...],
    ]:
        """As `SymbolFeed.resume` takes it."""
        settings = self.settings
        covered_ticks = archive.coverage(symbol)
        end_ms = covered_ticks[-1].to_ms if covered_ticks else 0
        since_ms = end_ms // MINUTE_MS * MINUTE_MS - settings.amend_ms - settings.grace_ms - MINUTE_MS
        ticks = archive.ticks_since(
            symbol, max(0, since_ms), least=remembered(self.provider.recent_ticks_most)
        )
        longest_ms = max(timeframe_ms(timeframe) for timeframe in settings.timeframes)
        unsettled_ms = longest_ms + settings.amend_ms + settings.grace_ms
        minutes = archive.last_candles(symbol, MINUTE, unsettled_ms // MINUTE_MS + 2)
        larger = {
            timeframe: archive.last_candles(
                symbol, timeframe, settings.amend_ms // timeframe_ms(timeframe) + 2
            )
            for timeframe in settings.timeframes
            if timeframe != MINUTE
        }
        return ticks, minutes, larger, covered_ticks, archive.coverage(symbol, MINUTE)
