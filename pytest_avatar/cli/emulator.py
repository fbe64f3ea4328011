"""`pytest-avatar emulator`: the emulator in a process of its own."""

from __future__ import annotations

import argparse
import queue
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, get_args

from pytest_avatar.core.setting_values import read_ks
from pytest_avatar.emulator.emulator import Emulator
from pytest_avatar.emulator.faults import parse_fault
from pytest_avatar.emulator.switches import AvatarField, CreatePath, SecondEnd, Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["add_arguments", "run"]

Value = TypeVar("Value")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = (
        "Serve the whole Control API on a local port until interrupted. The first line on standard "
        "output is the base URL; the page of books is at the root of the same address."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8787, help="0 = any free one (%(default)s)")
    parser.add_argument(
        "--ks",
        metavar="KS|@FILE",
        type=_argument(read_ks),
        help="the only KS that may create (any)",
    )
    parser.add_argument(
        "--unauthorised-ks",
        metavar="KS|@FILE",
        type=_argument(read_ks),
        action="append",
        default=[],
        help="a KS that is answered 403; repeatable",
    )
    parser.add_argument(
        "--fault",
        metavar="OPERATION:NAME=VALUE,...",
        type=_argument(parse_fault),
        action="append",
        default=[],
        help="something that goes wrong, e.g. end:status=500,times=2; repeatable",
    )
    _add_switches(parser)


def _add_switches(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where the service's sources disagree")
    defaults = Switches()
    group.add_argument(
        "--create-path",
        choices=get_args(CreatePath),
        default=defaults.create_path,
        help="where create lives (%(default)s)",
    )
    group.add_argument(
        "--avatar-field",
        choices=get_args(AvatarField),
        default=defaults.avatar_field,
        help="what visualConfig calls the avatar (%(default)s)",
    )
    group.add_argument(
        "--second-end",
        type=int,
        choices=get_args(SecondEnd),
        default=defaults.second_end,
        help="what end answers the second time (%(default)s)",
    )
    group.add_argument(
        "--no-say-text", dest="say_text", action="store_false", help="say-text answers 503"
    )
    group.add_argument(
        "--max-sessions", type=int, metavar="N", help="most open at once, 429 beyond (no limit)"
    )
    group.add_argument(
        "--token-lifetime",
        type=float,
        metavar="SECONDS",
        default=defaults.token_lifetime,
        help="until a session token expires (%(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, then print one line of totals."""
    emulator = Emulator(
        ks=arguments.ks,
        unauthorised_ks=arguments.unauthorised_ks,
        switches=Switches(
            create_path=arguments.create_path,
            avatar_field=arguments.avatar_field,
            second_end=arguments.second_end,
            say_text=arguments.say_text,
            max_sessions=arguments.max_sessions,
            token_lifetime=arguments.token_lifetime,
        ),
        faults=arguments.fault,
        host=arguments.host,
        port=arguments.port,
    )
    with _stop_signals() as stop_signals, emulator:
        print(emulator.base_url, flush=True)  # noqa: T201 - the command's output
        _wait_for(stop_signals)
    print(emulator.books.totals, file=sys.stderr)  # noqa: T201 - the command's output
    return 0


def _argument(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return a reader whose refusals argparse prints as they are, without the value."""

    def convert(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


@contextmanager
def _stop_signals() -> Generator[queue.SimpleQueue[int]]:
    """Collect SIGINT and SIGTERM in a queue, whose `put` is safe in a signal handler."""
    received: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda number, _: received.put(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for(received: queue.SimpleQueue[int]) -> None:
    """Wait for a signal, looking up each second: a wait is not interrupted on Windows."""
    while True:
        try:
            received.get(timeout=1)
        except queue.Empty:
            continue
        return
