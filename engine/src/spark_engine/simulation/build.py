"""How the kernel of this process was built: provenance, never part of a digest."""

from __future__ import annotations

from typing import Any

from spark_engine.simulation import kernel


def kernel_build() -> dict[str, Any]:
    compiled = not (kernel.__file__ or "").endswith(".py")
    return {"compiled": compiled, "build": "cython -O3 -ffp-contract=off" if compiled else "python"}
