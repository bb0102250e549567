"""Which ids a shard owns."""

from __future__ import annotations


def shard(size: int, index: int, count: int) -> range:
    """Shard `index` of `count` over `size` sets: [floor(index*size/count), floor((index+1)*size/count)).

    0 <= index < count. The shards cover every id once and differ in size by one at most.
    """
    if not 0 <= index < count:
        raise ValueError(f"there is no shard {index} of {count}")
    return range(index * size // count, (index + 1) * size // count)
