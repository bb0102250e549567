"""Processes that outlive the command which started them, known by pid AND start time, never by name.

The record is written by the new process itself, before it becomes the program: there is no moment at which a
process runs that a later `down` does not know.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECORDED = 'cat /proc/$$/stat /proc/sys/kernel/random/boot_id > "$0" && exec "$@"'
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STATE, START_TIME = 0, 19  # fields of /proc/PID/stat, counted after the name in parentheses
SECONDS_TO_END = 20


@dataclass(frozen=True)
class Process:
    """One that was started. `start_time` is in clock ticks since the boot whose id is `boot`."""

    name: str
    pid: int
    start_time: int
    boot: str

    @property
    def alive(self) -> bool:
        """Whether it still runs: a pid that another process has by now is not it."""
        if self.boot != BOOT_ID.read_text().strip():
            return False
        try:
            fields = _after_name(Path(f"/proc/{self.pid}/stat").read_text())
        except (FileNotFoundError, ProcessLookupError):
            return False
        return fields[STATE] not in "ZX" and int(fields[START_TIME]) == self.start_time

    def end(self) -> None:
        """Kills it and waits until it is gone: what a test cluster holds is thrown away."""
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.pid)
            try:
                # The pid cannot change hands between the look and the signal: the descriptor holds it.
                if self.alive:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
        until = time.monotonic() + SECONDS_TO_END
        while self.alive:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} (pid {self.pid}) does not end")
            time.sleep(0.01)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)


@dataclass(frozen=True)
class Processes:
    """The processes of one cluster: records and logs in its directory."""

    directory: Path

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        records, logs = self.directory / "processes", self.directory / "logs"
        records.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            subprocess.Popen(
                ["sh", "-c", RECORDED, records / name, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )

    def recorded(self) -> dict[str, Process]:
        found = {}
        for record in sorted((self.directory / "processes").glob("*")):
            with contextlib.suppress(ValueError, IndexError):  # killed while it wrote its record
                found[record.name] = _read(record)
        return found

    def dead(self) -> list[str]:
        return [name for name, process in self.recorded().items() if not process.alive]

    def end(self, *names: str) -> None:
        """Ends those named, in this order."""
        recorded = self.recorded()
        for name in names:
            if name in recorded:
                recorded[name].end()

    def end_all(self, *first: str) -> None:
        """Ends those named, in this order, then all others."""
        self.end(*first, *self.recorded())

    def told(self, name: str) -> str:
        """The end of what it wrote."""
        log = self.directory / "logs" / f"{name}.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)"


def running(program: str, argument: str) -> list[Process]:
    """The processes of `program` (its file's name) that were given exactly this argument."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            command = (directory / "cmdline").read_text(errors="replace").split("\0")
            if Path(command[0]).name == program and argument in command:
                start_time = int(_after_name((directory / "stat").read_text())[START_TIME])
                found.append(Process(program, int(directory.name), start_time, BOOT_ID.read_text().strip()))
    return found


def _read(record: Path) -> Process:
    stat, boot = record.read_text().splitlines()
    return Process(record.name, int(stat.split()[0]), int(_after_name(stat)[START_TIME]), boot)


def _after_name(stat: str) -> list[str]:
    return stat.rpartition(")")[2].split()
