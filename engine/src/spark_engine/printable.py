"""Words of manifests, files and venues on their way to a person."""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    """`text` without control characters: it must not be able to drive the terminal, nor, but for `lines`, to
    begin a line of its own."""
    return "".join(
        letter if letter.isprintable() or (lines and letter == "\n") else "\ufffd" for letter in text
    )
