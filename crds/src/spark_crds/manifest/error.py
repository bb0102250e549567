"""What is wrong with a manifest's text, and where."""

from __future__ import annotations


class ManifestError(ValueError):
    """A text that is no manifest. `line` and `column` count from 1; None where there is no one place."""

    def __init__(self, message: str, source: str, line: int | None = None, column: int | None = None) -> None:
        place = ":".join(str(part) for part in (source, line, column) if part is not None)
        super().__init__(f"{place}: {message}")
        self.message = message
        self.source = source
        self.line = line
        self.column = column
