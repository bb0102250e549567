"""What a run and a sweep are told in the same words: candles, limits, edits, where to write, how to probe."""

from __future__ import annotations

import argparse

DEFAULT_DIRECTORY = "runs"


def add_inputs(parser: argparse.ArgumentParser, data: str) -> None:
    """The options; `data` is the field that `--data` stands for."""
    parser.add_argument("--data", metavar="URI", help=f"read candles from here instead of {data}")
    parser.add_argument(
        "--guardrails", metavar="FILE", help="limits to run under: a GuardrailConfig, or its limits alone"
    )
    parser.add_argument(
        "--set",
        dest="edits",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="change a field of the spec",
    )
    parser.add_argument(
        "--out", metavar="DIR", help=f"artifact directory (default: {DEFAULT_DIRECTORY}/<name>-<digest>)"
    )
    parser.add_argument(
        "--probe",
        choices=("quick", "full", "off"),
        default="quick",
        help="how hard a strategy of your own is searched for look-ahead (default: quick)",
    )
