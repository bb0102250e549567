"""What a resolved spec must hold, so that a run.json that nobody resolved is refused by field.

The resolver guarantees this; a pod cannot know who wrote the file, and carries no schema to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spark_crds.canonical import canonical

from spark_engine.errors import InvalidSpec
from spark_engine.settings import value_at

Spec = Mapping[str, Any]
Allowed = tuple[str, Callable[[Any], bool]]

OBJECT: Allowed = ("an object", lambda value: isinstance(value, Mapping))
BOOLEAN: Allowed = ("true or false", lambda value: isinstance(value, bool))
TEXT: Allowed = ("a text", lambda value: isinstance(value, str) and value != "")
DECIMAL: Allowed = ('a decimal in quotes, as "10.5"', lambda value: isinstance(value, str))
INTEGER: Allowed = ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))


def one_of(*choices: str) -> Allowed:
    """Exactly one of these texts."""
    return (" or ".join(choices), lambda value: isinstance(value, str) and value in choices)


FIELDS: tuple[tuple[str, Allowed], ...] = (
    ("strategy", OBJECT),
    ("strategy.params", OBJECT),
    ("market", OBJECT),
    ("market.symbol", TEXT),
    ("market.timeframe", TEXT),
    ("market.calendar", TEXT),
    ("data", OBJECT),
    ("account", OBJECT),
    ("account.initialCash", DECIMAL),
    ("account.allowShort", BOOLEAN),
    ("account.leverage", DECIMAL),
    ("account.marginModel", one_of("None", "Isolated")),
    ("account.currency", TEXT),
    ("execution", OBJECT),
    ("execution.fill", one_of("NextOpen", "NextClose")),
    ("execution.makerFeeBps", DECIMAL),
    ("execution.takerFeeBps", DECIMAL),
    ("execution.slippageBps", DECIMAL),
    ("execution.sizing", one_of("AllIn", "FixedQuantity", "FixedNotional", "EquityFraction")),
    ("execution.closeAtEnd", BOOLEAN),
    ("execution.limitFill", one_of("Touch", "Through")),
    ("execution.intrabarPath", one_of("CloseDirection", "Worst")),
    ("seed", INTEGER),
)
OPTIONAL: tuple[tuple[str, Allowed], ...] = (
    ("strategy.name", TEXT),
    ("strategy.entryPoint", TEXT),
    ("market.tickSize", DECIMAL),
    ("market.lotSize", DECIMAL),
    ("market.minNotional", DECIMAL),
    ("account.maintenanceMargin", DECIMAL),
    ("account.liquidationFeeBps", DECIMAL),
    ("account.borrowRateAnnual", DECIMAL),
    ("execution.size", DECIMAL),
    ("execution.resolveWith", TEXT),
    ("data.adjustmentUri", TEXT),
    ("data.fundingUri", TEXT),
)


def _refuse_feed(spec: Spec) -> None:
    """The operator knows where the archive of a feed is, and puts that into `data.uri`."""
    if value_at(spec, "data.feedRef") is not None:
        raise InvalidSpec(
            "names a MarketDataFeed, which the operator of a cluster resolves; here name the archive that "
            "the feed writes: --data FOLDER (or s3://...), or spec.data.uri in its place",
            field="spec.data.feedRef",
        )


def check_resolved(spec: Spec) -> None:
    """Raises `InvalidSpec` for the first field that is missing or of another kind."""
    _refuse_feed(spec)
    for path, kind in FIELDS:
        _check_kind(path, value_at(spec, path), kind)
    for path, kind in OPTIONAL:
        value = value_at(spec, path)
        if value is not None:
            _check_kind(path, value, kind)
    try:
        canonical(spec)
    except (ValueError, RecursionError) as error:
        raise InvalidSpec(f"has no canonical form: {error}", field="spec") from None


def _check_kind(path: str, value: Any, kind: Allowed) -> None:
    allowed, fits = kind
    if not fits(value):
        found = "is missing" if value is None else f"is {value!r:.60}"
        raise InvalidSpec(f"must be {allowed}, {found}", field=f"spec.{path}")
