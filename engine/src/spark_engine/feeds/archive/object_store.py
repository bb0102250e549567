"""An object store: one PUT is atomic, and durable when it is answered."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import obstore
from obstore.exceptions import AlreadyExistsError

from spark_engine.data.panic import converted
from spark_engine.data.store import open_store, store_cause
from spark_engine.errors import BacktestError
from spark_engine.feeds.archive.store import AlreadyThere, unavailable

REFUSALS = ("PermissionDeniedError", "UnauthenticatedError")
REFUSED = ("403 Forbidden", "401 Unauthorized")


class ObjectStoreFiles:
    """The objects under the prefix `uri`."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        with self._failing("be opened"):
            self._store = open_store(uri)

    def get(self, name: str) -> bytes | None:
        with self._failing(f"read {name}"):
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def put_new(self, name: str, content: bytes) -> None:
        there = False
        with self._failing(f"write {name}"):
            try:
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except AlreadyExistsError:  # or the answer to the first attempt was lost
                there = True
        if there:
            raise AlreadyThere(name)

    def replace(self, name: str, content: bytes) -> None:
        with self._failing(f"write {name}"):
            obstore.put(self._store, name, content, use_multipart=False)

    def delete(self, name: str) -> None:
        with self._failing(f"delete {name}"):
            try:
                obstore.delete(self._store, name)
            except FileNotFoundError:
                return

    def list(self, folder: str) -> Iterable[str]:
        with self._failing(f"list {folder}"):
            names = [entry["path"] for batch in obstore.list(self._store, folder) for entry in batch]
        return [name for name in names if not name.rpartition("/")[2].startswith(".")]

    def remove_unfinished(self, folder: str) -> None:
        """A PUT that was cut leaves nothing."""

    def _failing(self, what: str) -> AbstractContextManager[None]:
        return converted(lambda error: self._failure(error, what))

    def _failure(self, error: BaseException, what: str) -> BacktestError:
        text = str(error)
        if type(error).__name__ in REFUSALS or any(word in text for word in REFUSED):
            return unavailable(
                self.uri, f"the store refuses to {what}: check the credentials in the environment"
            )
        return unavailable(self.uri, f"cannot {what}: {store_cause(error)}")
