"""What is said of a document that is not of its format."""

from __future__ import annotations


class FormatError(ValueError):
    """A document that is not of the stated format. `field` is the path of what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
