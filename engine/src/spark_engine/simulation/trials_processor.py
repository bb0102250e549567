"""Which build of the sweep's kernel this processor may run. All builds give the same bits."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
# The x86-64 psABI, table 3.1, as /proc/cpuinfo spells it; v1 to v2 are implied by these. abm is LZCNT.
X86_64_V3: Final = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})
PACKAGE: Final = __package__ or "spark_engine.simulation"


def level(cpuinfo: Path = CPUINFO) -> str:
    """`x86_64_v3` where the processor's flags say so, else `baseline`, as where there is no such file."""
    return "x86_64_v3" if _flags(cpuinfo) >= X86_64_V3 else "baseline"


def core(wanted: str | None = None) -> ModuleType:
    """`trials_core` as built for `wanted`, by default for this processor; the baseline if not built."""
    if (wanted or level()) == "x86_64_v3":
        try:
            return importlib.import_module(f"{PACKAGE}.x86_64_v3.trials_core")
        except ModuleNotFoundError:
            pass
    return importlib.import_module(f"{PACKAGE}.trials_core")


def _flags(cpuinfo: Path) -> set[str]:
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "flags":
                    return set(value.split())
    except OSError:
        pass
    return set()
