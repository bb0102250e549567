"""YAML events to values, within bounds: depth, number of values and size after aliases are expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from spark_crds.manifest.error import ManifestError
from spark_crds.manifest.scalar import resolve_plain, resolve_tagged

MAX_DEPTH = 100
MAX_VALUES = 100_000
MAX_EXPANDED_CHARACTERS = 2 * 1024 * 1024
MERGE = "<<"
LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class Composer:
    """The documents of one YAML text. `first_line` is the line of the source on which the text begins."""

    def __init__(self, text: str, source: str, first_line: int = 1) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=LOADER))
        self._source = source
        self._first_line = first_line
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._open_anchors: set[str] = set()
        self._values = 0
        self._characters = 0
        self._last_mark: Any = None

    def documents(self) -> Iterator[tuple[Any, int]]:
        """Each document's value and line. Raises `ManifestError`."""
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                first = self._next()
                self._check_start(event, first)
                yield self._value(first, 1), first.start_mark.line + self._first_line

    def _check_start(self, event: Any, first: Any) -> None:
        if event.version or event.tags:
            self._fail("kubectl refuses YAML directives (%YAML, %TAG); remove them", event.start_mark)
        if event.explicit and first.start_mark.line == event.start_mark.line and _has_content(first):
            self._fail("a document begins on the line after ---; kubectl refuses this one", first.start_mark)

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        values, characters = self._values, self._characters
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        value = self._node(event, depth)
        if event.anchor is not None:
            self._open_anchors.discard(event.anchor)
            self._anchors[event.anchor] = (value, self._values - values, self._characters - characters)
        return value

    def _node(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            self._count(event, 1, len(event.value))
            return self._scalar(event)
        if depth >= MAX_DEPTH:
            self._fail(f"is nested deeper than {MAX_DEPTH} levels", event.start_mark)
        self._count(event, 1, 2)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return self._mapping(depth)

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        own: set[str] = set()
        mapping: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if _is_merge(event):
                self._merge(mapping, self._next(), depth)
                continue
            key = self._key(self._value(event, depth + 1), event)
            if key in own:
                self._fail(f'duplicate key "{shortened(key)}"', event.start_mark)
            own.add(key)
            mapping[key] = self._value(self._next(), depth + 1)
        return mapping

    def _merge(self, mapping: dict[str, Any], event: Any, depth: int) -> None:
        """go-yaml merges where `<<` stands, so a key before it would be lost: refused as a duplicate."""
        merged = self._value(event, depth + 1)
        parts = merged if isinstance(merged, list) else [merged]
        if not all(isinstance(part, dict) for part in parts):
            self._fail("<< takes an object or a list of objects", event.start_mark)
        additions: dict[str, Any] = {}
        for part in reversed(parts):
            additions |= part
        for key in additions:
            if key in mapping:
                self._fail(f'duplicate key "{shortened(key)}": << would replace it', event.start_mark)
        mapping |= additions

    def _key(self, value: Any, event: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        kinds = {float: "a number with a fraction or beyond 64 bits", list: "a list", dict: "an object"}
        kind = kinds.get(type(value), "null")
        return self._fail(f"{kind} cannot be a key; write it in quotes", event.start_mark)

    def _scalar(self, event: Any) -> Any:
        try:
            if event.tag not in (None, "!"):
                return resolve_tagged(event.tag, event.value)
            return resolve_plain(event.value) if event.implicit[0] and event.tag is None else event.value
        except (ValueError, OverflowError) as error:
            return self._fail(str(error), event.start_mark)

    def _alias(self, event: Any) -> Any:
        if event.anchor in self._open_anchors:
            self._fail(f"the anchor {shortened(event.anchor)} contains itself", event.start_mark)
        if event.anchor not in self._anchors:
            self._fail(f"unknown anchor {shortened(event.anchor)}", event.start_mark)
        value, values, characters = self._anchors[event.anchor]
        self._count(event, values, characters)
        return value

    def _count(self, event: Any, values: int, characters: int) -> None:
        self._values += values
        self._characters += characters
        if self._values > MAX_VALUES:
            self._fail(f"holds more than {MAX_VALUES} values, aliases expanded", event.start_mark)
        if self._characters > MAX_EXPANDED_CHARACTERS:
            limit = f"{MAX_EXPANDED_CHARACTERS} characters"
            self._fail(f"is larger than {limit}, aliases expanded", event.start_mark)

    def _next(self) -> Any:
        try:
            event = next(self._events)
        except yaml.MarkedYAMLError as error:
            self._fail(error.problem or error.context or "is not YAML", error.problem_mark)
        except yaml.YAMLError as error:
            self._fail(str(error).splitlines()[0], self._last_mark)
        self._last_mark = event.start_mark
        return event

    def _fail(self, message: str, mark: Any) -> NoReturn:
        if mark is None:
            raise ManifestError(message, self._source)
        raise ManifestError(message, self._source, mark.line + self._first_line, mark.column + 1)


def _is_merge(event: Any) -> bool:
    plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.tag is None
    return plain and event.value == MERGE


def _has_content(event: Any) -> bool:
    return not (isinstance(event, yaml.ScalarEvent) and event.value == "" and event.style is None)


def shortened(text: str) -> str:
    """A key or an anchor for a message."""
    return text if len(text) <= 60 else text[:57] + "..."
