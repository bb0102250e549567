"""A request's JSON object, within bounds."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from spark_operator.api.problem import Problem

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 32


async def read_object(request: Request) -> dict[str, Any]:
    """The object in the body; no body at all is an empty one. Raises `Problem`: 400, 413 or 415."""
    content = await _content(request)
    if not content:
        return {}
    media_type, _, _ = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise Problem(415, "UnsupportedMediaType", "the body must have the content-type application/json")
    value = decode(content)
    if not isinstance(value, dict):
        raise Problem(400, "InvalidJSON", f"the body must be a JSON object, is {_type_name(value)}")
    return value


def decode(content: bytes) -> Any:
    """A JSON value as every reader understands it: no duplicate keys, no NaN, no lone surrogates."""
    try:
        value = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise _invalid(f"the body is no JSON: {error.msg} at {place}") from None
    except UnicodeError:
        raise _invalid("the body is no UTF-8 text") from None
    except RecursionError:
        raise _invalid("the body is nested too deeply") from None
    except ValueError as error:
        raise _invalid(f"the body is no JSON: {error}") from None
    if _depth(value) > MAX_DEPTH:
        raise _invalid("the body is nested too deeply")
    return value


async def _content(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(content)


def _too_large() -> Problem:
    detail = f"the body may have at most {MAX_BODY_BYTES} bytes"
    return Problem(413, "ContentTooLarge", detail, headers={"Connection": "close"})


def _invalid(detail: str) -> Problem:
    return Problem(400, "InvalidJSON", detail)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(double)} stands there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return deepest


def _type_name(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
