"""Takes secrets out of pytest's reports: tracebacks, local variables, captured output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["scrub_report"]


def scrub_report(
    report: pytest.TestReport | pytest.CollectReport, scrub: Callable[[str], str]
) -> None:
    """Replace every secret in what a report shows; cheap for reports that show nothing."""
    report.sections = [(title, scrub(content)) for title, content in report.sections]
    if report.longrepr is not None:
        report.longrepr = _scrubbed(report.longrepr, scrub)


def _scrubbed(shown: Any, scrub: Callable[[str], str]) -> Any:  # noqa: ANN401 - pytest's own tree
    """Return the same tree of texts, scrubbed. pytest builds it of plain objects and lists."""
    if isinstance(shown, str):
        return scrub(shown)
    if isinstance(shown, tuple):
        return tuple(_scrubbed(part, scrub) for part in shown)
    if isinstance(shown, list):
        return [_scrubbed(part, scrub) for part in shown]
    if type(shown).__module__.startswith("_pytest."):
        for name, value in vars(shown).items():
            setattr(shown, name, _scrubbed(value, scrub))
    return shown
