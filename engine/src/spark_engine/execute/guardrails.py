"""The effective guardrail limits of a run: a mounted file, pinned by its hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spark_crds.canonical import sha256_hex
from spark_crds.formats.run import GuardrailPin

from spark_engine.errors import InvalidSpec


def read_limits(path: Path, pin: GuardrailPin | None = None) -> dict[str, Any]:
    """The limits in guardrails.json. Raises `InvalidSpec` if it cannot be read or is not the pinned one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidSpec(f"cannot read {path}: {error.strerror}", field="guardrails") from None
    if pin is not None and sha256_hex(content) != pin.sha256:
        raise InvalidSpec(
            f"{path} has sha256 {sha256_hex(content)}, the run pins {pin.sha256}", field="guardrails.sha256"
        )
    try:
        limits = json.loads(content)
    except ValueError as error:
        raise InvalidSpec(f"{path} is not JSON: {error}", field="guardrails") from None
    if not isinstance(limits, dict):
        raise InvalidSpec(f"{path} must hold an object of limits", field="guardrails")
    return limits
