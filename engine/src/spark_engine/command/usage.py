"""What every command shares on the way in: its parser, files named by the user, and misuse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

Subparsers = argparse._SubParsersAction  # the type that add_subparsers returns has no public name
Execute = Callable[[argparse.Namespace], int]

MAX_INPUT_BYTES = 8 * 1024 * 1024


class Usage(Exception):
    """The command was called in a way that cannot work."""


def add_command(
    commands: Subparsers[argparse.ArgumentParser],
    name: str,
    execute: Execute,
    summary: str,
    details: str = "",
) -> argparse.ArgumentParser:
    """A subcommand whose help shows `summary` and then `details` as they are written."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(execute=execute)
    return parser


def read_input(name: str) -> bytes:
    """The bytes of a file, or of stdin for `-`. Raises `Usage`."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise Usage(f"cannot read {name}: {error.strerror}") from None
    if len(content) > MAX_INPUT_BYTES:
        raise Usage(f"{name} is larger than {MAX_INPUT_BYTES // 1024 // 1024} MiB")
    return content
