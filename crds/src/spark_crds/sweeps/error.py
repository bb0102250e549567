"""What is wrong with a sweep that the schema cannot say."""

from __future__ import annotations


class SweepError(ValueError):
    """`field` is a path such as spec.parameters[1].range.step."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
