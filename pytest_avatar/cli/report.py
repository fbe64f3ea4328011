"""`pytest-avatar report`: turn JSON reports into the other forms, merge shards, check for leaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_avatar.adapters.reports import accepted_suffixes, check_suffix, write_report
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.report import Report
from pytest_avatar.core.report_merge import merge_reports
from pytest_avatar.core.summary import summarise, verdict_line

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = (
        "Read JSON reports, merge them if there are several, and say what they hold."
    )
    parser.add_argument("reports", metavar="REPORT.json", type=Path, nargs="+", help="what to read")
    parser.add_argument(
        "--output",
        metavar="PATH",
        type=Path,
        action="extend",
        nargs="+",
        default=[],
        help=f"what to write, the form by its suffix: {', '.join(accepted_suffixes)}",
    )
    parser.add_argument("--check", action="store_true", help="exit status 1 if there is a leak")


def run(arguments: argparse.Namespace) -> int:
    """Convert, merge and check; print the summary."""
    for path in arguments.output:
        check_suffix(path)
    report = merge_reports([_read(path) for path in arguments.reports])
    for path in arguments.output:
        _write(report, path)
    print(_summary(report))  # noqa: T201 - the command's output
    return 1 if arguments.check and report.failures else 0


def _summary(report: Report) -> str:
    summary = summarise(report, verbose=0)
    if summary is None:
        return verdict_line(report)
    titles = [summary.title] if summary.title else []
    return "\n".join([*titles, *(line.text for line in summary.lines)])


def _read(path: Path) -> Report:
    try:
        return Report.from_dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingError(
            f"{path} cannot be read as a JSON report of pytest-avatar: {reason}",
            setting="report files",
        ) from error


def _write(report: Report, path: Path) -> None:
    try:
        write_report(report, path)
    except OSError as error:
        raise SettingError(
            f"{path} cannot be written: {error.strerror}", setting="report files"
        ) from error
