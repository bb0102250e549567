"""The engine image of this checkout, built and run by buildah: no container engine, no registry.

Storage is this checkout's own, so that two clones never meet: ~/.cache/spark-trading/images/<hash of path>.
The base image (Debian with Python, from the machine's own apt sources) is made once and shared by all clones.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "spark-trading" / "images"
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
SECONDS_FOR_A_BUILD = 1800
SECONDS_FOR_A_RUN = 120


@dataclass(frozen=True)
class Buildah:
    """buildah on one storage. Overlay layers are cached between builds; vfs copies the whole image for each
    layer, so there every build starts afresh."""

    storage: Path
    driver: str

    @property
    def layers(self) -> bool:
        return self.driver == "overlay"

    def command(self, *arguments: str | Path) -> list[str]:
        places = ["--root", self.storage / self.driver, "--runroot", self.storage / f"{self.driver}-run"]
        return ["buildah", "--storage-driver", self.driver, *map(str, [*places, *arguments])]

    def __call__(self, *arguments: str | Path) -> str:
        return checked(["nice", *self.command(*arguments)]).strip()


@dataclass(frozen=True)
class Container:
    """A container of the engine image: the user, directory and environment are those of the image."""

    buildah: Buildah
    id: str
    root: Path
    config: Mapping[str, Any]

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
def buildah() -> Iterator[Buildah]:
    """buildah on this checkout's storage, held by one session at a time; leaves no container behind."""
    storage = CACHE / hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    storage.mkdir(parents=True, exist_ok=True)
    (storage / "checkout").write_text(str(CHECKOUT))
    with locked(CACHE / f"{storage.name}.lock"):
        tool = Buildah(storage, _driver(storage))
        tool("rm", "--all")
        yield tool
        tool("rm", "--all")


@pytest.fixture(scope="session")
def engine_image(buildah: Buildah) -> str:
    """The id of the image, built as the Dockerfile says. What an earlier build left is removed."""
    base = _base_image(buildah)
    _forget_lost_checkouts()
    options = ["--build-arg", f"PYTHON_IMAGE={base}", "--layers" if buildah.layers else "--layers=false"]
    if CERTIFICATES.is_file():
        options += ["--volume", f"{CERTIFICATES.parent}:{CERTIFICATES.parent}:ro"]
        for variable in ("PIP_CERT", "SSL_CERT_FILE"):
            options += ["--build-arg", f"{variable}={CERTIFICATES}"]
    # A tag on the build stage keeps its layers from being pruned: they are the cache of the next build.
    for target in ("engine-build", "engine") if buildah.layers else ("engine",):
        buildah(
            "bud", "--isolation", "chroot", *options, "--target", target, "--tag", f"spark/{target}", CHECKOUT
        )
    buildah("rm", "--all")
    buildah("rmi", "--prune")
    return buildah("images", "--quiet", "--no-trunc", "localhost/spark/engine")


@pytest.fixture(scope="session")
def container(buildah: Buildah, engine_image: str) -> Container:
    identity = buildah("from", engine_image)
    image = json.loads(buildah("inspect", "--type", "image", engine_image))
    return Container(buildah, identity, Path(buildah("mount", identity)), image["OCIv1"]["config"])


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


def _driver(storage: Path) -> str:
    """The driver asked for (STORAGE_DRIVER); else overlay, ten times smaller and faster, where the kernel
    mounts it on this file system; else vfs, which works everywhere."""
    if asked := os.environ.get("STORAGE_DRIVER"):
        return asked
    probe = Buildah(storage, "overlay").command("info")
    overlay = subprocess.run(probe, capture_output=True, timeout=SECONDS_FOR_A_RUN).returncode == 0
    return "overlay" if overlay else "vfs"


def _base_image(buildah: Buildah) -> str:
    archive = _base_archive()
    name = f"localhost/python-base:{archive.stem}"
    if not buildah("images", "--quiet", "--filter", f"reference={name}"):
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, archive, "/")
        buildah("commit", "--quiet", "--rm", container, name)
    return name


def _base_archive() -> Path:
    """A minimal Debian with Python as a tar archive, named after what is in it."""
    mirror, suite = _apt_source()
    archive = CACHE / f"{suite}-{hashlib.sha256(' '.join(BASE_PACKAGES).encode()).hexdigest()[:12]}.tar"
    with locked(CACHE / "base.lock"):
        if not archive.exists():
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="debootstrap-") as directory:
                _debootstrap(Path(directory), mirror, suite, archive)
    return archive


def _debootstrap(directory: Path, mirror: str, suite: str, archive: Path) -> None:
    root, unfinished = directory / "root", directory / "root.tar"
    options = ("--variant=minbase", f"--include={','.join(BASE_PACKAGES)}")
    # Its own mount namespace: whatever debootstrap mounts is gone when it ends, however it ends.
    checked(["nice", "unshare", "--mount", "debootstrap", *options, suite, str(root), mirror])
    excluded = ("./dev/*", "./proc/*", "./var/cache/apt/archives/*.deb")
    patterns = [f"--exclude={pattern}" for pattern in excluded]
    checked(
        [
            "tar",
            "--create",
            "--numeric-owner",
            *patterns,
            "--file",
            str(unfinished),
            "--directory",
            str(root),
            ".",
        ]
    )
    unfinished.rename(archive)


def _apt_source() -> tuple[str, str]:
    """Mirror and suite that the machine's own packages come from."""
    suite = checked(["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"']).strip()
    listing = checked(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"])
    for line in listing.splitlines():
        mirror, release, component = line.split()
        if (release, component) == (suite, "main"):
            return mirror, suite
    return pytest.skip(f"apt on this machine has no source of {suite} main to make a base image from")


def _forget_lost_checkouts() -> None:
    for note in CACHE.glob("*/checkout"):
        if not Path(note.read_text()).exists():
            for driver in ("overlay", "vfs"):
                Buildah(note.parent, driver)("rm", "--all")  # unmounts what a killed session left mounted
            shutil.rmtree(note.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def checked(command: list[str]) -> str:
    """stdout of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_FOR_A_BUILD, cwd=CHECKOUT)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-6000:]}"
        )
    return done.stdout
