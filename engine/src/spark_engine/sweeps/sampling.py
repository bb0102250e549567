"""Random search: sets drawn without replacement by a counter through SHA-256, alike on every machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

PREFIX = b"spark-sweep-v1"
WORD = 2**64
DRAWS_A_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class Sample:
    """`ids` ascending. `complete`: as many as were asked for; else the draws came to an end before."""

    ids: tuple[int, ...]
    draws: int
    complete: bool


def draw(seed: int, counter: int) -> int:
    """Draw `counter` of the sequence of `seed`: the first 8 bytes of the hash, little-endian."""
    message = PREFIX + seed.to_bytes(8, "little") + counter.to_bytes(8, "little")
    return int.from_bytes(sha256(message).digest()[:8], "little")


def sample(size: int, samples: int, seed: int, is_trial: Callable[[int], bool]) -> Sample:
    """`samples` different trials of the `size` sets.

    Draws beyond the largest multiple of `size` are rejected, so that every set is equally likely; sets that
    are no trials or were drawn before are skipped. At most 64 draws a sample (SEMANTICS section 9).
    """
    limit = WORD // size * size
    found: set[int] = set()
    counter = 0
    while len(found) < samples and counter < DRAWS_A_SAMPLE * samples:
        drawn = draw(seed, counter)
        counter += 1
        if drawn < limit and (trial := drawn % size) not in found and is_trial(trial):
            found.add(trial)
    return Sample(tuple(sorted(found)), counter, len(found) == samples)
