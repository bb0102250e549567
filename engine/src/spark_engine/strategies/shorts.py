"""Whether the parameters of a strategy ask for shorts that its account does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_engine.errors import InvalidSpec


def check_shorts_allowed(parameters: Mapping[str, Any], *, allow_short: bool) -> None:
    """Raises `InvalidSpec` for a strategy that sells short on an account that may not."""
    if parameters.get("direction") == "long-short" and not allow_short:
        raise InvalidSpec(
            "long-short sells short: set spec.account.allowShort: true, or direction: long",
            field="spec.strategy.params.direction",
        )
