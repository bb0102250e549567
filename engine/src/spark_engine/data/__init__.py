"""Candles: found, read, checked, resampled and recorded, before any strategy sees them."""
