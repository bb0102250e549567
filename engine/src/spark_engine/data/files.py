"""The files of a source, and the one hash that stands for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from spark_crds.canonical import canonical, sha256_hex

from spark_engine.errors import InvalidData

FIELD: Final = "spec.data.uri"
SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")
CANDLE_FILES: Final = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
MOST_BYTES: Final = 4 << 30
MANIFEST_SCHEMA: Final = "spark.trading/files/v1"


@dataclass(frozen=True, slots=True)
class Source:
    """files: relative name to bytes, in sorted order. sha256: of the one file's bytes, or of the manifest."""

    files: Mapping[str, bytes]
    sha256: str
    size: int


def one_file(name: str, content: bytes) -> Source:
    return Source({name: content}, sha256_hex(content), len(content))


def many_files(files: Mapping[str, bytes]) -> Source:
    """A directory or prefix, also one that holds a single file."""
    ordered = {name: files[name] for name in sorted(files)}
    return Source(ordered, sha256_hex(manifest(ordered)), sum(map(len, ordered.values())))


def manifest(files: Mapping[str, bytes]) -> bytes:
    """`{schema, files: [{path, bytes, sha256}, ...]}` as RFC 8785, sorted by path."""
    listing = [
        {"path": name, "bytes": len(files[name]), "sha256": sha256_hex(files[name])} for name in sorted(files)
    ]
    return canonical({"schema": MANIFEST_SCHEMA, "files": listing})


def is_candle_file(name: str) -> bool:
    """Hidden and underscored names (`_SUCCESS`, `.tmp`) are none, in any folder of the path."""
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return not hidden and name.lower().endswith(SUFFIXES)


def require_size(size: int, what: str) -> None:
    if size > MOST_BYTES:
        raise InvalidData(f"{what} has more than {MOST_BYTES >> 30} GiB", field=FIELD)
