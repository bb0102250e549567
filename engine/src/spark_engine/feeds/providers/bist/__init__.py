"""Borsa Istanbul by files: what a drop holds, against the calendar, and what changed since the last one."""
