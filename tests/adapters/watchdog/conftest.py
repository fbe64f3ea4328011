from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_avatar.adapters.watchdog.launcher import Watchdog
from pytest_avatar.emulator import Emulator
from tests.adapters.watchdog.harness import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MakeOwner(Protocol):
    def __call__(
        self,
        *,
        sessions: int = ...,
        fate: str = ...,
        total: float = ...,
        prefix: tuple[str, ...] = ...,
        env: dict[str, str] = ...,
    ) -> Owner: ...


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "run-1"
    path.mkdir(parents=True, mode=0o700)
    return path


@pytest.fixture
def journal(run_dir: Path) -> Path:
    path = run_dir / "main-1.jsonl"
    path.touch()
    return path


@pytest.fixture
def watchdog(journal: Path) -> Iterator[Watchdog]:
    started = Watchdog.start(journal)
    assert isinstance(started, Watchdog)
    assert started.why_not_ready() is None
    yield started
    started.stop()


@pytest.fixture
def make_owner(run_dir: Path, emulator: Emulator) -> Iterator[MakeOwner]:
    owners: list[Owner] = []

    def make(**options: Any) -> Owner:  # noqa: ANN401 - MakeOwner says which
        owners.append(Owner(run_dir, emulator.base_url, **options))
        return owners[-1]

    yield make
    for owner in owners:
        owner.clean_up()
