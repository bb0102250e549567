"""The evidence package: an artifact directory as one zip whose bytes depend on its content alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from spark_crds.canonical import sha256_hex
from spark_crds.formats.evidence import CHECKSUM_FILE, EVIDENCE_FILE

README_FILE = "README.md"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell
UNIX = 3
READABLE = 0o100644 << 16


def package(evidence: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """A zip of README.md and, in a folder of its own, `files` (by name, as `seal` made them).

    Entries are sorted by name, stored without compression (deflate differs between versions of zlib, and
    parquet is compressed already), dated 1980-01-01, with the rights of an ordinary file.
    """
    folder = folder_name(evidence)
    entries = {README_FILE: _readme(evidence, files, folder).encode()}
    entries |= {f"{folder}/{name}": content for name, content in files.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            archive.writestr(_entry(name), entries[name])
    return buffer.getvalue()


def folder_name(evidence: Mapping[str, Any]) -> str:
    """The name of the run and the start of its digest: `btcusdt-1h-sma-cross-d64b0d54`."""
    name = PurePosixPath(str(evidence["id"])).name or "run"
    safe = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in name
    )
    return f"{safe.lstrip('.')[:100] or 'run'}-{str(evidence['digest']).rpartition(':')[2][:8]}"


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=EARLIEST)
    info.create_system = UNIX
    info.external_attr = READABLE
    info.compress_type = zipfile.ZIP_STORED
    return info


def _readme(evidence: Mapping[str, Any], files: Mapping[str, bytes], folder: str) -> str:
    run, result = evidence["run"], evidence["result"]
    market = result["spec"].get("template", result["spec"])["market"]
    covered = "trials" if "trials" in result["counts"] else "decisions, fills, equity and events"
    rows = "\n".join(
        f"| `{name}` | {len(content):,} | `{sha256_hex(content)}` |"
        for name, content in sorted(files.items())
    )
    return f"""\
# Evidence of {_code(evidence["id"])}

{_code(market["symbol"])} {_code(market["timeframe"])}, \
{result["counts"]["bars"]:,} bars, made by spark-engine {_code(run["engineVersion"])} \
(semantics {result["semantics"]}).

    {evidence["digest"]}

The digest covers spec, candles, {covered}: who repeats it gets the same one.

## How to verify

Without any software of ours, that no file was changed:

    cd {folder}
    sha256sum -c {CHECKSUM_FILE}

Offline, with the package `spark-engine`, that digests and metrics follow from the tables:

    backtest verify {folder}

With the candles, that the whole run repeats (`--data` says where they are now; their SHA-256 was
`{run["data"]["sha256"]}`):

    backtest verify {folder} --rerun --data FILE

This file lies beside the artifact directory, for `backtest verify` refuses files that are not part of it.
`{EVIDENCE_FILE}` lists every other file with its hash, so the SHA-256 of `{EVIDENCE_FILE}` pins them all.

## Files of {folder}/

| file | bytes | SHA-256 |
|---|---:|---|
{rows}
"""


def _code(text: Any) -> str:
    """A name that a stranger gave, without what Markdown or a terminal would act on."""
    plain = "".join(letter if letter.isprintable() and letter != "`" else "-" for letter in str(text))
    return f"`{plain}`"
