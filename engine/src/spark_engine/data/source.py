"""The bytes behind a data URI: one file, every candle file of a directory or prefix, or a sample."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from spark_crds.canonical import canonical, sha256_hex

from spark_engine.data.sample import SCHEME as SAMPLE_SCHEME
from spark_engine.data.sample import find_sample
from spark_engine.errors import InvalidData

OBJECT_STORES: Final = ("s3", "gs", "az")
SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")
ALLOWED: Final = (
    "a path or file:// of a parquet or CSV file or of a directory of them, s3://, gs:// or az:// of an object or "
    "prefix, or sample://btcusdt-1h"
)
MOST_BYTES: Final = 4 << 30
FIELD: Final = "spec.data.uri"
MANIFEST_SCHEMA: Final = "spark.trading/files/v1"


@dataclass(frozen=True, slots=True)
class Source:
    """files: relative name to bytes, in sorted order. sha256: of the one file's bytes, or of the manifest."""

    files: Mapping[str, bytes]
    sha256: str
    size: int


def open_source(uri: str) -> Source:
    """Reads everything that `uri` names, at most 4 GiB.

    Raises `InvalidData` for what is not there or not allowed, `StoreUnavailable` for a store that does not answer.
    """
    scheme = _scheme(uri)
    if scheme in OBJECT_STORES:
        from spark_engine.data.store import read_objects

        objects = read_objects(uri)
        return _whole(objects) if uri.endswith("/") or len(objects) != 1 else _single(objects)
    if scheme == "sample":
        return _local(find_sample(uri).path)
    return _local(Path(_file_path(uri) if scheme == "file" else uri))


def manifest(files: Mapping[str, bytes]) -> bytes:
    """The canonical listing (RFC 8785) of several files, sorted by path: its SHA-256 stands for all of them."""
    listing = [
        {"path": name, "bytes": len(content), "sha256": sha256_hex(content)}
        for name, content in sorted(files.items())
    ]
    return canonical({"schema": MANIFEST_SCHEMA, "files": listing})


def is_candle_file(name: str) -> bool:
    """Hidden and underscored names (`_SUCCESS`, `.tmp`) are none, in any folder of the path."""
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return not hidden and name.lower().endswith(SUFFIXES)


def too_large(what: str) -> InvalidData:
    return InvalidData(f"{what} has more than {MOST_BYTES >> 30} GiB", field=FIELD)


def _scheme(uri: str) -> str:
    scheme, found, _ = uri.partition("://")
    if not found:
        return ""
    if scheme not in (*OBJECT_STORES, "file", SAMPLE_SCHEME.removesuffix("://")):
        raise InvalidData(f"must be {ALLOWED}; is {uri[:200]!r}", field=FIELD)
    return scheme


def _file_path(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise InvalidData(f"is not a URI: {uri[:200]!r}", field=FIELD) from None
    if parts.netloc not in ("", "localhost"):
        raise InvalidData(f"a file:// URI has three slashes, as file:///data/candles; is {uri[:200]!r}", field=FIELD)
    return unquote(parts.path)


def _local(path: Path) -> Source:
    try:
        if path.is_dir():
            return _whole(_directory(path))
        return _single({path.name: _file(path)})
    except FileNotFoundError:
        raise InvalidData(f"there is no {path}; allowed is {ALLOWED}", field=FIELD) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidData(f"{str(path)[:200]!r} cannot be read: {reason}", field=FIELD) from None


def _file(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InvalidData(f"{path} is neither a file nor a directory", field=FIELD)
    if status.st_size > MOST_BYTES:
        raise too_large(str(path))
    return path.read_bytes()


def _directory(folder: Path) -> dict[str, bytes]:
    found = {}
    size = 0
    for path in _candle_paths(folder):
        content = _file(folder / path)
        size += len(content)
        if size > MOST_BYTES:
            raise too_large(str(folder))
        found[path] = content
    if not found:
        raise InvalidData(f"{folder} has no file named {', '.join('*' + end for end in SUFFIXES)}", field=FIELD)
    return found


def _candle_paths(folder: Path) -> list[str]:
    paths = []
    for parent, _folders, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        paths += [(relative / name).as_posix() for name in names]
    return sorted(filter(is_candle_file, paths))


def _single(files: Mapping[str, bytes]) -> Source:
    (content,) = files.values()
    return Source(files, sha256_hex(content), len(content))


def _whole(files: Mapping[str, bytes]) -> Source:
    return Source(files, sha256_hex(manifest(files)), sum(map(len, files.values())))
