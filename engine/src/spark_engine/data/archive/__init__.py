"""An archive of a feed as a source of candles, at a pinned digest."""
