"""OpenAPI 3.1 of declared routes; the schema of a spec is the CRD's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from spark_crds.schema import field_schema

from spark_operator.api.components import COMPONENTS
from spark_operator.api.operation import Access, Answer, Operation, Parameter
from spark_operator.api.problem import MEDIA_TYPE

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A Kubernetes token, or ADMIN_TOKEN."},
    "adminToken": {"type": "apiKey", "in": "header", "name": "x-admin-token", "description": "ADMIN_TOKEN."},
    "adminCookie": {"type": "apiKey", "in": "cookie", "name": "admin-token", "description": "ADMIN_TOKEN."},
}


def openapi_document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Spark Trading", "version": version("spark-operator")},
        "paths": paths,
        "components": {
            "schemas": {**COMPONENTS, "BacktestRunSpec": _plain(field_schema("BacktestRun", "spec"))},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_"),
        "summary": (getdoc(operation.handler) or "").splitlines()[0],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {str(code): _answer(answer) for code, answer in operation.answers.items()},
        "security": [] if operation.access is Access.OPEN else [{name: []} for name in SECURITY_SCHEMES],
    }
    if operation.body:
        content = {"application/json": {"schema": _reference(operation.body)}}
        document["requestBody"] = {"required": False, "content": content}
    for code in operation.problems:
        content = {MEDIA_TYPE: {"schema": _reference("Problem")}}
        document["responses"][str(code)] = {"description": HTTPStatus(code).phrase, "content": content}
    return document


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    schema = _reference(answer.schema) if answer.schema else {"type": "string"}
    return {"description": answer.description, "content": {answer.media_type: {"schema": schema}}}


def _reference(component: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{component}"}


def _plain(schema: Any) -> Any:
    """A structural schema without what only Kubernetes reads."""
    if isinstance(schema, Mapping):
        return {
            name: _plain(child) for name, child in schema.items() if not str(name).startswith("x-kubernetes-")
        }
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema
