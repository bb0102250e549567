"""Runs in the peers' environment: one JSON request a line in, one JSON answer a line out.

A function takes the candles and its arguments and returns a pair: a call to be timed, and what to tell of
its outcome. Nothing of ours is imported here.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

import numpy as np

CANDLES: dict[str, np.ndarray] = {}
COLUMNS = ("ts", "open", "high", "low", "close", "volume")


def load(path: str) -> dict[str, object]:
    raw = np.fromfile(path, dtype=np.int64)
    rows = len(raw) // len(COLUMNS)
    for place, name in enumerate(COLUMNS):
        column = raw[place * rows : (place + 1) * rows]
        CANDLES[name] = column.copy() if name == "ts" else column.view(np.float64).copy()
    CANDLES.pop("entries", None)
    return {"rows": rows}


def signals(entries: list[int], exits: list[int]) -> dict[str, object]:
    for name, bars in (("entries", entries), ("exits", exits)):
        column = np.zeros(len(CANDLES["ts"]), dtype=bool)
        column[bars] = True
        CANDLES[name] = column
    return {}


def measured(name: str, arguments: dict[str, object]) -> dict[str, object]:
    run, tell = prepared(name, arguments)
    begin = perf_counter()
    outcome = run()
    seconds = perf_counter() - begin
    return {"seconds": seconds, **tell(outcome)}


def prepared(name: str, arguments: dict[str, object]):
    peer, _, function = name.partition(".")
    module = __import__(f"with_{peer}")
    return getattr(module, function)(CANDLES, **arguments)


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a peer prints must not look like an answer
    for line in sys.stdin:
        request = json.loads(line)
        name, arguments = request["name"], request["arguments"]
        own = {"load": load, "signals": signals}.get(name)
        answer = own(**arguments) if own else measured(name, arguments)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
