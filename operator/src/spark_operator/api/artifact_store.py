"""Reading the artifact store: which files a run left, and their bytes as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from spark_operator.api.local_store import LocalStore
from spark_operator.api.stored_file import StoredFile, StoreUnavailable
from spark_operator.configuration.model import Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

CHUNK_BYTES = 256 * 1024
SILENCE = timedelta(seconds=10)
WHOLE_OBJECT = timedelta(minutes=15)
RETRIES: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and its content, to be read once."""

    file: StoredFile
    content: AsyncIterator[bytes]


class ArtifactStore(Protocol):
    """`key` is a directory below the root of the store. Methods raise `StoreUnavailable`."""

    async def files(self, key: str) -> list[StoredFile]:
        """The files of a directory, by name; none where there is no such directory."""

    async def open(self, key: str, name: str) -> Opened | None:
        """One file, or None."""


def artifact_store(store: Store) -> ArtifactStore:
    """The configured store, whose uri is not empty. Raises `StoreUnavailable` for one that cannot be used."""
    try:
        return _opened(store.uri, store.endpoint, store.region)
    except (BaseError, OSError, ValueError) as error:
        raise StoreUnavailable(str(error)) from None


@cache
def _opened(uri: str, endpoint: str, region: str) -> ArtifactStore:
    if uri.startswith("file://"):
        return _Local(LocalStore.at(uri))
    return _Objects(_object_store(uri, endpoint, region))


def _object_store(uri: str, endpoint: str, region: str) -> ObjectStore:
    options: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": SILENCE,
        "read_timeout": SILENCE,
        "timeout": WHOLE_OBJECT,
    }
    place: S3Config = {}
    if uri.startswith("s3://") and endpoint:
        place["endpoint"] = endpoint
    if uri.startswith("s3://") and region:
        place["region"] = region
    return from_url(uri.rstrip("/"), config=place, client_options=options, retry_config=RETRIES)


class _Objects:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def files(self, key: str) -> list[StoredFile]:
        try:
            found = await obstore.list_with_delimiter_async(self._store, key)
        except (BaseError, OSError, ValueError) as error:
            raise StoreUnavailable(str(error)) from None
        return sorted(
            StoredFile(entry["path"].rpartition("/")[2], entry["size"], _bare(entry["e_tag"]))
            for entry in found["objects"]
        )

    async def open(self, key: str, name: str) -> Opened | None:
        try:
            found = await obstore.get_async(self._store, f"{key}/{name}")
        except FileNotFoundError:
            return None
        except (BaseError, OSError, ValueError) as error:
            raise StoreUnavailable(str(error)) from None
        meta = found.meta
        stream = found.stream(min_chunk_size=CHUNK_BYTES)
        return Opened(StoredFile(name, meta["size"], _bare(meta["e_tag"])), _chunks(stream))


class _Local:
    def __init__(self, store: LocalStore) -> None:
        self._store = store

    async def files(self, key: str) -> list[StoredFile]:
        return await self._store.files(key)

    async def open(self, key: str, name: str) -> Opened | None:
        found = await self._store.open(key, name)
        return Opened(found[0], self._store.chunks(found[1], CHUNK_BYTES)) if found else None


async def _chunks(stream: obstore.BytesStream) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)


def _bare(tag: str | None) -> str:
    return (tag or "").strip('"')
