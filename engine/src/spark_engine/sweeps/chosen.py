"""Which sets a sweep tries, in order: all that meet the condition, or a sample; in all, or of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.sweeps.sampling import Sample, sample
from spark_engine.sweeps.shards import shard
from spark_engine.sweeps.space import Space


@dataclass(frozen=True, slots=True)
class Chosen:
    """`count`: trials of the whole sweep. `drawn`: of a random search, else None."""

    space: Space
    count: int
    drawn: Sample | None

    def ids(self, index: int = 0, count: int = 1) -> Iterator[int]:
        """The trials of shard `index` of `count`, ascending."""
        owned = shard(self.space.size, index, count)
        if self.drawn is None:
            return self.space.trials(owned.start, owned.stop)
        return (trial for trial in self.drawn.ids if owned.start <= trial < owned.stop)

    def count_of(self, index: int, count: int) -> int:
        """How many trials the shard has."""
        return self.count if count == 1 else sum(1 for _ in self.ids(index, count))


def choose(spec: Mapping[str, Any], space: Space) -> Chosen:
    """The trials of a resolved ParameterSweep. Raises `InvalidSpec` where the condition has no value."""
    search = spec["search"]
    if search["mode"] == "Random":
        drawn = sample(space.size, search["samples"], search.get("seed", 0), space.is_trial)
        return Chosen(space, len(drawn.ids), drawn)
    count = space.size if space.where is None else sum(1 for _ in space.trials())
    return Chosen(space, count, None)
