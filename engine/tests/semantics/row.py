"""One worked rule: what it says, what is given, what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """A script over bars. result: every fill and event, then facts, a line each (`language`)."""

    rule: str
    bars: str
    script: str
    result: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def given(self) -> list[str]:
        parts = [f"bars `{self.bars}`"]
        parts += [f"`{line}`" for line in self.script.split("; ") if line]
        parts += [f"{name} {setting_told(value)}" for name, value in self.settings.items()]
        return parts


@dataclass(frozen=True)
class DataRow:
    """Candles in a file. source: `hh:mm open high low close [volume [quality]]`, a line each, or with a date.

    result: bars and facts.
    """

    rule: str
    source: tuple[str, ...]
    result: tuple[str, ...]
    timeframe: str = "1h"
    request: Mapping[str, Any] = field(default_factory=dict)

    def given(self) -> list[str]:
        asked = ", ".join(f"{name} {value}" for name, value in self.request.items())
        return [
            *(f"`{line}`" for line in self.source),
            f"timeframe {self.timeframe}",
            *([asked] if asked else []),
        ]


@dataclass(frozen=True)
class SignalRow:
    """Closes and a built-in strategy. result: `bar 3: target 1`, a line each."""

    rule: str
    closes: str
    strategy: str
    parameters: Mapping[str, Any]
    result: tuple[str, ...]

    def given(self) -> list[str]:
        named = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        return [f"closes `{self.closes}`", f"{self.strategy}: {named}"]


def setting_told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {setting_told(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(f"{rate} at {hour}h" for hour, rate in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if isinstance(value, str) and " " in value else str(value)
