"""The artifact store of a pod: a directory or an object store, named by one URI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from spark_crds.formats.evidence import EVIDENCE_FILE

from spark_engine.data.panic import converted
from spark_engine.data.source import OBJECT_STORES
from spark_engine.errors import InvalidSpec, StoreUnavailable, first_line
from spark_engine.evidence.directory import NotOurs, write_directory

FIELD = "artifact.uri"


def put(uri: str, files: Mapping[str, bytes]) -> None:
    """Stores `files` under `uri`. Raises `StoreUnavailable` (retried) or `InvalidSpec` for another scheme."""
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        _put_directory(Path(unquote(urlsplit(uri).path)), files)
    elif scheme in OBJECT_STORES:
        _put_objects(uri, files)
    else:
        raise InvalidSpec(f"must start with file://, s3://, gs:// or az://; is {uri!r}", field=FIELD)


def _put_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    try:
        write_directory(directory, files)
    except NotOurs as foreign:
        raise StoreUnavailable(str(foreign), field=FIELD) from None


def _put_objects(uri: str, files: Mapping[str, bytes]) -> None:
    import obstore  # an object store is rare on a laptop, and its client costs an import

    from spark_engine.data.store import open_store

    with converted(
        lambda error: StoreUnavailable(f"cannot write to {uri}: {first_line(error)}", field=FIELD)
    ):
        store = open_store(uri.rstrip("/"))
        for name in sorted(
            files, key=lambda name: name == EVIDENCE_FILE
        ):  # evidence last: seen means complete
            obstore.put(store, name, files[name])
