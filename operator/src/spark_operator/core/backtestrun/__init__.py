"""A BacktestRun: from its manifest to one Job an attempt, to one result.

`decide` is the place to start: its list of rules is the specification.
"""
