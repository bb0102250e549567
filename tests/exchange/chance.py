"""Chance that a seed repeats."""

from __future__ import annotations

import random


def seeded(*parts: object) -> random.Random:
    """A generator that the parts decide, in every process alike."""
    return random.Random("|".join(map(str, parts)))  # noqa: S311 - a repeatable sequence is wanted
