"""The console command `pytest-avatar`.

Each subcommand has a module of its own, imported when it is asked for, with two functions:
`add_arguments(parser)` and `run(arguments)`, which returns the exit status.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from pytest_avatar.core.errors import AvatarError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_MISUSE: Final = 2


class _Module(Protocol):
    """What the module of a subcommand holds."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


class _Command(NamedTuple):
    name: str
    help: str
    module: str

    def load(self) -> _Module:
        return cast("_Module", import_module(self.module))


_COMMANDS: Final = (
    _Command(
        "cassettes",
        "list the cassettes of a project, check them, prune those of no test",
        "pytest_avatar.cli.cassettes",
    ),
    _Command(
        "emulator",
        "serve a stand-in for the avatar service on a local port",
        "pytest_avatar.cli.emulator",
    ),
    _Command(
        "reap",
        "end the sessions that dead test runs left open",
        "pytest_avatar.cli.reap",
    ),
    _Command(
        "report",
        "turn JSON reports into other forms, merge them, check them for leaks",
        "pytest_avatar.cli.report",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after the command's name; `None` takes those of the process.

    Returns:
        The exit status: that of the subcommand, or 2 with one line on standard error if it could
        not be used as asked.

    Raises:
        SystemExit: For `--help`, `--version` and arguments that are not understood.
    """
    given = sys.argv[1:] if argv is None else list(argv)
    chosen = next((command for command in _COMMANDS if given[:1] == [command.name]), None)
    parser = _parser(chosen)
    arguments = parser.parse_args(given)
    assert chosen is not None
    try:
        return chosen.load().run(arguments)
    except AvatarError as error:
        print(f"{parser.prog} {chosen.name}: {error}", file=sys.stderr)  # noqa: T201 - a command
        return _MISUSE


def _parser(chosen: _Command | None) -> argparse.ArgumentParser:
    """Return the parser; only the chosen subcommand's arguments are declared."""
    parser = argparse.ArgumentParser(
        prog="pytest-avatar",
        description="Avatar sessions that always end: tools beside the pytest plugin.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version("pytest-avatar"))
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, allow_abbrev=False)
        if command is chosen:
            command.load().add_arguments(subparser)
    return parser
