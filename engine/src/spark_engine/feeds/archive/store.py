"""Where an archive's files lie, by names such as `btcturk-spot/BTCTRY/1m/manifest.json`.

Names whose last part begins with a dot are not of the archive: locks, and files that are being written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from spark_engine.errors import StoreUnavailable

FIELD: Final = "spec.storage.uri"


class AlreadyThere(Exception):
    """A new file has the name of one that is there."""


class Store(Protocol):
    """Every write is whole or not at all, and durable on return. All raise `StoreUnavailable`."""

    @property
    def uri(self) -> str: ...

    def get(self, name: str) -> bytes | None:
        """The content, None where there is no such file."""

    def put_new(self, name: str, content: bytes) -> None:
        """Raises `AlreadyThere`."""

    def replace(self, name: str, content: bytes) -> None: ...

    def delete(self, name: str) -> None:
        """Does nothing where there is no such file."""

    def list(self, folder: str) -> Iterable[str]:
        """All names below `folder`."""

    def remove_unfinished(self, folder: str) -> None:
        """Removes what a writer left that died while it wrote. Only for the one writer."""


def put_verified(store: Store, name: str, content: bytes) -> None:
    """Writes a new file and reads it back: what a manifest names was seen whole.

    One that is there already was left by a crash before any manifest named it, so it may be replaced.
    """
    try:
        store.put_new(name, content)
    except AlreadyThere:
        if store.get(name) == content:
            return
        store.replace(name, content)
    if store.get(name) != content:
        raise unavailable(store.uri, f"{name} reads back other than it was written")


def unavailable(uri: str, cause: str) -> StoreUnavailable:
    return StoreUnavailable(f"the archive {uri[:200]}: {cause}", field=FIELD)
