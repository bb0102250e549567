"""When the feed had no connection, and which ends of connections no fault explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tests.soak.faults import ENDS_CONNECTIONS, SECOND_NS, Fault, spans
from tests.soak.lag import Sample

RECONNECTS = "feed_reconnects_total,reason="
SAMPLE_SLACK_NS = SECOND_NS // 2


def reconnects(samples: Sequence[Sample]) -> Counter[str]:
    """By reason, of the whole soak."""
    last: dict[str, float] = next(
        (sample["metrics"] for sample in reversed(samples) if "metrics" in sample), {}
    )
    return Counter({_reason(key): int(value) for key, value in last.items() if _counts(key) and value})


def unexplained(samples: Sequence[Sample], faults: Sequence[Fault]) -> list[str]:
    """Ends of connections and attempts in vain while nothing was on that may have caused them."""
    found = []
    excused = _excused(faults)
    good = [sample for sample in samples if "metrics" in sample]
    for before, after in pairwise(good):
        begin, end = before["at_ns"] - SAMPLE_SLACK_NS, after["at_ns"]
        if any(first <= end and begin <= last for first, last in excused):
            continue
        for key, value in after["metrics"].items():
            if _counts(key):
                new = round(value - before["metrics"].get(key, 0.0))
                found += [f"{_reason(key)} at {after['at_ns'] // SECOND_NS}"] * new
    return found


def withheld_ms(samples: Sequence[Sample], faults: Sequence[Fault]) -> list[tuple[int, int]]:
    """By the exchange's clock: faults that end connections or withhold trades, and times without an open
    connection. Three seconds are added before: a trade may say that it is older, or younger, than it is."""
    offset_ms = next((sample["true_offset_ms"] for sample in samples if "true_offset_ms" in sample), 0.0)
    slack = 3 * SECOND_NS
    offline = [
        (before["at_ns"], after["at_ns"])
        for before, after in pairwise([sample for sample in samples if "health" in sample])
        if not (before["health"]["wsUp"] and after["health"]["wsUp"])
        or before["health"]["reconnects"] != after["health"]["reconnects"]
    ]
    return [
        (int((first - slack) // 1_000_000 + offset_ms), int((last + slack) // 1_000_000 + offset_ms))
        for first, last in [*_excused(faults), *offline]
    ]


def _excused(faults: Sequence[Fault]) -> list[tuple[int, int]]:
    return [span for name, seconds in ENDS_CONNECTIONS.items() for span in spans(faults, (name,), seconds)]


def _counts(key: str) -> bool:
    return key.startswith(RECONNECTS)


def _reason(key: str) -> str:
    return key.removeprefix(RECONNECTS)
