"""The evidence package: the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

import pytest
from spark_engine.evidence.package import folder_name, package

EVIDENCE: dict[str, Any] = {
    "id": "a-run",
    "digest": "sha256:" + "0123456789abcdef" * 4,
    "result": {
        "semantics": 1,
        "spec": {"market": {"symbol": "BTCUSDT", "timeframe": "1h"}},
        "counts": {"bars": 1_234},
    },
    "run": {"engineVersion": "0.1.0", "data": {"sha256": "ab" * 32}},
}
FILES = {"evidence.json": b"{}", "SHA256SUMS": b"sums", "chart.json": b"[1]" * 1_000, "events.jsonl": b""}


def entries(content: bytes) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.infolist()


def test_the_bytes_depend_on_the_content_alone() -> None:
    shuffled = dict(sorted(FILES.items(), key=lambda item: item[1]))
    assert list(shuffled) != list(FILES)
    assert package(EVIDENCE, FILES) == package(EVIDENCE, shuffled)
    # Pinned: another Python or another day must not change it
    digest = hashlib.sha256(package(EVIDENCE, FILES)).hexdigest()
    assert digest == "88103b25f6be589813ec1571c3704bbfd24070ec231644fb5ca035420d6d29b7"


def test_every_entry_is_stored_dated_1980_and_an_ordinary_file() -> None:
    found = entries(package(EVIDENCE, FILES))
    names = [entry.filename for entry in found]
    assert names == sorted(["README.md", *(f"a-run-01234567/{name}" for name in FILES)])
    for entry in found:
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.external_attr >> 16 == 0o100644
        assert entry.create_system == 3


def test_files_come_out_as_they_went_in() -> None:
    with zipfile.ZipFile(io.BytesIO(package(EVIDENCE, FILES))) as archive:
        assert archive.testzip() is None
        for name, content in FILES.items():
            assert archive.read(f"a-run-01234567/{name}") == content


def test_the_readme_says_how_to_verify_and_pins_every_file() -> None:
    with zipfile.ZipFile(io.BytesIO(package(EVIDENCE, FILES))) as archive:
        readme = archive.read("README.md").decode()
    assert "sha256sum -c SHA256SUMS" in readme
    assert "backtest verify a-run-01234567 --rerun" in readme
    assert EVIDENCE["digest"] in readme
    for name, content in FILES.items():
        assert f"| `{name}` | {len(content):,} | `{hashlib.sha256(content).hexdigest()}` |" in readme


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs", "a\\b", "..", ".hidden", "ü" * 300, "x\ny", ""])
def test_the_name_of_a_run_never_leads_out_of_the_folder(name: str) -> None:
    folder = folder_name({**EVIDENCE, "id": name})
    assert folder.endswith("-01234567")
    assert not set(folder) & set("/\\\n")
    assert not folder.startswith(".")
    assert len(folder) <= 110
