"""HTML pages and packages that a command writes beside an artifact directory, never into it."""

from __future__ import annotations

import os
from pathlib import Path

from spark_engine.command.usage import Usage
from spark_engine.errors import StoreUnavailable


def require_outside(target: Path, directory: Path, option: str) -> None:
    """Raises `Usage` where `target` is a directory or lies within `directory`, which is evidence."""
    if target.is_dir():
        raise Usage(f"{option} {target} is a directory; name a file")
    if target.resolve().is_relative_to(directory.resolve()):
        raise Usage(
            f"{option} {target} lies in the artifact directory, which is evidence; name a file elsewhere"
        )


def write_file(target: Path, content: bytes, option: str) -> None:
    """Whole or not at all. Raises `StoreUnavailable`."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {target}: {error.strerror}", field=option) from None
    finally:
        partial.unlink(missing_ok=True)
