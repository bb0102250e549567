"""What is in the operator image, and as whom it runs: operator and API, and nothing of the engine."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.image.conftest import Container

if TYPE_CHECKING:
    from tests.images import Buildah

pytestmark = pytest.mark.image

ENGINE = ["spark_engine", "polars", "numpy", "pandas", "pyarrow", "arro3", "Cython"]
TOOLS = ["setuptools", "pip", "pytest", "hypothesis", "mypy"]
LARGEST_ENVIRONMENT = 260_000_000
WITHOUT_BYTECODE = """
import importlib.util, pathlib, sys
UNCHECKED_HASH = 1
for source in pathlib.Path("/opt/venv/lib").rglob("*.py"):
    compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
    if not compiled.exists() or int.from_bytes(compiled.read_bytes()[4:8], "little") != UNCHECKED_HASH:
        print(source)
"""


@pytest.fixture(scope="module")
def operator(buildah: Buildah, operator_image: str) -> Container:
    return Container.of(buildah, operator_image)


def test_the_image_runs_as_nobody_and_starts_the_operator(operator: Container) -> None:
    assert operator.config["User"] == "65532:65532"
    assert operator.entry_point == ["python", "-m", "spark_operator"]


@pytest.mark.parametrize("module", ["spark_operator", "spark_operator.api"])
def test_operator_and_api_start_from_it(operator: Container, module: str) -> None:
    told = operator.run("python", "-m", module, "--help")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"usage: python -m {module}")


def test_nothing_of_the_engine_and_no_build_tool_can_be_imported(operator: Container) -> None:
    probe = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    found = operator.run("python", "-c", probe, *ENGINE, *TOOLS)
    assert found.stdout.strip() == "[]", found.stderr


def test_its_user_owns_nothing(operator: Container) -> None:
    assert [path for path in operator.root.rglob("*") if path.lstat().st_uid == operator.user] == []


def test_every_module_is_baked_as_bytecode_that_is_never_checked(operator: Container) -> None:
    found = operator.run("python", "-c", WITHOUT_BYTECODE)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr


def test_the_labels_tell_name_version_licence_and_base(operator: Container) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in operator.config["Labels"].items()
    }
    assert labels["title"] == "spark-operator"
    assert labels["version"] == version("spark-operator")
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"].startswith("localhost/python-base:")


def test_what_we_add_to_python_stays_small(operator: Container, capsys: pytest.CaptureFixture[str]) -> None:
    added = [
        path for path in (operator.root / "opt/venv").rglob("*") if path.is_file() and not path.is_symlink()
    ]
    size = sum(path.stat().st_size for path in added)
    with capsys.disabled():
        print(f"\noperator image: /opt/venv {size / 1e6:.0f} MB")
    assert size < LARGEST_ENVIRONMENT
