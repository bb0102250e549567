"""The store that a URI names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spark_engine.data.source import OBJECT_STORES, file_path
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.archive.directory_store import Directory
from spark_engine.feeds.archive.store import FIELD, Store

ALLOWED: Final = "a path, or file://, s3://BUCKET, gs://BUCKET or az://CONTAINER"


def open_store(uri: str) -> Store:
    """Raises `InvalidSpec` for a URI that is none of `ALLOWED`, `StoreUnavailable`."""
    scheme, found, rest = uri.partition("://")
    if found and scheme in OBJECT_STORES and rest.partition("/")[0]:
        from spark_engine.feeds.archive.object_store import ObjectStoreFiles

        return ObjectStoreFiles(uri.rstrip("/"))
    if (found and scheme != "file") or not uri or "\0" in uri:
        raise InvalidSpec(f"must be {ALLOWED}; is {uri[:200]!r}", field=FIELD)
    return Directory(Path(file_path(uri) if found else uri), uri)
