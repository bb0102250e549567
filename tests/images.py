"""Images of this checkout, built from its Dockerfile by buildah: no container engine, no registry.

Storage is this checkout's own, so that two clones never meet: ~/.cache/spark-trading/images/<hash of path>.
The base image (Debian with Python, from the machine's own apt sources) is made once and shared by all clones.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.places import CACHE, CHECKOUT, checkout_hash, locked

IMAGES = CACHE / "images"
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SECONDS_FOR_A_BUILD = 1800
SECONDS_FOR_A_PROBE = 120


class NoBaseImageError(RuntimeError):
    """This machine has nothing to make a base image from."""


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


@contextmanager
def storage_of_checkout() -> Iterator[Buildah]:
    """buildah on this checkout's storage, held by one process at a time; leaves no container behind."""
    storage = IMAGES / checkout_hash()
    storage.mkdir(parents=True, exist_ok=True)
    (storage / "checkout").write_text(str(CHECKOUT))
    with locked(IMAGES / f"{storage.name}.lock"):
        tool = Buildah(storage, _driver(storage))
        tool("rm", "--all")
        yield tool
        tool("rm", "--all")


def build(buildah: Buildah, target: str) -> str:
    """The id of the image that the Dockerfile calls `target`. What an earlier build of it left is removed."""
    base = base_image(buildah)
    _forget_lost_checkouts()
    options = ["--build-arg", f"PYTHON_IMAGE={base}", "--layers" if buildah.layers else "--layers=false"]
    if CERTIFICATES.is_file():
        options += ["--volume", f"{CERTIFICATES.parent}:{CERTIFICATES.parent}:ro"]
        for variable in ("PIP_CERT", "SSL_CERT_FILE"):
            options += ["--build-arg", f"{variable}={CERTIFICATES}"]
    # A tag on the build stage keeps its layers from being pruned: they are the cache of the next build.
    for stage in (f"{target}-build", target) if buildah.layers else (target,):
        names = ["--target", stage, "--tag", f"spark/{stage}"]
        buildah("bud", "--isolation", "chroot", *options, *names, CHECKOUT)
    buildah("rmi", "--prune")
    return buildah("images", "--quiet", "--no-trunc", f"localhost/spark/{target}")


def push(buildah: Buildah, image: str, registry: str, name: str) -> str:
    """Pushes to a registry (host:port, plain HTTP); the reference by digest under which a node pulls it."""
    with tempfile.NamedTemporaryFile() as digest:
        target = f"docker://{registry}/{name}"
        buildah("push", "--quiet", "--tls-verify=false", "--digestfile", digest.name, image, target)
        return f"{registry}/{name}@{digest.read().decode()}"


def _driver(storage: Path) -> str:
    """The driver asked for (STORAGE_DRIVER); else overlay, ten times smaller and faster, where the kernel
    mounts it on this file system; else vfs, which works everywhere."""
    if asked := os.environ.get("STORAGE_DRIVER"):
        return asked
    probe = Buildah(storage, "overlay").command("info")
    overlay = subprocess.run(probe, capture_output=True, timeout=SECONDS_FOR_A_PROBE).returncode == 0
    return "overlay" if overlay else "vfs"


def base_image(buildah: Buildah) -> str:
    """The name of the base image: Debian with Python."""
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
    archive = IMAGES / f"{suite}-{hashlib.sha256(' '.join(BASE_PACKAGES).encode()).hexdigest()[:12]}.tar"
    with locked(IMAGES / "base.lock"):
        if not archive.exists():
            with tempfile.TemporaryDirectory(dir=IMAGES, prefix="debootstrap-") as directory:
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
    raise NoBaseImageError(f"apt on this machine has no source of {suite} main to make a base image from")


def _forget_lost_checkouts() -> None:
    for note in IMAGES.glob("*/checkout"):
        if not Path(note.read_text()).exists():
            for driver in ("overlay", "vfs"):
                Buildah(note.parent, driver)("rm", "--all")  # unmounts what a killed session left mounted
            shutil.rmtree(note.parent)


def checked(command: list[str]) -> str:
    """stdout of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_FOR_A_BUILD, cwd=CHECKOUT)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-6000:]}"
        )
    return done.stdout
