"""Sweeps: which parameter sets there are, which are tried, by whom, and which is best. Pure."""
