"""The tables that several tests read: objects and the API server's words, texts and kubectl's documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent


# One table a kind, each around a base object of its own
TABLES = (
    "objects",
    "objects_parametersweep",
    "objects_guardrailconfig",
    "objects_guardrailapproval",
    "objects_marketdatafeed",
)


@cache
def object_table(name: str = "objects") -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return table


@cache
def document_table() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((HERE / "kubectl_documents.json").read_text())["cases"]
    return cases


def built(changes: dict[str, Any], removed: list[str], table: str = "objects") -> dict[str, Any]:
    """The table's base object with paths assigned and deleted."""
    manifest: dict[str, Any] = copy.deepcopy(object_table(table)["base"])
    for path, value in changes.items():
        *parents, last = path.split(".")
        node = manifest
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = copy.deepcopy(value)
    for path in removed:
        *parents, last = path.split(".")
        node = manifest
        for name in parents:
            node = node[name]
        del node[last]
    return manifest


class ObjectCase:
    """A row of a table. `lines` are those of the refusal, in any order."""

    def __init__(self, row: dict[str, Any], table: str) -> None:
        self.kind: str = object_table(table)["base"]["kind"]
        self.name: str = row["case"] if table == "objects" else f"{self.kind}: {row['case']}"
        self.manifest = built(row.get("set", {}), row.get("remove", []), table)
        self.old = built(row["old"], [], table) if "old" in row else None
        self.accepted: bool = row.get("accepted", False)
        self.operator: list[str] = row.get("operator", [])
        self.invalid: list[str] = row.get("invalid", [])
        self.strict: list[str] = row.get("strict", [])
        self.kubectl: str = row.get("kubectl", "")
        self.rules_checked: bool = row.get("rulesChecked", True)

    def refusal(self) -> tuple[str, set[str]]:
        """The heading and the lines of what kubectl prints for a refused object."""
        if self.kubectl:
            return self.kubectl, set()
        if self.strict:
            act = "creating" if self.old is None else "replacing"
            handled = f'{self.kind} in version "v1alpha1" cannot be handled as a {self.kind}'
            head = f'Error from server (BadRequest): error when {act} "STDIN": {handled}'
            return f"{head}: strict decoding error: ", set(self.strict)
        name = self.manifest["metadata"].get("name", "")
        unchecked = set() if self.rules_checked else {UNCHECKED}
        return f'The {self.kind} "{name}" is invalid: ', set(self.invalid) | unchecked


UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def split_refusal(text: str) -> tuple[str, set[str]]:
    """The heading and the lines of a printed refusal, as `ObjectCase.refusal` gives them."""
    for mark, separator in ((" is invalid: ", "\n* "), ("strict decoding error: ", ", ")):
        heading, found, rest = text.partition(mark)
        if found:
            return heading + mark, set(rest.removeprefix("\n* ").split(separator))
    return text, set()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "object_case" in metafunc.fixturenames:
        cases = [ObjectCase(row, table) for table in TABLES for row in object_table(table)["cases"]]
        metafunc.parametrize("object_case", cases, ids=[case.name for case in cases])
    if "document_case" in metafunc.fixturenames:
        metafunc.parametrize("document_case", document_table(), ids=[row["case"] for row in document_table()])


@pytest.fixture
def split() -> Any:
    return split_refusal


@pytest.fixture
def base_of() -> Callable[[str], dict[str, Any]]:
    """The base object of a table."""
    return lambda table: built({}, [], table)


@pytest.fixture
def manifest() -> dict[str, Any]:
    """The table's base object: a minimal run of sma-cross."""
    return built({}, [])
