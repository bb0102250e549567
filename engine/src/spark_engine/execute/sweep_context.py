"""Earlier sweeps over the same data: how many trials were looked at before this one was designed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from spark_crds.canonical import parse_canonical
from spark_crds.formats.evidence import EVIDENCE_FILE

from spark_engine.data.panic import converted
from spark_engine.data.source import OBJECT_STORES
from spark_engine.errors import InvalidSpec, StoreUnavailable, first_line
from spark_engine.evidence.sweep_result import SWEEP_EVIDENCE_SCHEMA, sweep_digest
from spark_engine.statistics.selection import SharpeRatios

FIELD = "spec.selectionContext"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The trials of one earlier sweep, those of its own earlier sweeps left out."""

    uri: str
    digest: str
    ratios: SharpeRatios


def read_earlier(context: Sequence[Mapping[str, Any]]) -> tuple[Earlier, ...]:
    """The evidence of every sweep in `spec.selectionContext`. Raises `InvalidSpec` naming the entry."""
    return tuple(_read(each, f"{FIELD}[{number}]") for number, each in enumerate(context))


def _read(entry: Mapping[str, Any], field: str) -> Earlier:
    if "uri" not in entry:
        raise InvalidSpec(
            f"{entry['name']} is a name in a cluster, which is not looked up here: give the uri of its "
            "artifacts (a directory, file://, s3://, gs:// or az://)",
            field=f"{field}.name",
        )
    uri = str(entry["uri"])
    try:
        evidence = parse_canonical(_content(uri, f"{field}.uri"))
        if evidence["schema"] != SWEEP_EVIDENCE_SCHEMA:
            raise InvalidSpec(f"{uri} is no sweep but {evidence['schema']}", field=f"{field}.uri")
        result, digest = evidence["result"], str(evidence["digest"])
        ratios = SharpeRatios(**result["selection"]["ownSharpeRatios"])
        follows = sweep_digest(result) == digest
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidSpec(f"{uri} holds no evidence of a sweep", field=f"{field}.uri") from None
    if not follows:
        raise InvalidSpec(f"{uri} was changed: its digest does not follow", field=f"{field}.uri")
    if entry.get("digest") not in (None, digest):
        raise InvalidSpec(f"is {entry['digest']}, but {uri} has {digest}", field=f"{field}.digest")
    return Earlier(uri, digest, ratios)


def _content(uri: str, field: str) -> bytes:
    scheme = urlsplit(uri).scheme
    if scheme in OBJECT_STORES:
        import obstore  # rare on a laptop, and its client costs an import

        from spark_engine.data.store import open_store

        with converted(
            lambda error: StoreUnavailable(f"cannot read {uri}: {first_line(error)}", field=field)
        ):
            return bytes(obstore.get(open_store(uri.rstrip("/")), EVIDENCE_FILE).bytes())
    path = Path(unquote(urlsplit(uri).path) if scheme == "file" else uri)
    try:
        return (path / EVIDENCE_FILE).read_bytes()
    except OSError as error:
        raise InvalidSpec(f"cannot read {path / EVIDENCE_FILE}: {error.strerror}", field=field) from None
