"""Live market data: venues in, an archive of candles and ticks out, and an honest account of time between."""
