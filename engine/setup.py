"""Compiles the kernel modules: ordinary Python files, made fast by Cython's pure-Python mode.

`-ffp-contract=off` is what keeps every bit equal on every machine: a fused multiply-add rounds once where
two operations round twice.
"""

import platform

from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED_MODULES = (
    "spark_engine.simulation.kernel",
    "spark_engine.simulation.signals",
    "spark_engine.simulation.columns",
    "spark_engine.simulation.rows",
    "spark_engine.simulation.slots",
    "spark_engine.simulation.bars",
    "spark_engine.simulation.sizing",
    "spark_engine.simulation.episode",
    "spark_engine.simulation.order_book",
    "spark_engine.simulation.guardrails",
    "spark_engine.simulation.holding",
    "spark_engine.simulation.carry",
    "spark_engine.simulation.execution",
    "spark_engine.simulation.matching",
    "spark_engine.simulation.exchange",
    "spark_engine.simulation.trials_core",
    "spark_engine.data.memory",
    "spark_engine.data.scan",
    "spark_engine.statistics.cscv",
    "spark_engine.statistics.passes",
    "spark_engine.data.calendars.scan",
    "spark_engine.strategies.context",
    "spark_engine.strategies.indicators",
    "spark_engine.strategies.order",
)
# Sweeps live on vectors: compiled once more for processors with AVX2, into a folder of its own, and chosen
# when it is imported (simulation/trials_processor.py). Both give the same bits.
V3_MODULES = ("spark_engine.simulation.trials_core",) if platform.machine() in ("x86_64", "AMD64") else ()
V3_ARGS = ("-march=x86-64-v3",)
COMPILE_ARGS = ["-O3", "-ffp-contract=off", "-fno-fast-math"]


def extension(module: str, package: str = "", arguments: tuple[str, ...] = ()) -> Extension:
    """The module from its own source; `package` is the folder beside it that a further build goes to."""
    folder, _, name = module.rpartition(".")
    return Extension(
        ".".join(part for part in (folder, package, name) if part),
        [f"src/{module.replace('.', '/')}.py"],
        extra_compile_args=[*COMPILE_ARGS, *arguments],
    )


def compiled(extensions: list[Extension], folder: str) -> list[Extension]:
    """C files of two builds of one source must not meet: each in a folder of its own."""
    if not extensions:
        return []
    return cythonize(extensions, include_path=["src"], build_dir=f"build/{folder}", language_level=3)


setup(
    options={"build_ext": {"parallel": True}},
    ext_modules=[
        *compiled([extension(module) for module in COMPILED_MODULES], "cython"),
        *compiled([extension(module, "x86_64_v3", V3_ARGS) for module in V3_MODULES], "cython-v3"),
    ],
)
