"""The fixed cases of engine/tests/determinism give one digest each, whoever built the kernel: `make matrix`.

Every variant is a copy of the sources in a temporary directory, with kernels compiled for it; the tree stays
as it is. Each runs the cases with 1, 2 and 8 threads. Exit code 1 where any digest is not the pinned one.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_engine.version import SEMANTICS

from bench.environments import Unavailable, python_with
from bench.table import print_table

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / "engine" / "src", ROOT / "crds" / "src")
CASES = ROOT / "engine" / "tests" / "determinism" / "cases.py"
PINNED: dict[str, str] = json.loads(CASES.with_name("pinned.json").read_text())[str(SEMANTICS)]
COMMON = ("-shared", "-fPIC", "-ffp-contract=off", "-fno-fast-math", "-DNDEBUG")
CLANG = ("ziglang==0.17.0",)
PYTHONS = ("3.11", "3.12", "3.13")
X86 = platform.machine() == "x86_64"
# Cython's checks print what they found instead of raising it where a function has no error value.
UNRAISABLE = re.compile(r"Exception ignored|IndexError|OverflowError")


class NotRun(Exception):
    """Why this machine cannot build or run a variant."""


class Broken(Exception):
    """A variant that does not compile, or whose cases fail."""


@dataclass(frozen=True, slots=True)
class Variant:
    """`checked`: indices are checked. `flags` None: not compiled at all."""

    name: str
    compiler: str = "gcc"
    flags: tuple[str, ...] | None = ("-O3",)
    python: str = PYTHONS[0]
    checked: bool = False


def variants() -> Iterator[Variant]:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    yield Variant("gcc -O3", python=here)
    yield Variant("gcc -O0", flags=("-O0",), python=here)
    yield Variant("gcc -O3, checked indices", python=here, checked=True)
    if X86:
        yield Variant("gcc -O3 -march=x86-64-v3", flags=("-O3", "-march=x86-64-v3"), python=here)
        yield Variant("clang -O0, x86-64-v1", "clang", ("-O0", "-mcpu=x86_64"), here)
        yield Variant("clang -O3, x86-64-v1", "clang", ("-O3", "-mcpu=x86_64"), here)
        yield Variant("clang -O3, x86-64-v3", "clang", ("-O3", "-mcpu=x86_64_v3"), here)
    else:
        yield Variant("clang -O3", "clang", python=here)
    yield Variant("not compiled", flags=None, python=here)
    for version in PYTHONS:
        if version != here:
            yield Variant(f"gcc -O3, Python {version}", python=version)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.matrix", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", default="", help="only variants whose name has this in it")
    part = parser.parse_args().part
    rows, differ = [], False
    with tempfile.TemporaryDirectory(prefix="spark-matrix-") as folder:
        written = Written(Path(folder))
        for number, variant in enumerate(each for each in variants() if part in each.name):
            try:
                told = run(variant, written, Path(folder) / str(number))
            except (NotRun, Unavailable) as reason:
                rows.append([variant.name, "-", f"not run: {reason}"])
                continue
            except Broken as failure:
                sys.stderr.write(f"  {variant.name}: {failure}\n")
                rows.append([variant.name, "-", "BROKEN"])
                differ = True
                continue
            wrong = [name for name in PINNED if told["digests"].get(name) != PINNED[name]]
            differ |= bool(wrong)
            outcome = f"DIFFER: {', '.join(wrong)}" if wrong else f"all {len(PINNED)} equal"
            rows.append([variant.name, told["python"], outcome])
            sys.stderr.write(f"  {variant.name}: {outcome}\n")
    print_table("Digests of the fixed cases, with 1, 2 and 8 threads", ["build", "Python", "digests"], rows)
    return 1 if differ else 0


def run(variant: Variant, written: Written, target: Path) -> dict[str, Any]:
    """What the cases say in this build. Raises `NotRun`."""
    python = interpreter(variant.python)
    for source in SOURCES:
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"), dirs_exist_ok=True
        )
    if variant.flags is not None:
        compile_into(
            target, written.sources(variant.checked), compiler(variant.compiler), variant.flags, python
        )
    finished = subprocess.run(
        [python, str(CASES)],
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode or UNRAISABLE.search(finished.stderr):
        raise Broken(finished.stderr)
    told: dict[str, Any] = json.loads(finished.stdout)
    if told["compiled"] is not (variant.flags is not None):
        raise Broken("ran another build than its own")
    return told


class Written:
    """The C of all kernel modules, with and without checks; one C serves every compiler and Python."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[bool, dict[str, Path]] = {}

    def sources(self, checked: bool) -> dict[str, Path]:
        if checked not in self._made:
            self._made[checked] = self._write(checked)
        return self._made[checked]

    def _write(self, checked: bool) -> dict[str, Path]:
        copy = self._folder / f"cython-{checked}"
        shutil.copytree(SOURCES[0], copy, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
        made = {module: copy / f"{module.replace('.', '/')}.py" for module in modules()}
        if checked:
            for path in copy.rglob("*.py"):
                path.write_text(with_checks(path.read_text(encoding="utf-8")), encoding="utf-8")
        command = [sys.executable, "-m", "cython", "-3", *map(str, made.values())]
        _run(command, copy)
        return {module: path.with_suffix(".c") for module, path in made.items()}


def with_checks(source: str) -> str:
    """The directives at the head of a file and of a function, turned to the careful side."""
    for name in ("boundscheck", "initializedcheck"):
        source = source.replace(f"{name}=False", f"{name}=True").replace(
            f"cython.{name}(False)", f"cython.{name}(True)"
        )
    return source


def modules() -> tuple[str, ...]:
    """`COMPILED_MODULES` of engine/setup.py, which cannot be imported: it builds."""
    for node in ast.parse((ROOT / "engine" / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id == "COMPILED_MODULES" for name in node.targets
        ):
            return tuple(ast.literal_eval(node.value))
    raise SystemExit("engine/setup.py names no COMPILED_MODULES")


def compile_into(
    target: Path, sources: dict[str, Path], command: Sequence[str], flags: Sequence[str], python: str
) -> None:
    include, suffix = _ask(python, "import sysconfig as s; print(s.get_paths()['include'])"), _suffix(python)
    if not Path(include, "Python.h").exists():
        raise NotRun(f"no Python.h in {include}")

    def build(module: str) -> None:
        output = target / f"{module.replace('.', '/')}{suffix}"
        _run([*command, *COMMON, *flags, f"-I{include}", str(sources[module]), "-o", str(output)], target)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(build, sources))


def compiler(name: str) -> list[str]:
    if name == "clang":
        return [str(python_with("ziglang", CLANG)), "-m", "ziglang", "cc", "-w"]
    if shutil.which("gcc") is None:
        raise NotRun("no gcc")
    return ["gcc", "-w"]


def interpreter(version: str) -> str:
    """A Python of that version: this one, of PATH, or of pyenv. Raises `NotRun`."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [sys.executable, shutil.which(f"python{version}") or ""]
    candidates += sorted(map(str, pyenv.glob(f"{version}.*/bin/python")), reverse=True)
    for candidate in filter(None, candidates):
        if _ask(candidate, "import sys; print('%d.%d' % sys.version_info[:2])") == version:
            return candidate
    raise NotRun(f"no Python {version} on this machine")


def _suffix(python: str) -> str:
    return _ask(python, "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'))")


def _ask(python: str, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def _run(command: Sequence[str], folder: Path) -> None:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise Broken(f"{' '.join(command)}:\n{finished.stderr[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
