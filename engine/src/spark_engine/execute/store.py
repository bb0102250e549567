"""The artifact store of a pod: a directory or an object store, named by one URI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from spark_crds.formats.evidence import EVIDENCE_FILE

from spark_engine.errors import InvalidSpec, StoreUnavailable
from spark_engine.evidence.directory import NotOurs, write_directory

OBJECT_STORES = ("s3", "gs", "az")


def put(uri: str, files: Mapping[str, bytes]) -> None:
    """Stores `files` under `uri`. Raises `StoreUnavailable` (retried) or `InvalidSpec` for another scheme."""
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        _put_directory(Path(unquote(urlsplit(uri).path)), files)
    elif scheme in OBJECT_STORES:
        _put_objects(uri, files)
    else:
        raise InvalidSpec(f"must start with file://, s3://, gs:// or az://; is {uri!r}", field="artifact.uri")


def _put_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    try:
        write_directory(directory, files)
    except NotOurs as foreign:
        raise StoreUnavailable(str(foreign), field="artifact.uri") from None


def _put_objects(uri: str, files: Mapping[str, bytes]) -> None:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    try:
        store = from_url(uri.rstrip("/") + "/")
        for name in sorted(
            files, key=lambda name: name == EVIDENCE_FILE
        ):  # evidence last: seen means complete
            obstore.put(store, name, files[name])
    except (BaseError, OSError, ValueError) as error:
        raise StoreUnavailable(f"cannot write to {uri}: {_first_line(error)}", field="artifact.uri") from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
