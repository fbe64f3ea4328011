"""A server that is the service, one that is not, and the wrappers between them and the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.interception import install
from tests.adapters.interception.loopback import ListeningTape, Server, make_interceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_avatar.core.interception import Interceptor


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def other_server() -> Iterator[Server]:
    """A host that is not the service."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def interceptor(server: Server) -> Interceptor:
    return make_interceptor(server.base)


@pytest.fixture
def tape(interceptor: Interceptor) -> ListeningTape:
    interceptor.tape = listening = ListeningTape()
    return listening


@pytest.fixture
def installed(interceptor: Interceptor, tape: ListeningTape) -> Iterator[Callable[[], None]]:
    uninstall = install(interceptor)
    yield uninstall
    uninstall()
