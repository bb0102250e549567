"""Recorded frames of Binance: one a line, the host's nanoseconds, a space, the combined frame."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STREAM = '{"stream":"'
_DATA = '","data":'


@dataclass(frozen=True, slots=True)
class Recorded:
    """`received_ns` is by the clock of the host that recorded, which was behind."""

    received_ns: int
    stream: str
    text: str

    @property
    def data(self) -> str:
        """The frame without its envelope, as a raw stream sends it."""
        return self.text[len(_STREAM) + len(self.stream) + len(_DATA) : -1]


@dataclass(frozen=True)
class Recording:
    """All frames in the order of receipt; the trades among them as objects, with their receipt.
    `behind_ns` is how far the recording clock was behind the venue's, at least."""

    frames: tuple[Recorded, ...]
    trades: tuple[tuple[int, dict[str, Any]], ...]
    behind_ns: int

    @property
    def symbol(self) -> str:
        return self.frames[0].stream.partition("@")[0].upper()


def load(path: Path, limit: int | None = None) -> Recording:
    frames = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            received, _, text = line.rstrip("\n").partition(" ")
            if not text.startswith(_STREAM):
                continue
            stream = text[len(_STREAM) : text.index('"', len(_STREAM))]
            frames.append(Recorded(int(received), stream, text))
            if len(frames) == limit:
                break
    trades = [
        (frame.received_ns, json.loads(frame.data)) for frame in frames if frame.stream.endswith("@trade")
    ]
    behind = max(trade["E"] * 1_000_000 - received for received, trade in trades)
    return Recording(tuple(frames), tuple(trades), behind)
