"""Environments of other packages than the engine's, made on first use and kept in the cache of the user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spark-trading"


class Unavailable(Exception):
    """The environment could not be made: no network, or no wheel for this machine."""


def python_with(name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of the environment `name` with exactly these pinned requirements in it."""
    folder = HOME / name
    interpreter, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    pinned = sha256("\n".join((*requirements, sys.version)).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == pinned:
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    sys.stderr.write(f"installing {', '.join(requirements)} into {folder}\n")
    # Not venv.create: inside an environment it would link to that environment's interpreter.
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
    stamp.write_text(pinned)
    return interpreter


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        said = (finished.stderr + finished.stdout).strip().splitlines()
        raise Unavailable(said[-1] if said else f"{command[0]} ended with {finished.returncode}")
