"""A whole process: how long from start to exit, and the memory that it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


# A child's largest resident set begins with that of the process that starts it: a small one must.
LAUNCHER = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
taken = time.perf_counter() - begin
child.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([taken, usage.ru_maxrss / 1024, child.returncode]))
"""


@dataclass
class Process:
    """A command that can be run again and again. `mebibytes`: the largest resident set so far."""

    command: Sequence[str]
    variables: Mapping[str, str]
    mebibytes: float = 0.0

    def seconds(self) -> float:
        """Of one run. Raises `SystemExit` where it fails."""
        finished = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, *self.command],
            cwd=ROOT,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=True,
        )
        taken, mebibytes, code = json.loads(finished.stdout)
        if code:
            raise SystemExit(f"{' '.join(self.command)} ended with {code}: {finished.stderr.strip()}")
        self.mebibytes = max(self.mebibytes, mebibytes)
        return float(taken)


def peak_mebibytes(run: Callable[[], object]) -> float:
    """Resident memory that a call adds in a child of its own, above what the parent holds."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        run()
        os.write(writer, b"done")
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        finished = pipe.read() == b"done"
    _, _, usage = os.wait4(child, 0)
    if not finished:
        raise SystemExit("the measured call failed")
    return usage.ru_maxrss / 1024
