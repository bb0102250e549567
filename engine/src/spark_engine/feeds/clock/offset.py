"""Exchange time minus local time: absolute from REST, pushed up by trades that came too early.

Sources: RFC 5905 (clock filter: trust the quickest of the last eight exchanges), reference/feeds.md 2.5.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from spark_engine.feeds.clock.drift import QuickestTransits

MS: Final = 1_000_000
STAMP_RESOLUTION_NS: Final = MS // 2  # of a stamp in whole ms, taken in its middle
TOLERANCE_PPM: Final = 50.0  # what a crystal may drift unmeasured
SAMPLES: Final = 8
AGREEING: Final = 3  # samples, or trades, that overrule what was believed
STEP_NS: Final = 1_000_000_000
SLEW_PPM: Final = 500.0
EARLY_NS: Final = 250 * MS  # without REST: a trade this much too early is doubted
LATE_NS: Final = 10_000 * MS  # trades are not told so much later from one moment to the next
LATELY_NS: Final = 60_000 * MS


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the venue's clock. offset_ns is off by at most bound_ns at local time `at_ns`."""

    at_ns: int
    offset_ns: int
    bound_ns: int

    def offset_at(self, now_ns: int, drift_ppm: float) -> int:
        return self.offset_ns - round((now_ns - self.at_ns) * drift_ppm / 1e6)

    def bound_at(self, now_ns: int, drift_ppm: float) -> int:
        """Holds while the clock drifts by no more than 50 ppm, whatever the measured drift is worth."""
        widened = abs(now_ns - self.at_ns) * (TOLERANCE_PPM + abs(drift_ppm)) / 1e6
        return self.bound_ns + round(widened) + 1

    def agrees(self, other: Sample, drift_ppm: float) -> bool:
        apart = abs(self.offset_ns - other.offset_at(self.at_ns, drift_ppm))
        return apart <= self.bound_ns + other.bound_at(self.at_ns, drift_ppm)


