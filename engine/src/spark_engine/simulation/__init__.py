"""The simulation: signals on exact ticks, fills, and the account, bar by bar. Pure functions of values."""
