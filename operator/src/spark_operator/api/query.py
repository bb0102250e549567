"""Query parameters, checked, and the filters and pages of lists."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from spark_operator.api.cache import Entry, Position
from spark_operator.api.problem import Problem, invalid
from spark_operator.core.vocabulary import Word

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
DEFAULT_LIMIT = 100
MOST = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty fields let everything through."""

    status: str = ""
    strategy: str = ""
    symbol: str = ""

    def matches(self, entry: Entry) -> bool:
        return (
            self.status in ("", entry.word.value)
            and self.strategy in ("", entry.strategy)
            and self.symbol in ("", entry.symbol)
        )


def refuse_unknown(parameters: Mapping[str, str], allowed: Iterable[str]) -> None:
    """Raises a 400 `Problem`: a filter with a typo would show everything."""
    known = sorted(allowed)
    for name in parameters:
        if name not in known:
            taken = ", ".join(known) or "none"
            raise Problem(400, "UnknownParameter", f"unknown query parameter {name!r}; allowed: {taken}")


def namespace_of(parameters: Mapping[str, str], default: str) -> str:
    """Raises a 422 `Problem`."""
    namespace = parameters.get("namespace", default)
    if not NAMESPACE.fullmatch(namespace):
        raise invalid("namespace", "must be the name of a namespace: lower case letters, digits and -")
    return namespace


def filter_of(parameters: Mapping[str, str]) -> Filter:
    """Raises a 422 `Problem`."""
    status = parameters.get("status", "")
    if status and status not in tuple(Word):
        raise invalid("status", f"must be one of {', '.join(Word)}")
    return Filter(status, parameters.get("strategy", ""), parameters.get("symbol", ""))


def limit_of(parameters: Mapping[str, str]) -> int:
    """Raises a 422 `Problem`."""
    text = parameters.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise invalid("limit", f"must be a whole number from 1 to {MOST}")
    return int(text)


def position_of(parameters: Mapping[str, str]) -> Position | None:
    """Where the last page ended. Raises a 422 `Problem`."""
    token = parameters.get("continue", "")
    if not token:
        return None
    try:
        match json.loads(base64.urlsafe_b64decode(token.encode())):
            case [str(created), str(name)]:
                return created, name
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise invalid("continue", "must be the `continue` of a former answer")


def token_of(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


def page(entries: Iterable[Entry], chosen: Filter, limit: int) -> tuple[list[Entry], str]:
    """The first `limit` entries that match, and the token of the next page: empty on the last."""
    found = list(islice(filter(chosen.matches, entries), limit + 1))
    return found[:limit], token_of(found[limit - 1].position) if len(found) > limit else ""
