"""Threads: how many this process may use, and how they work through tasks until one fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
POLL_SECONDS: Final = 0.05

Task = Callable[[int, int], None]


def threads_available(root: Path = ROOT) -> int:
    """Whole processors for this process, at least 1: its affinity, cut to the quota of its control groups.

    Reads cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`), of the process's own group and every group above
    it, below `root`. A quota of 1.5 processors gives 2 threads. What cannot be read limits nothing.
    """
    quotas = [quota for quota in map(_quota, _groups(root)) if quota is not None]
    processors = _processors()
    return max(1, min([processors, *(-int(-quota // 1) for quota in quotas)]))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(root: Path) -> list[Path]:
    """The folders of this process's groups and of all above, in both hierarchies."""
    mount, folders = root / "sys/fs/cgroup", []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        bases = [mount / "cpu", mount / "cpu,cpuacct"] if controllers else [mount, mount / "unified"]
        parts = [part for part in group.split("/") if part not in ("", "..")]
        for base in bases:
            folders += [base.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return folders or [mount]


def _quota(group: Path) -> float | None:
    """Processors that the group may use; None: no limit."""
    both = _text(group / "cpu.max").split()
    if len(both) != 2:
        both = [_text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()]
    try:
        quota, period = int(both[0]), int(both[1])
    except ValueError:  # "max", or no such file
        return None
    return quota / period if quota > 0 and period > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


class Control:
    """What the compiled loops share with the calling thread: a flag to stop, a counter a thread."""

    def __init__(self, threads: int) -> None:
        self.stop = memoryview(bytearray(1)).cast("b")
        self.done = memoryview(bytearray(8 * threads)).cast("q")


def work(tasks: int, task: Task, threads: int, control: Control, tell: Callable[[], None]) -> None:
    """Runs task(number, thread) for the numbers [0, tasks), each once, on `threads` threads of its own.

    `tell` is called from the calling thread, about twenty times a second and at the end. The first failure of
    a task, or of `tell`, or a KeyboardInterrupt sets `control.stop`, waits for all threads and is raised.
    """
    crew = _Crew(tasks, task, control)
    members = [threading.Thread(target=crew.loop, args=(place,), daemon=True) for place in range(threads)]
    started: list[threading.Thread] = []
    try:
        for member in members[:tasks]:
            member.start()
            started.append(member)
        for member in started:
            while member.is_alive():
                member.join(POLL_SECONDS)
                tell()
    except BaseException:
        control.stop[0] = 1
        raise
    finally:
        for member in started:
            member.join()
    if crew.failures:
        raise crew.failures[0]
    tell()


class _Crew:
    """Hands out the numbers of tasks to the threads and keeps what went wrong."""

    def __init__(self, tasks: int, task: Task, control: Control) -> None:
        self._numbers = iter(range(tasks))
        self._task = task
        self._control = control
        self._lock = threading.Lock()
        self.failures: list[BaseException] = []

    def loop(self, place: int) -> None:
        try:
            while not self._control.stop[0]:
                with self._lock:
                    number = next(self._numbers, None)
                if number is None:
                    return
                self._task(number, place)
        except BaseException as failure:
            self.failures.append(failure)
            self._control.stop[0] = 1
