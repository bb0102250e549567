"""One line of the table: what was measured, beside what, and whether it meets its bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """`bar` is in the words of the issue; `met` None where nothing is asked, or nothing could be measured."""

    work: str
    ours: str
    beside: str
    ratio: str
    bar: str = ""
    met: bool | None = None

    def cells(self) -> list[str]:
        verdict = {True: "yes", False: "NO", None: "-"}[self.met]
        return [self.work, self.ours, self.beside, self.ratio, self.bar, verdict]


HEADINGS = ["work", "ours", "beside", "ours / beside", "must be", "met"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    best: float
    middle: float

    def __str__(self) -> str:
        return f"{shown(self.best)} ({shown(self.middle)})"


def shown(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1000:.2f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def timed(run: Callable[[], object]) -> Callable[[], float]:
    """A call that runs `run` and returns the seconds that it took."""

    def measure() -> float:
        begin = perf_counter()
        run()
        return perf_counter() - begin

    return measure


def interleaved(*measures: Callable[[], float], rounds: int = ROUNDS, batch: int = 1) -> list[Timing]:
    """Best and median seconds of each, taken in turns: the machine's mood hits all of them."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, times in zip(measures, taken, strict=True):
            times.extend(measure() for _ in range(batch))
    return [Timing(min(times), median(times)) for times in taken]


def ratio_row(work: str, ours: Timing, name: str, theirs: Timing, most: float | None = None) -> Row:
    """`most`: how large ours / theirs may be; None where nothing is asked."""
    ratio = ours.best / theirs.best
    written = f"{ratio:.2f}" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"
    if most is None:
        return Row(work, str(ours), f"{name} {theirs}", written)
    bar = f"<= {most:g}" if most >= 1 else f"<= 1/{1 / most:g}"
    return Row(work, str(ours), f"{name} {theirs}", written, bar, ratio <= most)


def limit_row(work: str, ours: str, value: float, most: float, bar: str) -> Row:
    """A row against a number of the issue instead of a neighbour."""
    return Row(work, ours, "", "", bar, value <= most)
