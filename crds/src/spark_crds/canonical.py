"""The one byte form of a JSON value (RFC 8785), and the digests made from it."""

from __future__ import annotations

import hashlib
import json
from decimal import Context, Decimal
from typing import Any

import rfc8785

LARGEST_INTEGER = 2**53 - 1
EVERY_DIGIT = Context(prec=64)  # the default of 28 would round the longest decimals of a spec


def canonical(value: Any) -> bytes:
    """`value` as RFC 8785 bytes. Raises `ValueError` for NaN, infinities and integers beyond 2^53."""
    return rfc8785.dumps(value)


def parse_canonical(content: bytes) -> Any:
    """The value of RFC 8785 bytes, from which `canonical` makes the same bytes. Raises `ValueError`.

    Its numbers are doubles: one beyond 2^53 is written without a point, and is no integer all the same.
    """
    return json.loads(content, parse_int=_number)


def _number(text: str) -> int | float:
    value = int(text)
    return value if abs(value) <= LARGEST_INTEGER else float(text)


def canonical_decimal(text: str) -> str:
    """A decimal without exponent, leading or trailing zeros: "010.50" as "10.5", "-0" as "0"."""
    value = Decimal(text)
    return f"{value.normalize(EVERY_DIGIT):f}" if value else "0"


def sha256_hex(content: bytes) -> str:
    """Bare hex, as fields named `sha256` hold it."""
    return hashlib.sha256(content).hexdigest()


def digest(value: Any) -> str:
    """`sha256:<hex>` of the canonical form, as fields named `digest` hold it."""
    return f"sha256:{sha256_hex(canonical(value))}"
