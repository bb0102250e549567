"""A strategy by what a spec says of it: the name of a built-in or of an installed one, or an entry point."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spark_engine.errors import InvalidSpec, InvalidStrategy
from spark_engine.strategies.prints import prints_to_stderr
from spark_engine.strategies.registry import BUILT_IN, built_in, unknown
from spark_engine.strategies.table import FIELD, Strategy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "spark_engine.strategies"


def load(strategy: Mapping[str, Any], seed: int = 0) -> Strategy:
    """The strategy of `spec.strategy`; `seed` is what a vector strategy gets that asks for it.

    Raises `InvalidSpec` for a name that no strategy has, `InvalidStrategy` for code that cannot be imported
    or is no strategy. A built-in keeps its name, whatever is installed.
    """
    name, entry_point = strategy.get("name"), strategy.get("entryPoint")
    if (name is None) == (entry_point is None):
        raise InvalidSpec("takes exactly one of name and entryPoint", field=FIELD)
    if name is None:
        return _imported(str(entry_point), str(entry_point), seed)
    found = built_in(str(name))
    if found is not None:
        return found
    registered = installed()
    if name not in registered:
        raise unknown(str(name), [*(one.name for one in BUILT_IN), *registered])
    return _imported(str(name), registered[str(name)].value, seed)


def installed() -> dict[str, EntryPoint]:
    """The strategies that installed packages register under the group `spark_engine.strategies`, by name."""
    from importlib.metadata import entry_points  # slow to import: a run of a built-in does without

    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: entry for entry in found if built_in(entry.name) is None}


def _imported(name: str, path: str, seed: int) -> Strategy:
    from spark_engine.strategies.code_digest import code_digest, root_of
    from spark_engine.strategies.user import Origin, user_strategy

    module_name, _, attribute = path.partition(":")
    if not (module_name and attribute.isidentifier()):
        raise InvalidSpec(f"must be package.module:Name, is {path!r}", field=f"{FIELD}.entryPoint")
    module = _module(module_name)
    if not hasattr(module, attribute):
        raise InvalidStrategy(f"{module_name} has no {attribute}", field=FIELD)
    root = root_of(module, sys.modules[module_name.partition(".")[0]])
    if root is None:
        raise InvalidStrategy(
            f"{module_name} lies in no file: its code cannot be named in evidence", field=FIELD
        )
    try:
        code = code_digest(root)
    except OSError as error:
        raise InvalidStrategy(f"cannot read {error.filename}: {error.strerror}", field=FIELD) from None
    return user_strategy(getattr(module, attribute), Origin(name, str(root), code), seed)


def _module(name: str) -> Any:
    with prints_to_stderr():
        try:
            return importlib.import_module(name)
        except BaseException as error:
            raise _import_failure(error, name) from None


def _import_failure(error: BaseException, name: str) -> BaseException:
    spec = None
    if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
        return InvalidStrategy(f"there is no module {error.name}: is its package installed?", field=FIELD)
    from spark_engine.strategies.failure import failure

    top = name.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    root = ""
    if spec is not None:
        root = (spec.submodule_search_locations or [spec.origin or ""])[0]
    return failure(error, root, f"cannot import {name}")
