"""Names and labels of children. Deterministic, so that a repeated create meets its own first try."""

from __future__ import annotations

import base64
import hashlib

CHILD_NAME_PREFIX = 32
HASH_CHARACTERS = 10

RUN_LABEL = "spark.trading/run"
HARVESTED_LABEL = "spark.trading/harvested"
SPEC_HASH_ANNOTATION = "spark.trading/spec-hash"
RUN_SPEC_ANNOTATION = "spark.trading/run-spec"


def child_name(parent: str, uid: str, role: str, attempt: int) -> str:
    """At most 52 characters, so that an Indexed Job's pods still fit a DNS label."""
    return f"{parent[:CHILD_NAME_PREFIX].rstrip('-')}-{short_hash(uid, role)}-{attempt}"


def event_name(parent: str, uid: str, reason: str, attempt: int) -> str:
    """One Event a reason and attempt: a repeated POST is answered with 409."""
    return f"{parent}.{short_hash(uid, reason, str(attempt))}"


def short_hash(*parts: str) -> str:
    """Ten characters of a-z and 2-7."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_CHARACTERS]
