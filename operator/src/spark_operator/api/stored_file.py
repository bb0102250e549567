"""A file in the artifact store."""

from __future__ import annotations

from dataclasses import dataclass


class StoreUnavailable(Exception):
    """The store refuses us or does not answer."""


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """`tag` changes with the content."""

    name: str
    bytes: int
    tag: str
