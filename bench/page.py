"""The measured tables in docs/performance.md, between two marks; the prose around them is written by hand."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from spark_engine.version import __version__

from bench.peers import REQUIREMENTS
from bench.row import HEADINGS, Row

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: python -m bench --write -->", "<!-- /measured -->"


def write(tables: Mapping[str, Sequence[Row]]) -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{_measured(tables)}{END}{after}", encoding="utf-8")


def _measured(tables: Mapping[str, Sequence[Row]]) -> str:
    parts = [f"{_about()}\n"]
    for room, rows in tables.items():
        title = importlib.import_module(f"bench.{room}").__doc__ or room
        parts.append(f"\n**{title.splitlines()[0].rstrip('.')}**\n\n")
        parts.append(_line(HEADINGS) + _line(["---"] * len(HEADINGS)))
        parts += [_line(row.cells()) for row in rows]
    return "".join(parts)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _about() -> str:
    peers = ", ".join(REQUIREMENTS).replace("==", " ")
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {_processor()}, Python {platform.python_version()}, "
        f"engine {__version__}; {peers}. Best of the rounds, the median in parentheses."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
