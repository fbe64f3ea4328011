"""One report over several: the shards of a run that was spread over machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_avatar.core.report import Allowance, Report, RunFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["merge_reports"]


def merge_reports(reports: Sequence[Report]) -> Report:
    """Return one report over the shards of a run; keys and processes get the shard's number.

    Args:
        reports: At least one.
    """
    if len(reports) == 1:
        return reports[0]
    numbered = list(enumerate(reports, 1))
    return Report(
        _merge_runs([report.run for report in reports]),
        tuple(
            session._replace(key=f"{number}/{session.key}")
            for number, report in numbered
            for session in report.sessions
        ),
        _merge_allowances(item for report in reports for item in report.allowances),
    )


def _merge_runs(runs: Sequence[RunFacts]) -> RunFacts:
    statuses = [run.exit_status for run in runs]
    names = dict.fromkeys(name for run in runs for name in run.versions)
    return RunFacts(
        mode=_joined(run.mode for run in runs),
        base_url=_joined(run.base_url for run in runs),
        versions={name: _joined(run.versions.get(name, "?") for run in runs) for name in names},
        started_at=min(run.started_at for run in runs),
        ended_at=max(run.ended_at for run in runs),
        exit_status=None if None in statuses else max(status or 0 for status in statuses),
        died=tuple(f"{number}/{died}" for number, run in enumerate(runs, 1) for died in run.died),
        missing=tuple(
            f"{number}: {text}" for number, run in enumerate(runs, 1) for text in run.missing
        ),
        limited_at=tuple(held for run in runs for held in run.limited_at),
    )


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _merge_allowances(allowances: Iterable[Allowance]) -> tuple[Allowance, ...]:
    merged: dict[tuple[str, str], Allowance] = {}
    for item in allowances:
        before = merged.get((item.place, item.reason))
        uses = item.uses + (before.uses if before else 0)
        merged[item.place, item.reason] = item._replace(uses=uses)
    return tuple(merged.values())
