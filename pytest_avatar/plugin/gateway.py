"""The gateway as test authors see it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["AvatarGateway", "running_gateway"]


@dataclass(frozen=True, slots=True)
class AvatarGateway:
    """A local server that stands for the service.

    Attributes:
        base_url: What to hand to the process under test in place of the service's base URL.
    """

    base_url: str


@contextmanager
def running_gateway(run: AvatarRun) -> Generator[AvatarGateway]:
    """Run a gateway to the service of this run, and name it to child processes meanwhile."""
    try:
        from pytest_avatar.adapters.gateway import Gateway  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        pytest.fail(
            f"avatar_gateway needs {(error.name or 'uvicorn').partition('.')[0]}, which is not "
            'installed. Install it: pip install "pytest-avatar[emulator]"',
            pytrace=False,
        )
    gateway = Gateway(run.settings.base_url)
    gateway.start()
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AVATAR_BASE_URL", gateway.base_url)
            yield AvatarGateway(gateway.base_url)
    finally:
        gateway.stop()
