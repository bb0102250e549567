"""What is in the engine image, and as whom it runs."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from spark_engine import __version__

if TYPE_CHECKING:
    from tests.image.conftest import Container

pytestmark = pytest.mark.image

CHECKOUT = Path(__file__).resolve().parents[2]
TABLES = ["pandas", "numpy", "polars", "pyarrow"]
CLUSTER = ["kubernetes", "kopf", "spark_operator"]
TOOLS = ["Cython", "setuptools", "pip", "pytest", "hypothesis", "mypy"]
COMMANDS = ["gcc", "cc", "ld", "make", "uv", "pip", "cython"]
UNCHECKED_HASH = 0b01  # PEP 552: by hash (bit 0), and the source is not looked at (bit 1 unset)
LARGEST_ENVIRONMENT = 200_000_000


def test_the_image_runs_as_nobody_and_starts_the_pod_entry_point(container: Container) -> None:
    assert container.config["User"] == "65532:65532"
    assert container.entry_point == ["python", "-m", "spark_engine.pod"]
    identity = container.run("python", "-c", "import os; print(os.getuid(), os.getgid(), os.getgroups())")
    assert identity.stdout.split() == ["65532", "65532", "[65532]"], identity.stderr


def test_its_user_can_write_nowhere_but_in_temporary_directories(container: Container) -> None:
    writable = {
        str(path.relative_to(container.root))
        for path in container.root.rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & stat.S_IWOTH and not _is_device(path)
    }
    owned = [path for path in container.root.rglob("*") if path.lstat().st_uid == container.user]
    assert writable <= {"tmp", "var/tmp", "run/lock"}
    assert owned == []


def test_no_table_library_no_cluster_client_and_no_build_tool_can_be_imported(container: Container) -> None:
    probe = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    found = container.run("python", "-c", probe, *TABLES, *CLUSTER, *TOOLS)
    assert found.stdout.strip() == "[]", found.stderr


def test_no_compiler_and_no_installer_is_on_the_path(container: Container) -> None:
    probe = "import shutil, sys; print([n for n in sys.argv[1:] if shutil.which(n)])"
    found = container.run("python", "-c", probe, *COMMANDS)
    assert found.stdout.strip() == "[]", found.stderr


def test_our_packages_hold_what_git_tracks_and_the_compiled_kernel_alone(container: Container) -> None:
    installed = {
        str(path.relative_to(container.packages))
        for package in ("spark_crds", "spark_engine")
        for path in (container.packages / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    compiled = {name for name in installed if name.endswith(".so")}
    missing = _tracked_sources() - installed
    assert installed - compiled <= _tracked_sources()
    assert {name for name in missing if not name.endswith(".md")} == set()
    # What sweeps live on is there twice, for processors with AVX2 in a folder of its own
    assert {name.partition(".")[0].replace("x86_64_v3/", "") for name in compiled} == _compiled_modules()


def test_no_tests_and_no_leftovers_of_the_build_are_inside(container: Container) -> None:
    names = {path.name for path in (container.root / "opt").rglob("*")}
    assert names.isdisjoint({"tests", "build", "uv", ".cache", "spark_engine.egg-info"})
    assert not (container.root / "src").exists()
    assert not list((container.root / "root").glob(".cache"))


def test_every_module_is_baked_as_bytecode_that_is_never_checked(container: Container) -> None:
    sources = list(container.packages.rglob("*.py"))
    flags = {path: _bytecode_flags(path) for path in sources}
    assert len(sources) > 500
    assert {path: flag for path, flag in flags.items() if flag != UNCHECKED_HASH} == {}


def test_the_labels_tell_name_version_licence_and_base(container: Container) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): v for name, v in container.config["Labels"].items()
    }
    assert labels["title"] == "spark-engine"
    assert labels["version"] == __version__
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"].startswith("localhost/python-base:")


def test_what_we_add_to_python_stays_small(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    image = _bytes_under(container.root)
    ours = _bytes_under(container.root / "opt/venv")
    with capsys.disabled():
        print(f"\nengine image: {image / 1e6:.0f} MB, of that /opt/venv {ours / 1e6:.0f} MB")
    assert ours < LARGEST_ENVIRONMENT


def test_the_command_is_on_the_path(container: Container) -> None:
    told = container.run("backtest", "--version")
    assert told.stdout.strip() == f"backtest {__version__}", told.stderr


def _is_device(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _tracked_sources() -> set[str]:
    """Paths below src/ of what git tracks, or would track once added."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "crds/src", "engine/src"]
    names = subprocess.run(
        listing, cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {name.partition("/src/")[2] for name in names if (CHECKOUT / name).is_file()}


def _compiled_modules() -> set[str]:
    setup = ast.parse((CHECKOUT / "engine/setup.py").read_text())
    for statement in setup.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "COMPILED_MODULES":
            return {module.replace(".", "/") for module in ast.literal_eval(statement.value)}
    raise LookupError("engine/setup.py names no COMPILED_MODULES")


def _bytecode_flags(source: Path) -> int | None:
    compiled = next((source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"), None)
    if compiled is None:
        return None
    with compiled.open("rb") as file:
        return int.from_bytes(file.read(8)[4:], "little")


def _bytes_under(directory: Path) -> int:
    return sum(
        entry.stat(follow_symlinks=False).st_size
        for place, _, names in os.walk(directory)
        for entry in (Path(place, name) for name in names)
    )
