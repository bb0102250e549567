"""The captured frames and requests, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Captured = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def captured(market_data: Callable[[str], Path]) -> Captured:
    lines = map(json.loads, market_data("btcturk_frames.jsonl").read_text().splitlines())
    return {line["name"]: line for line in lines if "name" in line}


def shape(value: object) -> object:
    """Names in order and types of values; a list is its first item's. All numbers are alike: a price that
    is an integer today has decimals tomorrow."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__
