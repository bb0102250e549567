"""What this engine cannot honour yet. Such a spec is refused, never run as if the field were not there.

The list is the specification: a row goes when its feature lands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spark_engine.errors import InvalidSpec
from spark_engine.settings import value_at

Spec = Mapping[str, Any]


def absent(path: str) -> Callable[[Spec], None]:
    """Refuses the field at `path` altogether."""

    def check(spec: Spec) -> None:
        if value_at(spec, path) is not None:
            raise InvalidSpec("is not supported by this engine yet; leave it out", field=f"spec.{path}")

    return check


CHECKS: tuple[Callable[[Spec], None], ...] = (absent("data.feedRef"),)


def check_honoured(spec: Spec) -> None:
    """Raises `InvalidSpec` for the first field of a resolved spec that would otherwise be ignored."""
    for check in CHECKS:
        check(spec)
