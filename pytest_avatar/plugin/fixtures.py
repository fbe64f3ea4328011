"""The fixtures that test authors ask for by name."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.plugin.markers import avatar, options_of
from pytest_avatar.plugin.options import session_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.adapters.client import AsyncAvatarSession, AvatarSession
    from pytest_avatar.core.settings import AvatarSettings
    from pytest_avatar.plugin.books import AvatarLedger
    from pytest_avatar.plugin.cassette import AvatarCassette
    from pytest_avatar.plugin.factory import AvatarSessionFactory
    from pytest_avatar.plugin.gateway import AvatarGateway
    from pytest_avatar.plugin.run import AvatarRun

__all__ = [
    "FIXTURES",
    "async_avatar_session",
    "avatar_cassette",
    "avatar_gateway",
    "avatar_ks",
    "avatar_ledger",
    "avatar_session",
    "avatar_session_factory",
    "avatar_settings",
]


@pytest.fixture(scope=session_scope)
def avatar_session(request: pytest.FixtureRequest, avatar_ks: str) -> Iterator[AvatarSession]:
    """An open avatar session, ended in teardown whatever happens."""
    __tracebackhide__ = True
    with _run(request).sessions.opened(avatar_ks, options_of(request.node)) as session:
        yield session


@pytest.fixture
def async_avatar_session(
    request: pytest.FixtureRequest, avatar_ks: str
) -> Iterator[AsyncAvatarSession]:
    """An open avatar session for `async` tests, ended in teardown whatever happens.

    Not an async fixture: it works under pytest-asyncio and anyio alike, and when the test closed
    its event loop.
    """
    __tracebackhide__ = True
    with _run(request).sessions.opened_async(avatar_ks, options_of(request.node)) as session:
        yield session


@pytest.fixture
def avatar_session_factory(
    request: pytest.FixtureRequest, avatar_ks: str
) -> Iterator[AvatarSessionFactory]:
    """A callable that opens more sessions, all ended in teardown, newest first."""
    __tracebackhide__ = True
    sessions, marked = _run(request).sessions, options_of(request.node)
    with ExitStack() as stack:

        def open_session(**given: Any) -> AvatarSession:  # noqa: ANN401 - see the protocol
            __tracebackhide__ = True
            options = avatar(**given).or_else(marked)
            return stack.enter_context(sessions.opened(avatar_ks, options))

        yield open_session


@pytest.fixture(scope="session")
def avatar_settings(request: pytest.FixtureRequest) -> AvatarSettings:
    """The resolved settings of the run, read-only."""
    return _run(request).settings


@pytest.fixture(scope="session")
def avatar_ks(request: pytest.FixtureRequest) -> str:
    """The Kaltura Session that opens sessions; override it in a `conftest.py` to mint one."""
    __tracebackhide__ = True
    return _run(request).ks


@pytest.fixture(scope="session")
def avatar_ledger(request: pytest.FixtureRequest) -> AvatarLedger:
    """The sessions of this run: `.sessions`, `.open_sessions`, `.assert_no_leaks()`."""
    from pytest_avatar.plugin.books import AvatarLedger  # noqa: PLC0415 - only who asks needs it

    return AvatarLedger(_run(request))


@pytest.fixture(scope="session")
def avatar_gateway(request: pytest.FixtureRequest) -> Iterator[AvatarGateway]:
    """A local server whose `.base_url` other processes use in place of the service's.

    What they send there is replayed, recorded, sent on or emulated as the mode says, and counted.
    While it runs, `AVATAR_BASE_URL` names it to child processes.
    """
    from pytest_avatar.plugin.gateway import running_gateway  # noqa: PLC0415 - needs the extra

    with running_gateway(_run(request)) as gateway:
        yield gateway


@pytest.fixture
def avatar_cassette(request: pytest.FixtureRequest) -> AvatarCassette:
    """The cassette in use: its path, and what has been played of it and what has not."""
    from pytest_avatar.plugin.cassette import AvatarCassette  # noqa: PLC0415 - as above

    return AvatarCassette(_run(request).tapes.of_test)


def _run(request: pytest.FixtureRequest) -> AvatarRun:
    """Return the run, which watches from now on."""
    from pytest_avatar.plugin.start import watching_run  # noqa: PLC0415 - only runs that use us

    return watching_run(request)


FIXTURES = frozenset(__all__) - {"FIXTURES"}
"""Names of the fixtures: a test that asks for one of them is watched."""
