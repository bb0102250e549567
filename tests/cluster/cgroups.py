"""The control group below which the kubelet puts every pod: the sure way to find what runs in them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
SECONDS_TO_END = 20


def name_of(cluster: str) -> str:
    return f"spark-{cluster}"


def create(cluster: str) -> None:
    """Makes the group in each hierarchy (version 1) or in the one (version 2)."""
    for hierarchy in _hierarchies():
        group = hierarchy / name_of(cluster)
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group of version 1, and then unusable
            if (group / setting).exists() and not (group / setting).read_text().strip():
                (group / setting).write_text((hierarchy / setting).read_text())


def end(cluster: str) -> None:
    """Kills every process in the group and below, and waits until none is left."""
    until = time.monotonic() + SECONDS_TO_END
    while found := members(cluster):
        if time.monotonic() > until:
            raise RuntimeError(f"processes of pods do not end: {sorted(found)}")
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def remove(cluster: str) -> None:
    """Removes the group and those below it. The kernel takes a moment to let go of ended processes."""
    until = time.monotonic() + SECONDS_TO_END
    for hierarchy in _hierarchies():
        group = hierarchy / name_of(cluster)
        while group.exists():
            for below in _groups(group):
                with contextlib.suppress(OSError):
                    below.rmdir()
            if group.exists() and time.monotonic() > until:
                raise RuntimeError(f"{group} cannot be removed")
            time.sleep(0.02)


def members(cluster: str) -> set[int]:
    """The pids in the group and below."""
    found: set[int] = set()
    for hierarchy in _hierarchies():
        for group in _groups(hierarchy / name_of(cluster)):
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
    return found


def _groups(group: Path) -> Iterator[Path]:
    """The group and those below it, the lowest first. Groups may go while they are looked for, which
    `Path.glob` of Python 3.11 does not bear."""
    return (Path(folder) for folder, _, _ in os.walk(group, topdown=False))


def _hierarchies() -> Iterator[Path]:
    if (ROOT / "cgroup.controllers").exists():
        yield ROOT
        return
    seen = set()
    for hierarchy in sorted(ROOT.iterdir()):
        if (hierarchy / "cgroup.procs").exists() and hierarchy.resolve() not in seen:
            seen.add(hierarchy.resolve())
            yield hierarchy
