"""The catalogue of built-in strategies that the contract room ships for API, pages and metric labels.

    python -m spark_engine.strategies.catalogue [--check]

Writes `spark_crds/strategies.json`; with `--check` it writes nothing and exits 1 where the file is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import spark_crds

from spark_engine.strategies.registry import BUILT_IN
from spark_engine.strategies.table import Check, Parameter, Strategy

SCHEMA = "spark.trading/strategies/v1"
PATH = Path(spark_crds.__file__).parent / "strategies.json"


def catalogue() -> dict[str, Any]:
    """Every built-in strategy: name, aliases, summary, JSON Schema of its parameters, cross-checks."""
    return {"schema": SCHEMA, "strategies": [_strategy(strategy) for strategy in BUILT_IN]}


def text() -> str:
    return json.dumps(catalogue(), indent=2, ensure_ascii=False) + "\n"


def _strategy(strategy: Strategy) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "aliases": list(strategy.aliases),
        "summary": strategy.summary,
        "parameters": parameters_schema(strategy),
        "checks": [_check(check) for check in strategy.checks],
    }


def parameters_schema(strategy: Strategy) -> dict[str, Any]:
    """The JSON Schema of `spec.strategy.params`; what it cannot say is in the cross-checks."""
    return {
        "type": "object",
        "properties": {parameter.name: _property(parameter) for parameter in strategy.parameters},
        "required": [parameter.name for parameter in strategy.parameters if parameter.required],
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type, "description": parameter.summary}
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def _check(check: Check) -> dict[str, str]:
    return {"left": check.left, "operator": check.operator, "right": check.right, "message": check.message}


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PATH.write_text(text(), encoding="utf-8")
        return 0
    if PATH.exists() and PATH.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{PATH} is stale: run make generate\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
