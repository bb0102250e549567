"""What a piece of work needed for a while is the system's again."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
from spark_engine.feeds.run.freed_memory import return_freed_memory

MIB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc, which alone keeps it"
)
def test_memory_below_a_block_in_use_goes_back_to_the_system() -> None:
    blocks = [bytes(1024) for _ in range(50_000)]
    in_use = blocks[::1000]
    del blocks
    before = resident_bytes()
    return_freed_memory()
    assert before - resident_bytes() > 30 * MIB
    assert len(in_use) == 50
