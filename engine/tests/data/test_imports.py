"""Reading candles costs a pod no import that it could do without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_reading_a_file_imports_nothing_heavy(
    suffix: str,
    bars: Callable[..., dict[str, list[Any]]],
    parquet: Callable[..., Path],
    csv: Callable[..., Path],
    heavy_packages: frozenset[str],
) -> None:
    columns = bars(50)
    rows = zip(*columns.values(), strict=True)
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows)
    if suffix == ".parquet":
        path = parquet(columns)
    elif suffix == ".csv":
        path = csv(text)
    else:
        import gzip

        path = csv(gzip.compress(text.encode()), "x.csv.gz")
    script = (
        "import sys\n"
        "from spark_engine.data.read import read_candles\n"
        "from spark_engine.data.request import CandleRequest\n"
        "assert len(read_candles(CandleRequest(sys.argv[1], 'BTCUSDT', '1h'))) == 50\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    modules = set(finished.stdout.split())
    assert "arro3" in modules
    assert modules & (heavy_packages | {"obstore", "asyncio"}) == set()
