"""Files and directories of this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from spark_engine.data.files import (
    CANDLE_FILES,
    FIELD,
    Source,
    is_candle_file,
    many_files,
    one_file,
    require_size,
)
from spark_engine.errors import InvalidData


def read_local(path: Path) -> Source:
    """A file, or every candle file below a directory. Raises `InvalidData` for what cannot be read."""
    try:
        return many_files(_directory(path)) if path.is_dir() else one_file(path.name, _file(path))
    except FileNotFoundError:
        raise InvalidData(f"there is no {str(path)[:200]}", field=FIELD) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidData(f"{str(path)[:200]!r} cannot be read: {reason}", field=FIELD) from None


def _file(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InvalidData(f"{path} is neither a file nor a directory", field=FIELD)
    require_size(status.st_size, str(path))
    return path.read_bytes()


def _directory(folder: Path) -> dict[str, bytes]:
    found = {}
    size = 0
    for name in _candle_files(folder):
        found[name] = _file(folder / name)
        size += len(found[name])
        require_size(size, str(folder))
    if not found:
        raise InvalidData(f"{folder} has no file named {CANDLE_FILES}", field=FIELD)
    return found


def _candle_files(folder: Path) -> list[str]:
    names = []
    for parent, _folders, files in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        names += [(relative / name).as_posix() for name in files]
    return sorted(filter(is_candle_file, names))
