"""Where the artifacts of a run are in the store: below its own evidence prefix, or nowhere. Pure."""

from __future__ import annotations

import re

from spark_operator.api.problem import not_found

SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII)
MEDIA_TYPES = {
    "json": "application/json",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
}
PLAIN = "application/octet-stream"
# A report's own policy names its script; here it also gets an origin of its own, away from our cookies
POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'"
)


def artifact_key(store_uri: str, artifact_uri: str, namespace: str, name: str, uid: str) -> str:
    """The directory below the root of the store. Raises a 404 `Problem` that says why there is none."""
    if not store_uri:
        raise not_found("no artifact store configured", "NoArtifactStore")
    if not artifact_uri:
        raise not_found(f'run "{name}" has no artifact: it has not ended, or it left none', "NoArtifact")
    root, own = f"{store_uri.rstrip('/')}/", f"evidence/backtest/{namespace}/{name}-{uid}/"
    key = artifact_uri.removeprefix(root).rstrip("/")
    rest = key.removeprefix(own).split("/")
    if not artifact_uri.startswith(root + own) or not all(map(SEGMENT.fullmatch, rest)):
        raise not_found(f'the artifact of run "{name}" is outside the configured store', "NoArtifact")
    return key


def is_file_name(name: str) -> bool:
    """Whether a file of an artifact directory can be called so."""
    return SEGMENT.fullmatch(name) is not None


def media_type(name: str) -> str:
    return MEDIA_TYPES.get(name.rpartition(".")[2], PLAIN)
