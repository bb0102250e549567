"""Every row of the issue's table, beside the real peers: `make bench`.

python -m bench [--full] [--only ROOM ...] [--write]
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench import page
from bench.peers import Peers
from bench.row import HEADINGS, Row
from bench.table import print_table

ROOMS = (
    "warm_run",
    "cold_process",
    "event_strategy",
    "order_strategy",
    "parameter_sets",
    "many_bars",
    "feed_decode",
    "feed_load",
)
FULL = ("linear_cost",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also show that cost is linear (minutes)")
    parser.add_argument("--only", choices=(*ROOMS, *FULL), nargs="+", help="these rooms only")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in {page.PAGE}")
    options = parser.parse_args()
    rooms = options.only or (*ROOMS, *(FULL if options.full else ()))
    tables: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder, Peers(Path(folder)) as peers:
        for room in rooms:
            module = importlib.import_module(f"bench.{room}")
            rows = list(_watched(module.rows(peers)))
            tables[room] = rows
            print_table(module.__doc__.splitlines()[0].rstrip("."), HEADINGS, [row.cells() for row in rows])
    missed = [row.work for rows in tables.values() for row in rows if row.met is False]
    print(f"\n  {'every bar is met' if not missed else 'missed: ' + '; '.join(missed)}")
    if options.write:
        page.write(tables)
    return 0


def _watched(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        sys.stderr.write(f"  {row.work}: {row.ours}\n")
        yield row


if __name__ == "__main__":
    sys.exit(main())
