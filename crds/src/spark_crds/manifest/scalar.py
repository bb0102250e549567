"""YAML scalars as go-yaml v2 resolves them inside sigs.k8s.io/yaml, which is what kubectl uses.

Neither YAML 1.1 as PyYAML has it (`1:30` is text here, `1e-7` a number) nor YAML 1.2 (`y` and `on` are true).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TypeAlias

from spark_crds.manifest.number import INT64_MAX, INT64_MIN, stored_float, stored_integer

Scalar: TypeAlias = str | int | float | bool | None

TAG_PREFIX = "tag:yaml.org,2002:"
NON_FINITE = frozenset(
    sign + name for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")
) | frozenset({".nan", ".NaN", ".NAN"})
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
TAG_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "null": (type(None),),
}
DECIMAL_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
PREFIXED_INTEGER = re.compile(r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def resolve_plain(text: str) -> Scalar:
    """The value of a scalar that is neither quoted nor tagged. Raises `OverflowError` for infinities."""
    if text in WORDS:
        return WORDS[text]
    if text in NON_FINITE:
        raise OverflowError(f"{text} is not a number that JSON can hold")
    first = text[0]
    if first == ".":
        return _float_or_text(text, text)
    if first in "+-0123456789":
        plain = text.replace("_", "")
        integer = _integer(plain)
        return _float_or_text(plain, text) if integer is None else integer
    return text


def resolve_tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit tag. Raises `ValueError` where the text is not of that type."""
    name = tag.removeprefix(TAG_PREFIX)
    if name == tag or name not in (*TAG_TYPES, "binary"):
        return text
    if name == "binary":
        return _binary(text)
    value = resolve_plain(text)
    if not isinstance(value, TAG_TYPES[name]) or (name != "bool" and isinstance(value, bool)):
        raise ValueError(f"{text!r} is not of the type !!{name}")
    return value


def _integer(plain: str) -> int | float | None:
    if DECIMAL_INTEGER.fullmatch(plain):
        try:
            return stored_integer(plain)
        except OverflowError:  # kubectl takes it as text
            return None
    match = PREFIXED_INTEGER.fullmatch(plain)
    if match is None:
        return None
    sign, *groups = match.groups()
    digits, base = next((digits, base) for digits, base in zip(groups, (16, 2, 8), strict=True) if digits)
    if len(digits.lstrip("0")) > 64:
        return None
    value = int(digits, base) * (-1 if sign == "-" else 1)
    if INT64_MIN <= value <= INT64_MAX:
        return value
    return stored_float(float(value)) if not sign and value < 2**64 else None


def _float_or_text(plain: str, text: str) -> Scalar:
    if not FLOAT.fullmatch(plain):
        return text
    value = float(plain)
    return text if value in (float("inf"), float("-inf")) else stored_float(value)


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("!!binary holds no base64 of UTF-8 text") from error
