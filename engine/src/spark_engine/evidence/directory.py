"""Artifact directories on disk: replaced in one step, never half-written."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from spark_crds.formats.evidence import EVIDENCE_FILE

from spark_engine.errors import StoreUnavailable

AT_FDCWD = -100
RENAME_EXCHANGE = 2


class NotOurs(Exception):
    """The target exists and holds something else than an artifact of ours."""


def write_directory(target: Path, files: Mapping[str, bytes | Path]) -> None:
    """Writes `files` to `target`, atomically; an artifact that is there already is replaced.

    A `Path` is a file of the same disk that is put there as it is, and stays where it was too.

    Raises `NotOurs`, or `StoreUnavailable` where the disk is full or read-only; nothing is left behind then.
    """
    target = target.resolve()  # through a link, which would else be replaced itself
    refuse_foreign(target)
    partial = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            _write_synced(partial / name, content)
        _sync(partial)
        _put_in_place(partial, target)
        _sync(target.parent)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {target}: {error.strerror or error}", field="--out") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_foreign(target: Path) -> None:
    """Raises `NotOurs` unless `target` is free to be written: absent, empty, or an artifact of ours."""
    if not target.exists():
        return
    if not target.is_dir():
        raise NotOurs(f"{target} is a file; name a directory")
    names = {path.name for path in target.iterdir()}
    if names and EVIDENCE_FILE not in names:
        raise NotOurs(f"{target} holds files that are no artifact of ours; name another directory")


def _write_synced(path: Path, content: bytes | Path) -> None:
    if isinstance(content, Path):
        _link_or_copy(content, path)
        _sync(path)
        return
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _link_or_copy(source: Path, path: Path) -> None:
    try:
        path.hardlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(partial: Path, target: Path) -> None:
    """`partial` becomes `target`; what was there before ends up at `partial`, to be removed."""
    if not target.exists():
        partial.rename(target)
    elif not _exchange(partial, target):
        previous = partial.with_suffix(".previous")
        target.rename(previous)
        partial.rename(target)
        shutil.rmtree(previous, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swaps two directories in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0)
