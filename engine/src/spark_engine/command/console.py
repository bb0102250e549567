"""The terminal: results on stdout, progress and complaints on stderr. rich honours NO_COLOR and pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from spark_engine.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 100


@cache
def output() -> Console:
    """Where results go. A pipe gets a fixed width, so that what it gets does not depend on the terminal."""
    from rich.console import Console

    class Results(Console):
        def on_broken_pipe(self) -> None:
            unread()  # and the command goes on to its own exit code, where rich would exit with 1

    return Results(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def unread() -> None:
    """Nobody reads the results any more: what is still written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """One error, on stderr, as `error: ...`."""
    coloured = sys.stderr.isatty() and not _no_color()
    prefix = "\x1b[1;31merror:\x1b[0m" if coloured else "error:"
    _say(f"{prefix} {printable(message, lines=True)}")


def note(message: str) -> None:
    """One line for a person, on stderr."""
    _say(printable(message, lines=True))


def _say(line: str) -> None:
    """A stderr that is full or that nobody reads changes nothing else."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")


def _ignore(_stage: str) -> None:
    """Shows nothing."""


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A function that shows the present stage: a spinner on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _ignore
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda stage: status.update(f"{stage} …")


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))
