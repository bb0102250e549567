"""A feed under faults: `python -m tests.soak --for 60m --seed 1`, and `--compare DIR` to look at it again."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from spark_crds.durations import duration_ms

from bench.table import print_table
from tests.exchange.listings import many_symbols
from tests.soak.folder import Folder
from tests.soak.lag import RULE
from tests.soak.report import Figure, figures
from tests.soak.run import soak


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bar is met, 1 when not."""
    options = _parser().parse_args(arguments)
    if options.compare is not None:
        folder = Folder(options.compare)
    else:
        folder = Folder(options.folder or Path(tempfile.mkdtemp(prefix="spark-soak-")))
        print(f"soak for {options.duration}, kept in {folder.path}", flush=True)
        soak(folder, many_symbols(options.symbols), options.seed, duration_ms(options.duration) / 1000)
    return _told(figures(folder), folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--for", dest="duration", default="60m", metavar="DURATION", help="as 90s, 60m")
    parser.add_argument("--seed", default="1", help="of the market and the faults")
    parser.add_argument("--symbols", type=int, default=8, help="how many pairs")
    parser.add_argument("--folder", type=Path, help="where everything is kept (default: a new one in /tmp)")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="only compare what an earlier soak kept")
    return parser


def _told(found: Sequence[Figure], folder: Folder) -> int:
    verdicts = {True: "yes", False: "NO", None: "-"}
    rows = [[each.name, each.value, each.bar, verdicts[each.met]] for each in found]
    print_table("Soak of a feed", ["figure", "value", "must be", "met"], rows)
    print(f"\n  {RULE}")
    missed = [each.name.strip() for each in found if each.met is False]
    print(f"\n  {'every bar is met' if not missed else 'missed: ' + '; '.join(missed)}")
    print(f"  kept in {folder.path}; python -m tests.soak --compare {folder.path} looks at it again")
    return 1 if missed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the feed and the exchange end with it
    sys.exit(main())
