"""What the documents say is what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from spark_operator.core.backtestrun.reasons import Reason

import conftest
from docs import advice, generate, tables
from tests.places import CHECKOUT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "charts/**/*.md", "tests/**/*.md", "alerts/*.md", "dashboards/*.md")
    for path in CHECKOUT.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)


def test_generated_tables_are_fresh() -> None:
    assert [path.name for path, text in generate.targets().items() if path.read_text() != text] == []


def test_a_stale_table_is_named_and_make_lint_would_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "status.md"
    path.write_text((CHECKOUT / "docs" / "status.md").read_text().replace("`Queued`", "`Waiting`"))
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    monkeypatch.setattr(generate, "TABLES", {"status.md": generate.TABLES["status.md"]})
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == f"stale: {path}; run `make generate`\n"
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_a_reason_without_advice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {title: dict(group) for title, group in advice.ADVICE.items()}
    del told["Done"][Reason.SUCCEEDED]
    monkeypatch.setattr(tables, "ADVICE", told)
    with pytest.raises(tables.IncompleteError, match="Succeeded"):
        tables.reasons()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", document.read_text())):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_tier_is_told_to_contributors() -> None:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text()
    assert [tier.name for tier in conftest.TIERS if f"| `{tier.name}` |" not in text] == []


def test_every_make_target_that_documents_name_is_there() -> None:
    targets = set(TARGET.findall((CHECKOUT / "Makefile").read_text()))
    named = {
        word
        for path in DOCUMENTS
        for word in re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)
    }
    assert named - targets == set()


def test_the_command_works_from_a_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
