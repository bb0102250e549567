"""Objects of S3, Google Cloud Storage or Azure, by obstore.

Endpoint and credentials come from the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...), as
https://docs.rs/object_store lists them.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import obstore
from obstore.store import from_url

from spark_engine.data.files import (
    CANDLE_FILES,
    FIELD,
    Source,
    is_candle_file,
    many_files,
    one_file,
    require_size,
)
from spark_engine.data.panic import converted
from spark_engine.errors import BacktestError, InvalidData, StoreUnavailable, first_line

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
# Together at most about 30 s of a silent store; `timeout` would bound the whole body of a large object.
RETRIES: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
SILENCE: Final = timedelta(seconds=10)
WHOLE_OBJECT: Final = timedelta(minutes=15)
TIMING: Final = re.compile(
    r" in [0-9.]+[nµm]?s, after [0-9]+ retries, max_retries: [0-9]+, retry_timeout: [0-9.]+s "
)
INNERMOST: Final = re.compile(r'\b(?:message|error): "([^"\n]{1,200})"')


def read_objects(uri: str) -> Source:
    """The object `uri`, or every candle file under it as a prefix.

    Raises `InvalidData` where there is none, `StoreUnavailable` where the store refuses or does not answer.
    """
    if "?" in uri or "#" in uri:
        raise InvalidData(
            f"an object's name with ? or # must be percent-encoded; is {uri[:200]!r}", field=FIELD
        )
    parent, _, name = uri.rpartition("/")
    with converted(lambda error: _failure(error, uri)):
        if name and "://" in parent:
            try:
                return one_file(unquote(name), _content(open_store(parent), unquote(name), uri))
            except FileNotFoundError:
                pass
        return many_files(_prefix(open_store(uri), uri))


def _prefix(store: ObjectStore, uri: str) -> dict[str, bytes]:
    listed = {entry["path"]: entry["size"] for batch in obstore.list(store) for entry in batch}
    names = sorted(filter(is_candle_file, listed))
    if not names:
        raise _nothing(uri)
    require_size(sum(listed[name] for name in names), uri)
    return {name: _content(store, name, uri) for name in names}


def _content(store: ObjectStore, name: str, uri: str) -> bytes:
    found = obstore.get(store, name)
    require_size(found.meta["size"], uri)
    return bytes(found.bytes())


def list_folder(uri: str, path: str) -> tuple[list[str], list[str]]:
    """Names of the folders and of the objects right below `path` of the prefix `uri`. Raises as above, but
    for a folder with nothing in it."""
    with converted(lambda error: _failure(error, uri)):
        found = obstore.list_with_delimiter(open_store(uri), path or None)
        prefixes = [prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]]
        return prefixes, [entry["path"].rpartition("/")[2] for entry in found["objects"]]


def read_named(uri: str, path: str) -> bytes | None:
    """The object `path` of the prefix `uri`, None where there is none. Raises `StoreUnavailable`."""
    with converted(lambda error: _failure(error, uri)):
        try:
            return _content(open_store(uri), path, uri)
        except FileNotFoundError:
            return None


def open_store(uri: str) -> ObjectStore:
    """The store at `uri` as a prefix, bounded in time. Raises `StoreUnavailable` for a bad endpoint."""
    options: ClientConfig = {
        "allow_http": _plain_http(),
        "connect_timeout": SILENCE,
        "read_timeout": SILENCE,
        "timeout": WHOLE_OBJECT,
    }
    return from_url(uri, client_options=options, retry_config=RETRIES)


def _plain_http() -> bool:
    """An http:// endpoint is meant as such. One that is no URL is refused: object_store panics on it."""
    for name in ENDPOINTS:
        endpoint = os.environ.get(name, "")
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise StoreUnavailable(
                f"{name} must start with http:// or https://; is {endpoint[:100]!r}", field=FIELD
            )
    return any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)


def _failure(error: BaseException, uri: str) -> BacktestError:
    text = str(error)
    if isinstance(error, FileNotFoundError) or "404 Not Found" in text:
        return _nothing(uri)
    if isinstance(error, ValueError) or "Generic URL error" in text:
        return InvalidData(f"is not an object or prefix: {uri[:200]!r}", field=FIELD)
    refused = ("PermissionDeniedError", "UnauthenticatedError")
    if type(error).__name__ in refused or "403 Forbidden" in text or "401 Unauthorized" in text:
        return StoreUnavailable(
            f"the store refuses {uri}: check the credentials in the environment", field=FIELD
        )
    return StoreUnavailable(f"{uri} cannot be read: {store_cause(error)}", field=FIELD)


def store_cause(error: BaseException) -> str:
    """What obstore says of a failure, in one line that is the same each time: without how long it took, and
    with the cause that it keeps for its debug output."""
    line = TIMING.sub("", first_line(error))
    found = INNERMOST.findall(str(error))
    return f"{line} ({found[-1]})" if found and found[-1] not in line else line


def _nothing(uri: str) -> InvalidData:
    return InvalidData(f"there is no object {uri[:200]}, nor {CANDLE_FILES} under it", field=FIELD)
