"""Book messages of one subscription: each number follows the last, or the book must be asked for anew."""

from __future__ import annotations

from typing import Final, Literal

from spark_engine.feeds.provider import Book

Chain = Literal["ok", "duplicate", "broken", "awaiting"]
REPEATS: Final = 16  # numbers back that a repeated message may have


class BookSequence:
    """ok: apply it. duplicate: ignore it. broken: subscribe again. awaiting: ignore it until the snapshot
    that was asked for comes (so that one break asks once)."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._broken = False
        self.breaks = 0

    @property
    def live(self) -> bool:
        """A snapshot came and nothing is missing since."""
        return self._last is not None and not self._broken

    def accept(self, book: Book) -> Chain:
        if book.snapshot:
            self._last, self._broken = book.sequence, False
            return "ok"
        if self._broken:
            return "awaiting"
        if self._last is not None:
            if book.sequence == self._last + 1:
                self._last = book.sequence
                return "ok"
            if self._last - REPEATS < book.sequence <= self._last:
                return "duplicate"
        self._broken = True
        self.breaks += 1
        return "broken"

    def restart(self) -> None:
        """Subscribed anew on another connection: the count begins with the next snapshot."""
        self._last, self._broken = None, True
