"""Binance spot, its public data only."""
