"""The engine image of this checkout (tests/images.py), run by buildah."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.images import Buildah, checked
from tests.places import CHECKOUT

EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
SECONDS_FOR_A_RUN = 120


@dataclass(frozen=True)
class Container:
    """A container of an image of ours: the user, directory and environment are those of the image."""

    buildah: Buildah
    id: str
    root: Path
    config: Mapping[str, Any]

    @classmethod
    def of(cls, buildah: Buildah, image: str) -> Container:
        """A new one, mounted."""
        identity = buildah("from", image)
        told = json.loads(buildah("inspect", "--type", "image", image))
        return cls(buildah, identity, Path(buildah("mount", identity)), told["OCIv1"]["config"])

    def run(
        self,
        *command: str,
        mounts: Mapping[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        options: list[str] = []
        for source, target in (mounts or {}).items():
            options += ["--volume", f"{source}:{target}"]
        for name, value in (environment or {}).items():
            options += ["--env", f"{name}={value}"]
        arguments = self.buildah.command("run", "--isolation", "chroot", *options, self.id, "--", *command)
        return subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS_FOR_A_RUN)

    @property
    def entry_point(self) -> list[str]:
        return list(self.config["Entrypoint"])

    @property
    def user(self) -> int:
        return int(self.config["User"].partition(":")[0])

    @property
    def packages(self) -> Path:
        """site-packages, seen from outside."""
        return next((self.root / "opt/venv/lib").glob("python3*/site-packages"))


@pytest.fixture(scope="session")
def container(buildah: Buildah, engine_image: str) -> Container:
    return Container.of(buildah, engine_image)


@pytest.fixture(scope="session")
def laptop_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact directory of the example, run by the Python of this checkout."""
    directory = tmp_path_factory.mktemp("laptop") / "artifact"
    command = [sys.executable, "-m", "spark_engine.command.main", "run", "-f", str(EXAMPLE)]
    checked([*command, "--out", str(directory), "--quiet"])
    return directory


@pytest.fixture
def writable(tmp_path: Path, container: Container) -> Path:
    """A directory that the container's user may write to: a volume, as a pod has it."""
    directory = tmp_path / "volume"
    directory.mkdir()
    os.chown(directory, container.user, container.user)
    return directory
