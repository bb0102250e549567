"""`backtest new-strategy`: a working package to start from."""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from spark_engine.command.console import note
from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.strategies.registry import built_in

DETAILS = """\
examples:
  backtest new-strategy mean-reversion
  cd mean-reversion && PYTHONPATH=src backtest run -f run.yaml

It holds a strategy of each form, a test, a manifest and a Dockerfile: docs/strategies.md goes through it.
"""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_NAME = 40
SUFFIX = ".template"
TAKEN = ("numpy", "polars", "pydantic", "pytest", "spark-crds", "spark-engine", "spark-operator", "tests")


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands, "new-strategy", execute, "write a package with a strategy of your own", DETAILS
    )
    parser.add_argument("name", help="its name: lower case letters, digits and single hyphens")


def execute(options: argparse.Namespace) -> int:
    check_name(options.name)
    folder = Path(options.name)
    write_package(folder, options.name)
    print(folder)
    note(f"next: cd {folder} && PYTHONPATH=src backtest run -f run.yaml")
    return 0


def check_name(name: str) -> None:
    """Raises `Usage` for what cannot name a project, a Python package, a strategy and a run at once."""
    package = package_of(name)
    if not NAME.fullmatch(name) or not 2 <= len(name) <= MAX_NAME:
        raise Usage(
            f"{name!r} is no name for a strategy: 2 to {MAX_NAME} lower case letters, digits and single "
            "hyphens, a letter first, as mean-reversion"
        )
    if keyword.iskeyword(package) or keyword.issoftkeyword(package) or package in sys.stdlib_module_names:
        raise Usage(f"{name!r} is a word of Python or a module of its library: choose another name")
    if built_in(name) is not None or name in TAKEN:
        raise Usage(f"{name!r} is taken: choose another name")


def write_package(folder: Path, name: str) -> None:
    """Writes the package into the new `folder`. Raises `Usage` where there is something already."""
    try:
        folder.mkdir(parents=True)
        for path, text in rendered(name):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise Usage(f"{folder} exists: choose another name, or remove it") from None
    except OSError as error:
        raise Usage(f"cannot write {error.filename or folder}: {error.strerror}") from None


def rendered(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Path and text of every file of the package."""
    renamed = {"PACKAGE": package_of(name), "TESTS": "tests", "gitignore": ".gitignore"}
    root = files("spark_engine.command") / "templates" / "strategy"
    for path, text in _templates(root, PurePosixPath()):
        yield (
            PurePosixPath(*(renamed.get(part, part) for part in path.parts)),
            text.replace("@name@", name).replace("@package@", package_of(name)),
        )


def package_of(name: str) -> str:
    """The Python package of a project's name."""
    return name.replace("-", "_")


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(SUFFIX):
            yield path / entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")
