"""The one byte form of a JSON value (RFC 8785), and the digests made from it."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """`value` as RFC 8785 bytes. Raises `ValueError` for NaN, infinities and integers beyond 2^53."""
    return rfc8785.dumps(value)


def sha256_hex(content: bytes) -> str:
    """Bare hex, as fields named `sha256` hold it."""
    return hashlib.sha256(content).hexdigest()


def digest(value: Any) -> str:
    """`sha256:<hex>` of the canonical form, as fields named `digest` hold it."""
    return f"sha256:{sha256_hex(canonical(value))}"
