"""Two versions: of the package, and of the rules of the simulation."""

from typing import Final

__version__: Final = "0.1.0"
SEMANTICS: Final = 1  # raised whenever any number may change; part of every evidence digest
