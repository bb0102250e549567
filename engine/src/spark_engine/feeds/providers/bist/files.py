"""A delivered file, wherever it came from, and what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

Outcome = Literal["taken", "ignored", "quarantined", "waiting"]
CUT_STILL_MS: Final = 60_000  # how long text that seems to be cut must stay as it is


@dataclass(frozen=True, slots=True)
class DropFile:
    """name: its path in the drop. modified_ms: when it was written, ms UTC, as far as is known. order: of
    files that hold the same bar the one with the highest is right. mark: changes whenever the content
    may have.
    """

    name: str
    content: bytes
    modified_ms: int
    order: tuple[int, str]
    mark: str


@dataclass(frozen=True, slots=True)
class Listing:
    """files: complete ones that are new or changed, the newest first. waiting: those still being written.
    refused: name and reason of what cannot be read. names: of all that is there, new or not. more: whether
    others are left for the next time.
    """

    files: tuple[DropFile, ...] = ()
    waiting: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    names: frozenset[str] = frozenset()
    more: bool = False


class Drop(Protocol):
    """A place where files arrive. Raises `StoreUnavailable` where it cannot be looked at."""

    async def changed(self, now_ms: int) -> Listing:
        """What is new since `done` last heard of it."""

    def done(self, file: DropFile) -> None:
        """`file` as it was is not to be shown again."""


def ends_whole(name: str, content: bytes) -> bool:
    """Text without a newline at its end may be cut; parquet and gzip tell so themselves."""
    return not name.lower().endswith(".csv") or content.endswith(b"\n")
