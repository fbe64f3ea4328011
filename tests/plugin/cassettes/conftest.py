from __future__ import annotations

import sys
from typing import TYPE_CHECKING

# Runs within this process forget what they were the first to import.
import fastapi  # noqa: F401
import hypothesis  # noqa: F401
import pytest
import pytest_httpx  # noqa: F401
import requests  # noqa: F401
import respx  # noqa: F401
import vcr  # type: ignore[import-untyped]  # noqa: F401

from tests.plugin.cassettes.project import Project, other_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.downstream import EmulatorProcess


@pytest.fixture(scope="session")
def other_service() -> Iterator[str]:
    """The base URL of another service, which lives on another day."""
    with other_emulator(days_ahead=40) as base_url:
        yield base_url


@pytest.fixture
def project(
    clean_environment: None,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    emulator_process: EmulatorProcess,
) -> Project:
    """A project whose application opens sessions, with no tests yet.

    Nothing of it is kept as bytecode: tests change it within a second.
    """
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Project(pytester, monkeypatch, emulator_process.base_url)
    made.found()
    return made
