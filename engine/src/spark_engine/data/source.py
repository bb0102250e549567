"""The bytes behind a data URI."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from spark_engine.data.files import FIELD, Source
from spark_engine.data.local import read_local
from spark_engine.data.sample import find_sample
from spark_engine.errors import InvalidData

OBJECT_STORES: Final = ("s3", "gs", "az")
ALLOWED: Final = (
    "a path or file:// of a parquet or CSV file or of a directory of them, s3://, gs:// or az:// of an "
    "object or prefix, or sample://btcusdt-1h"
)


def open_source(uri: str) -> Source:
    """Reads everything that `uri` names, at most 4 GiB.

    Raises `InvalidData` for what is not there or not allowed, `StoreUnavailable` for a store that is silent.
    """
    scheme, found, _ = uri.partition("://")
    if not found:
        return read_local(Path(uri))
    if scheme == "file":
        return read_local(Path(file_path(uri)))
    if scheme == "sample":
        return read_local(find_sample(uri).path)
    if scheme in OBJECT_STORES:
        from spark_engine.data.store import read_objects

        return read_objects(uri)
    raise InvalidData(f"must be {ALLOWED}; is {uri[:200]!r}", field=FIELD)


def file_path(uri: str) -> str:
    """The path in a file:// URI. Raises `InvalidData`."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise InvalidData(f"is not a URI: {uri[:200]!r}", field=FIELD) from None
    if parts.netloc not in ("", "localhost"):
        raise InvalidData(
            f"a file:// URI has three slashes, as file:///data/candles; is {uri[:200]!r}", field=FIELD
        )
    return unquote(uri.partition("://")[2].removeprefix("localhost"))
