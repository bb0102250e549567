"""Compiles the kernel modules: ordinary Python files, made fast by Cython's pure-Python mode.

`-ffp-contract=off` is what keeps every bit equal on every machine: a fused multiply-add rounds once where
two operations round twice.
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED_MODULES = (
    "spark_engine.simulation.kernel",
    "spark_engine.simulation.signals",
    "spark_engine.simulation.columns",
    "spark_engine.data.scan",
)
COMPILE_ARGS = ["-O3", "-ffp-contract=off", "-fno-fast-math"]


def extension(module: str) -> Extension:
    return Extension(module, [f"src/{module.replace('.', '/')}.py"], extra_compile_args=COMPILE_ARGS)


setup(
    ext_modules=cythonize(
        [extension(module) for module in COMPILED_MODULES],
        build_dir="build/cython",
        language_level=3,
    )
)