class OffsetEstimate:
    """The last eight samples, of which the one with the smallest bound counts.

    A sample that contradicts it is put aside; three in a row that agree with one another replace all others:
    the venue's clock was set, or what was believed was a lie.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._aside: list[Sample] = []
        self._best: Sample | None = None
        self.contradictions = 0
        self.replaced = 0

    @property
    def best(self) -> Sample | None:
        """The sample with the smallest bound, of equal ones the newest. All bounds widen at one rate, so it
        stays the best until the next sample."""
        return self._best

    @property
    def doubtful(self) -> bool:
        """The last sample contradicted what is believed: another one is wanted soon."""
        return bool(self._aside)

    def sample(
        self,
        sent_ns: int,
        received_ns: int,
        server_ms: int,
        drift_ppm: float = 0.0,
        most_ns: int | None = None,
    ) -> bool:
        """One exchange, in local times; False for one that is put aside, or whose times run backwards.
        `most_ns`: what contradicts and lies above it is a lie, however often it is said."""
        if received_ns < sent_ns:
            return False
        middle_ns = sent_ns + (received_ns - sent_ns) // 2
        offset_ns = server_ms * MS + STAMP_RESOLUTION_NS - middle_ns
        taken = Sample(middle_ns, offset_ns, (received_ns - sent_ns + 1) // 2 + STAMP_RESOLUTION_NS)
        if self._best is None or taken.agrees(self._best, drift_ppm):
            self._aside.clear()
            self._samples.append(taken)
        elif not self._overrules(taken, drift_ppm, most_ns):
            return False
        self._best = min(reversed(self._samples), key=lambda sample: sample.bound_at(middle_ns, drift_ppm))
        return True

    def _overrules(self, taken: Sample, drift_ppm: float, most_ns: int | None) -> bool:
        self.contradictions += 1
        if most_ns is not None and taken.offset_ns - taken.bound_ns > most_ns:
            return False
        self._aside = [other for other in self._aside if taken.agrees(other, drift_ppm)] + [taken]
        if len(self._aside) < AGREEING:
            return False
        self._samples.clear()
        self._samples.extend(self._aside)
        self._aside.clear()
        self.replaced += 1
        return True


class Clock:
    """The local clock, compensated. All `_ns` arguments are local times (`local_ns`).

    The published offset moves towards its target by at most 500 ppm of the time that passes. It jumps only
    - as long as no trade was timed yet (the first samples),
    - forwards, to a trade that would otherwise have arrived before it happened (never beyond REST's bound),
    - where it is off by more than a second: counted in `steps`.
    `time_ns` never goes backwards, whatever the offset and the local clock do.
    """

    def __init__(self, *, step_ns: int = STEP_NS, slew_ppm: float = SLEW_PPM) -> None:
        self._rest = OffsetEstimate()
        self._quickest = QuickestTransits()
        self._step_ns, self._slew_ppm = step_ns, slew_ppm
        self._offset: int | None = None  # as published at _offset_at
        self._offset_at = 0
        self._timed_at: int | None = None
        self._early: list[int] = []  # offsets that doubted trades in a row would need
        self._shown = 0
        self.steps = 0
        self.implausible = 0  # trades that came from the future

    def observe_rest(self, sent_ns: int, received_ns: int, server_ms: int) -> bool:
        """One answer of server time; False where it contradicts the others and is put aside."""
        replaced = self._rest.replaced
        if not self._rest.sample(sent_ns, received_ns, server_ms, self._drift(), self._most(received_ns)):
            return False
        if self._rest.replaced > replaced or self._floor_contradicts(received_ns):
            self._quickest.forget()
        self._move(received_ns, free=self._timed_at is None)
        return True

    def observe_transit(self, received_ns: int, exchange_ms: int) -> bool:
        """A live trade (not one of a snapshot). False for one of the future: its lag means nothing."""
        needed = exchange_ms * MS - received_ns
        if not self._plausible(received_ns, needed):
            self.implausible += 1
            return False
        self._early.clear()
        self._quickest.add(received_ns, -needed)
        self._timed_at = received_ns
        self._move(received_ns, free=self._offset is None, at_least=needed)
        return True

    @property
    def known(self) -> bool:
        """There is an offset: a sample or a trade was seen."""
        return self._offset is not None

    @property
    def doubtful(self) -> bool:
        """Something contradicts the offset: a sample of server time is wanted soon."""
        return self._rest.doubtful or bool(self._early)

    @property
    def contradictions(self) -> int:
        """Samples of server time that were put aside."""
        return self._rest.contradictions

    @property
    def drift_ppm(self) -> float | None:
        """See `QuickestTransits.drift_ppm`."""
        return self._quickest.drift_ppm

    def offset_ns(self, now_ns: int) -> int:
        """To be added to local time. 0 as long as nothing is known."""
        if self._offset is None:
            return 0
        return self._slewed(now_ns, self._target(now_ns), self._offset)

    def bound_ns(self, now_ns: int) -> int | None:
        """The published offset is wrong by at most this; None without REST: trades bound one side only."""
        best = self._rest.best
        if best is None:
            return None
        drift = self._drift()
        away = abs(self.offset_ns(now_ns) - best.offset_at(now_ns, drift))
        return best.bound_at(now_ns, drift) + away

    def lag_ms(self, received_ns: int, exchange_ms: int) -> float:
        """From the venue's stamp to receipt. Not below 0 once `observe_transit` found the trade plausible."""
        return (received_ns + self.offset_ns(received_ns) - exchange_ms * MS) / MS

    def time_ns(self, now_ns: int) -> int:
        """Exchange time, which stands still rather than go backwards."""
        self._shown = max(self._shown, now_ns + self.offset_ns(now_ns))
        return self._shown

    def _drift(self) -> float:
        return self._quickest.drift_ppm or 0.0

    def _target(self, now_ns: int) -> int:
        """What REST says, pushed up to the floor, never beyond REST's bound; without REST the floor."""
        best = self._rest.best
        if best is None:
            return self._quickest.floor_ns(now_ns)
        drift = self._drift()
        middle = best.offset_at(now_ns, drift)
        if self._quickest.empty or (floor := self._quickest.floor_ns(now_ns)) <= middle:
            return middle
        return min(floor, middle + best.bound_at(now_ns, drift))

    def _highest(self, best: Sample, now_ns: int) -> int:
        """The offset cannot be more than this, says REST."""
        drift = self._drift()
        return best.offset_at(now_ns, drift) + best.bound_at(now_ns, drift)

    def _most(self, now_ns: int) -> int | None:
        """The offset can hardly be more than this, say trades that come as ever; None where none do."""
        if self._early or self._timed_at is None or now_ns - self._timed_at > LATELY_NS:
            return None
        return None if self._quickest.empty else self._quickest.floor_ns(now_ns) + LATE_NS

    def _slewed(self, now_ns: int, target: int, offset: int) -> int:
        most = int(max(0, now_ns - self._offset_at) * self._slew_ppm / 1e6)
        return offset + max(-most, min(most, target - offset))

    def _move(self, now_ns: int, *, free: bool, at_least: int | None = None) -> None:
        target = self._target(now_ns)
        if self._offset is None or free:
            self._offset = target
        elif abs(target - self._offset) > self._step_ns:
            self._offset = target
            self.steps += 1
        else:
            self._offset = self._slewed(now_ns, target, self._offset)
        if at_least is not None:
            self._offset = max(self._offset, at_least)
        self._offset_at = now_ns

    def _plausible(self, received_ns: int, needed: int) -> bool:
        """Whether a trade that needs an offset of at least `needed` can be true."""
        best = self._rest.best
        if best is not None:
            within = needed <= self._highest(best, received_ns)
        elif self._quickest.empty:
            return True
        else:
            within = needed <= self._quickest.floor_ns(received_ns) + EARLY_NS
        return within or self._overruled(needed)

    def _overruled(self, needed: int) -> bool:
        """Without REST, three trades in a row that need about the same offset are believed."""
        self._early = [other for other in self._early if abs(other - needed) <= EARLY_NS][1 - AGREEING :]
        self._early.append(needed)
        if len(self._early) < AGREEING or self._rest.best is not None:
            return False
        self._quickest.forget()
        return True

    def _floor_contradicts(self, now_ns: int) -> bool:
        best = self._rest.best
        if best is None or self._quickest.empty:
            return False
        return self._quickest.floor_ns(now_ns) > self._highest(best, now_ns)
