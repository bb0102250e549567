"""Idempotency-Key: a run's name is a function of it, so that the API server itself refuses a second one."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_crds.canonical import digest

from spark_operator.api.problem import Problem, invalid

HEADER = "idempotency-key"
REQUEST_ANNOTATION = "spark.trading/request-digest"
KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
HASH_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class RunName:
    """`repeatable` where a key made the name."""

    name: str
    repeatable: bool


def run_name(key: str | None, caller: str, namespace: str, milliseconds: int) -> RunName:
    """`bt-<ms>-<8 hex>`, or with a key `bt-<hash>` of caller, namespace and key. Raises a 400 `Problem`."""
    if key is None:
        return RunName(f"bt-{milliseconds}-{secrets.token_hex(4)}", repeatable=False)
    bare = key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key
    if not KEY.fullmatch(bare):
        detail = "Idempotency-Key must have 1 to 255 printable ASCII characters and no space"
        raise Problem(400, "InvalidIdempotencyKey", detail)
    hashed = hashlib.sha256("\0".join((caller, namespace, bare)).encode()).hexdigest()
    return RunName(f"bt-{hashed[:HASH_CHARACTERS]}", repeatable=True)


def request_digest(body: Mapping[str, Any]) -> str:
    """What a replay must have in common with the first request. Raises a 422 `Problem`."""
    try:
        return digest(body)
    except ValueError as error:
        raise invalid("body", str(error)) from None


def require_same_request(run: Mapping[str, Any], body_digest: str) -> None:
    """Raises a 422 `Problem` where the key was used for another request."""
    annotations = run["metadata"].get("annotations") or {}
    if annotations.get(REQUEST_ANNOTATION) != body_digest:
        detail = "this Idempotency-Key was used for another request; use a new key for a new run"
        raise Problem(422, "IdempotencyKeyReused", detail)
