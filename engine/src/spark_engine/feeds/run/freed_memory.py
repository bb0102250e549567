"""Memory that is free, but that the allocator still holds."""

from __future__ import annotations

import ctypes
from typing import Final

_trim: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


def return_freed_memory() -> None:
    """To the system. glibc keeps whatever lies below a block that is still in use, which a process that
    lives for months would carry along; other allocators return it by themselves."""
    if _trim is not None:
        _trim(0)
