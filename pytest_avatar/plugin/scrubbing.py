"""What pytest's reports show: no secret, and no frames of libraries that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_avatar.core.attribution import is_library
from pytest_avatar.core.errors import AvatarError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["scrub_report", "shorten"]


def shorten(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Show an error of ours at the user's lines, not at those of the HTTP client."""
    if not report.failed or call.excinfo is None or not call.excinfo.errisinstance(AvatarError):
        return
    report.longrepr = call.excinfo.getrepr(
        style="long",
        chain=False,
        tbfilter=lambda info: info.traceback.filter(lambda entry: not is_library(entry.path)),
    )


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
