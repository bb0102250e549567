"""Percentiles of lag out of the feed's own histogram, apart by whether a fault was meant to make it.

The rule: two samples of /metrics in a row are an interval. It is *delayed* when one of `faults.DELAYS` was on
in it or had ended less than 10 s before, or when the socket was not open at one of its ends, or a connection
ended in it or less than 10 s before: what comes then was held back by the fault. All others are *usual*.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

from tests.soak.faults import DELAYED_SECONDS, DELAYS, SECOND_NS, Fault, spans

Sample = dict[str, Any]
Stage = Literal["receipt", "archive"]
Buckets = Counter[float]  # by upper bound in seconds
RULE = f"""Lag is a fault's where a fault that holds data back or lies about time was on, or a connection
  was down or had ended, at that moment or in the {DELAYED_SECONDS:g} s before. All other lag is usual, that
  under any other fault too."""
BUCKET = "feed_lag_seconds_bucket,le={},stage={}"


def lag_buckets(
    samples: Sequence[Sample], faults: Sequence[Fault], stage: Stage, *, delayed: bool
) -> Buckets:
    """How many trades had up to so much lag (and more than the bound before it)."""
    found: Buckets = Counter()
    for before, after, was_delayed in _intervals(samples, faults):
        if was_delayed is delayed:
            found.update(_added(before["metrics"], after["metrics"], stage))
    return found


def percentile_ms(buckets: Buckets, percent: float) -> float:
    """Between the bounds of its bucket as Prometheus takes it; NaN without a sample."""
    wanted = buckets.total() * percent / 100
    seen, below = 0, 0.0
    for bound in sorted(buckets):
        count = buckets[bound]
        if count and seen + count >= wanted:
            if math.isinf(bound):
                return math.inf
            return 1000 * (below + (bound - below) * (wanted - seen) / count)
        seen, below = seen + count, bound
    return math.nan


def _intervals(samples: Sequence[Sample], faults: Sequence[Fault]) -> Iterator[tuple[Sample, Sample, bool]]:
    held_back = spans(faults, DELAYS, DELAYED_SECONDS)
    offline_until = 0
    good = [sample for sample in samples if "health" in sample]
    for before, after in pairwise(good):
        begin, end = before["at_ns"], after["at_ns"]
        states = before["health"], after["health"]
        if (
            not (states[0]["wsUp"] and states[1]["wsUp"])
            or states[0]["reconnects"] != states[1]["reconnects"]
        ):
            offline_until = end + round(DELAYED_SECONDS * SECOND_NS)
        faulty = any(first <= end and begin <= last for first, last in held_back)
        yield before, after, faulty or begin < offline_until


def _added(before: dict[str, float], after: dict[str, float], stage: Stage) -> Buckets:
    """Buckets of Prometheus count everything below as well."""
    bounds = sorted(
        (math.inf if name[3:] == "+Inf" else float(name[3:]), name[3:])
        for name, stage_name in (
            key.split(",")[1:] for key in after if key.startswith("feed_lag_seconds_bucket,")
        )
        if stage_name == f"stage={stage}"
    )
    found: Buckets = Counter()
    below = 0.0
    for bound, text in bounds:
        key = BUCKET.format(text, stage)
        up_to = after[key] - before.get(key, 0.0)
        found[bound] = round(up_to - below)
        below = up_to
    return found
