"""Bars from ticks, and what is known about the time between them. Pure."""
