"""Which code decided: the digest of a strategy's package."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

import rfc8785

LEFT_OUT = ("__pycache__",)


def root_of(module: ModuleType, top: ModuleType) -> Path | None:
    """The folder of the top-level package, or the file of a single module; None where it lies in no file."""
    if getattr(top, "__path__", None):
        folders = [Path(folder) for folder in top.__path__]
        own = Path(module.__file__).resolve() if module.__file__ else None
        inside = [folder for folder in folders if own is None or own.is_relative_to(folder.resolve())]
        return (inside or folders)[0].resolve()
    return Path(top.__file__).resolve() if top.__file__ else None


def code_digest(root: Path) -> str:
    """`sha256:...` of the RFC 8785 form of the sorted list of [path, sha256] of every file in `root`.

    Paths begin with the package's name. Compiled files (`__pycache__`) and hidden ones do not count; of a
    single module it is that file alone.
    """
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    listed = sorted(
        [path.relative_to(root.parent).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in files
        if not _left_out(path.relative_to(root.parent))
    )
    return f"sha256:{hashlib.sha256(rfc8785.dumps(listed)).hexdigest()}"


def _left_out(path: Path) -> bool:
    return any(part in LEFT_OUT or part.startswith(".") for part in path.parts)
