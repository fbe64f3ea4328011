"""`pytest-avatar cassettes`: list the cassettes of a project, check them, prune orphans."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.cassettes.collection import collect
from pytest_avatar.adapters.cassettes.files import load_cassette
from pytest_avatar.core.cassette_check import (
    Finding,
    Problem,
    check_cassette,
    find_orphans,
    sessions_left_open,
)
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.text import count, printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pytest_avatar.core.cassette import Cassette

__all__ = ["add_arguments", "run"]

_SUFFIXES: Final = (".json", ".yaml", ".yml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = "Look after the cassettes of a project."
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="say what each cassette holds")
    check = actions.add_parser(
        "check",
        help="find secrets, sessions that are not ended and broken files: exit status 1",
    )
    check.add_argument(
        "--collect", action="store_true", help="collect the tests, to find cassettes of no test"
    )
    prune = actions.add_parser(
        "prune", help="collect the tests and remove the cassettes of none: exit status 1 if any"
    )
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    for action in (listing, check, prune):
        _add_common_arguments(action)
    for action in (check, prune):
        action.add_argument(
            "--pytest-arg",
            metavar="ARG",
            action="append",
            default=[],
            help="a further argument for the collection, repeatable: --pytest-arg=tests",
        )


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        metavar="PATH",
        type=Path,
        nargs="*",
        help="files, or folders with everything below them (default: cassettes)",
    )
    parser.add_argument("--json", action="store_true", help="write JSON to standard output")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; return the exit status.

    Raises:
        CassetteError: A path does not exist, or the tests cannot be collected.
    """
    files = list(_find_files(arguments.paths or [Path("cassettes")]))
    return _ACTIONS[arguments.action](files, arguments)


@dataclass(frozen=True, slots=True)
class _File:
    """One file: the cassette in it, or why there is none."""

    path: Path
    cassette: Cassette | None
    error: str | None

    @property
    def name(self) -> str:
        return self.path.as_posix()


def _find_files(paths: Sequence[Path]) -> Iterator[_File]:
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise CassetteError(f"there is no file or folder {path}")
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        found.update(dict.fromkeys(one for one in below if one.suffix in _SUFFIXES))
    for path in found:
        yield _read(path)


def _read(path: Path) -> _File:
    try:
        return _File(path, load_cassette(path), None)
    except CassetteError as error:
        return _File(path, None, str(error))


def _list(files: list[_File], arguments: argparse.Namespace) -> int:
    if arguments.json:
        _print_json({"cassettes": [_row(file) for file in files]})
        return 0
    for file in files:
        _print(f"{printable(file.name)}: {_content(file)}")
    return 0


def _row(file: _File) -> dict[str, Any]:
    if file.cassette is None:
        return {"cassette": file.name, "error": file.error}
    return {
        "cassette": file.name,
        "interactions": len(file.cassette.interactions),
        "left_open": sessions_left_open(file.cassette),
        "leaks_allowed": file.cassette.leaks_allowed,
    }


def _content(file: _File) -> str:
    if file.cassette is None:
        return "broken"
    still_open = sessions_left_open(file.cassette)
    text = count(len(file.cassette.interactions), "interaction")
    return f"{text}, {count(len(still_open), 'session')} left open" if still_open else text


def _check(files: list[_File], arguments: argparse.Namespace) -> int:
    findings = [finding for file in files for finding in _check_file(file)]
    if arguments.collect:
        findings += [
            Finding(file.name, Problem.ORPHAN, "no collected test uses it")
            for file in _orphans(files, arguments.pytest_arg)
        ]
    if arguments.json:
        rows = [asdict(finding) for finding in findings]
        _print_json({"checked": len(files), "findings": rows})
    else:
        for finding in findings:
            _print(_line(finding))
        _print(f"{count(len(files), 'cassette')} checked, {count(len(findings), 'finding')}")
    return 1 if findings else 0


def _check_file(file: _File) -> Iterator[Finding]:
    if file.cassette is None:
        yield Finding(file.name, Problem.BROKEN, file.error or "")
        return
    yield from check_cassette(file.name, file.cassette, file.path.read_bytes())


def _line(finding: Finding) -> str:
    if finding.problem is Problem.BROKEN:
        return printable(finding.text, 500)
    return f"{printable(finding.cassette)}: {finding.problem}: {finding.text}"


def _prune(files: list[_File], arguments: argparse.Namespace) -> int:
    orphans = _orphans(files, arguments.pytest_arg)
    if not arguments.dry_run:
        for orphan in orphans:
            orphan.path.unlink()
    if arguments.json:
        _print_json({"pruned": [orphan.name for orphan in orphans], "dry_run": arguments.dry_run})
    else:
        done = "would remove" if arguments.dry_run else "removed"
        for orphan in orphans:
            _print(f"{done} {printable(orphan.name)}")
        _print(f"{done} {count(len(orphans), 'cassette')}")
    return 1 if orphans else 0


def _orphans(files: list[_File], pytest_arguments: Sequence[str]) -> list[_File]:
    """Return the readable cassettes below the cassette folder that no collected test uses."""
    collected = collect(pytest_arguments)
    folder = collected.folder.resolve()
    below = {
        file.path.resolve().relative_to(folder).as_posix(): file
        for file in files
        if file.cassette is not None and file.path.resolve().is_relative_to(folder)
    }
    return [below[path] for path in find_orphans(below, collected.cassettes)]


def _print_json(data: dict[str, Any]) -> None:
    _print(json.dumps(data, indent=2))


def _print(text: str) -> None:
    print(text)  # noqa: T201 - the command's output


_ACTIONS: Final = {"list": _list, "check": _check, "prune": _prune}
