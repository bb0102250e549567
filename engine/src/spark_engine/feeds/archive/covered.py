"""The coverage of a series, grown by what a commit knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spark_crds.formats.archive import Coverage

from spark_engine.feeds.archive.records import Span


def grown(
    coverage: Sequence[Coverage], known_to_ms: int, spans: Iterable[Span], commit: int
) -> tuple[Coverage, ...]:
    """`coverage` and what of `spans` it lacks, recorded by `commit`.

    Only an interval that ends where knowledge ended may grow: older snapshots clip it there.
    """
    held = merged((entry.from_ms, entry.to_ms) for entry in coverage)
    entries = list(coverage)
    for begin, end in _lacking(held, merged(spans)):
        growing = next((n for n, entry in enumerate(entries) if entry.to_ms == begin == known_to_ms), None)
        if growing is None:
            entries.append(Coverage(begin, end, commit))
        else:
            entries[growing] = Coverage(entries[growing].from_ms, end, entries[growing].commit)
    return tuple(entries)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Ascending; overlapping and touching ones as one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _lacking(held: Sequence[Span], asked: Iterable[Span]) -> Iterator[Span]:
    for begin, end in asked:
        at = begin
        for known_from, known_to in held:
            if known_to <= at:
                continue
            if known_from >= end:
                break
            if known_from > at:
                yield at, known_from
            at = known_to
        if at < end:
            yield at, end
