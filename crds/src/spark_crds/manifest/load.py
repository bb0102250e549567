"""Manifest text to objects: YAML documents, or JSON objects one after another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from spark_crds.manifest.compose import MAX_DEPTH, MAX_VALUES, Composer, shortened
from spark_crds.manifest.error import ManifestError
from spark_crds.manifest.number import stored_float, stored_integer

MAX_BYTES = 1024 * 1024
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
JSON_SPACE = re.compile(r"[ \t\r\n]*")
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
KINDS = {list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}


def load_manifest(text: str | bytes, source: str) -> list[dict[str, Any]]:
    """The objects in a YAML or JSON manifest, at least one, as the API server would store what kubectl sends.

    `source` names the file in errors. Stricter than kubectl where kubectl would guess: duplicate keys (also
    by `<<`), keys with a fraction and text beyond 1 MiB are refused. Raises `ManifestError`.
    """
    content = _decoded(text, source)
    objects = []
    for value, line in _documents(content, source):
        if value is None:
            continue
        if not isinstance(value, dict):
            raise ManifestError(f"a manifest is an object, this is {KINDS[type(value)]}", source, line)
        objects.append(value)
    if not objects:
        raise ManifestError("holds no object", source)
    return objects


def _decoded(text: str | bytes, source: str) -> str:
    if len(text) > MAX_BYTES:
        raise ManifestError(f"is larger than {MAX_BYTES} bytes", source)
    content = (_text(text, source) if isinstance(text, bytes) else text).removeprefix("\ufeff")
    if found := UNPRINTABLE.search(content):
        line = content.count("\n", 0, found.start()) + 1
        column = found.start() - content.rfind("\n", 0, found.start())
        raise ManifestError(f"the character U+{ord(found[0]):04X} is not allowed", source, line, column)
    return content


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(f"byte {error.start + 1} is not UTF-8", source, line) from error


def _documents(content: str, source: str) -> Iterator[tuple[Any, int]]:
    """As kubectl: a text that begins with `{` is a stream of JSON objects, any other is YAML."""
    if content.startswith("{", _after_space(content, 0)):
        return _json_documents(content, source)
    return Composer(content, source).documents()


def _json_documents(content: str, source: str) -> Iterator[tuple[Any, int]]:
    line, counted, values = 1, 0, 0
    position = _after_space(content, 0)
    while position < len(content):
        line, counted = line + content.count("\n", counted, position), position
        try:
            value, end = JSON.raw_decode(content, position)
        except json.JSONDecodeError as error:
            message = f"what begins with {{ must be JSON: {error.msg}"
            raise ManifestError(message, source, error.lineno, error.colno) from None
        except (RefusedJSONError, RecursionError) as refusal:
            raise _located(refusal, content[position:], source, line) from None
        values += _checked_size(value, source, line)
        if values > MAX_VALUES:
            raise ManifestError(f"holds more than {MAX_VALUES} values", source, line)
        yield value, line
        position = _after_space(content, end)


def _after_space(content: str, position: int) -> int:
    match = JSON_SPACE.match(content, position)
    return match.end() if match else position


class RefusedJSONError(ValueError):
    """JSON that is well formed but not acceptable."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, child in pairs:
        if key in value:
            raise RefusedJSONError(f'duplicate key "{shortened(key)}"')
        value[key] = child
    return value


def _float(digits: str) -> int | float:
    try:
        return stored_float(float(digits))
    except OverflowError as error:
        raise RefusedJSONError(str(error)) from None


def _integer(digits: str) -> int | float:
    try:
        return stored_integer(digits)
    except OverflowError as error:
        raise RefusedJSONError(str(error)) from None


def _constant(name: str) -> Any:
    raise RefusedJSONError(f"{name} is not JSON")


JSON = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
)


def _located(refusal: Exception, text: str, source: str, line: int) -> ManifestError:
    """The same refusal with line and column, which the JSON reader does not have and the YAML reader does."""
    message = TOO_DEEP if isinstance(refusal, RecursionError) else str(refusal)
    try:
        for _ in Composer(text, source, line).documents():
            pass
    except ManifestError as error:
        if error.message == message:
            return error
    return ManifestError(message, source, line)


def _checked_size(root: Any, source: str, line: int) -> int:
    """The number of values in `root`, after a look at its depth and its text."""
    level, depth, count = [root], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH:
            raise ManifestError(TOO_DEEP, source, line)
        for value in level:
            if isinstance(value, str) and not value.isascii():
                _check_encodable(value, source, line)
        level = [child for value in level for child in _children(value)]
    return count


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _check_encodable(text: str, source: str, line: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ManifestError("holds half of a surrogate pair (\\ud800 to \\udfff)", source, line) from None
