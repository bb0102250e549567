# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, import-not-found, valid-type, no-any-return, untyped-decorator"
"""Every half of combinatorially symmetric cross-validation (compiled; the rules of `simulation.kernel` hold).

Sums over blocks are made in block order, for 64 trials at a time in arrays of their own, which nothing else
overlaps: so they become vectors. A half and its complement are looked at together, each as the training of
the other.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.libc.math import sqrt
else:
    from math import sqrt

BLOCKS = cython.declare(cython.Py_ssize_t, 16)
LEAST_VARIANCE = cython.declare(cython.double, 1e-9)


def by_block(rows: cython.const[cython.double][::1], columns: cython.double[::1]) -> None:
    """Row-major to column-major: 16 values a trial become 16 columns."""
    trials: cython.Py_ssize_t = len(rows) // 16
    trial: cython.Py_ssize_t
    block: cython.Py_ssize_t
    with cython.nogil:
        for trial in range(trials):
            for block in range(BLOCKS):
                columns[block * trials + trial] = rows[trial * BLOCKS + block]


def halves(
    s1: cython.const[cython.double][::1],
    s2: cython.const[cython.double][::1],
    returns: cython.Py_ssize_t,
    one: cython.double[::1],
    other: cython.double[::1],
) -> tuple[int, int, int]:
    """Halves, those whose best trial ranks in the lower half of the other, those where it then loses.

    s1, s2: sums of returns and of their squares, 16 columns of trials; `returns`: in a half, at least 2.
    one, other: scratch, a value a trial.
    """
    trials: cython.Py_ssize_t = len(one)
    mask: cython.int
    count: cython.Py_ssize_t = 0
    low: cython.Py_ssize_t = 0
    negative: cython.Py_ssize_t = 0
    best: cython.Py_ssize_t
    with cython.nogil:
        for mask in range(1, 65536, 2):  # the half with the first block; its complement has it not
            if _size(mask) != 8:
                continue
            _score(s1, s2, mask, returns, one)
            _score(s1, s2, mask ^ 65535, returns, other)
            count += 2
            best = _best(one, trials)
            low += _is_low(other, trials, best)
            negative += other[best] < 0.0
            best = _best(other, trials)
            low += _is_low(one, trials, best)
            negative += one[best] < 0.0
    return count, low, negative


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _size(mask: cython.int) -> cython.int:
    size: cython.int = 0
    block: cython.int
    for block in range(16):
        size += (mask >> block) & 1
    return size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _score(
    s1: cython.const[cython.double][::1],
    s2: cython.const[cython.double][::1],
    mask: cython.int,
    returns: cython.Py_ssize_t,
    scores: cython.double[::1],
) -> cython.void:
    """The Sharpe ratio of each trial over the blocks of `mask`; 0 where its returns do not vary."""
    trials: cython.Py_ssize_t = scores.shape[0]
    first: cython.Py_ssize_t
    block: cython.Py_ssize_t
    lane: cython.Py_ssize_t
    width: cython.Py_ssize_t
    place: cython.Py_ssize_t
    n: cython.double = returns
    total = cython.declare(cython.double[64])
    squares = cython.declare(cython.double[64])
    spread: cython.double
    flat: cython.bint
    for first in range(0, trials, 64):
        width = min(64, trials - first)
        for lane in range(64):
            total[lane] = 0.0
            squares[lane] = 0.0
        for block in range(BLOCKS):
            if (mask >> block) & 1:
                place = block * trials + first
                for lane in range(width):
                    total[lane] += s1[place + lane]
                    squares[lane] += s2[place + lane]
        for lane in range(width):
            spread = squares[lane] - total[lane] * total[lane] / n
            flat = spread <= LEAST_VARIANCE * squares[lane]
            spread = 1.0 if flat else spread
            scores[first + lane] = 0.0 if flat else (total[lane] / n) / sqrt(spread / (n - 1.0))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _best(scores: cython.double[::1], trials: cython.Py_ssize_t) -> cython.Py_ssize_t:
    best: cython.Py_ssize_t = 0
    trial: cython.Py_ssize_t
    for trial in range(1, trials):
        if scores[trial] > scores[best]:
            best = trial
    return best


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_low(
    scores: cython.double[::1], trials: cython.Py_ssize_t, chosen: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Whether average rank/(trials + 1) <= 1/2: rank = below + (equal + 1)/2, doubled to stay whole."""
    below: cython.Py_ssize_t = 0
    equal: cython.Py_ssize_t = 0
    trial: cython.Py_ssize_t
    value: cython.double = scores[chosen]
    for trial in range(trials):
        below += scores[trial] < value
        equal += scores[trial] == value
    return 1 if 2 * below + equal + 1 <= trials + 1 else 0
