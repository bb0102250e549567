"""JSON to typed values, with one exception for all that can be wrong with bytes."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from spark_engine.errors import first_line
from spark_engine.feeds.provider import Malformed

T = TypeVar("T")
# ValueError: text that is no UTF-8. RecursionError: brackets within brackets.
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


def decoded(decoder: msgspec.json.Decoder[T], content: str | bytes) -> T:
    """Raises `Malformed`."""
    try:
        return decoder.decode(content)
    except UNREADABLE as error:
        raise Malformed(first_line(error)) from None
