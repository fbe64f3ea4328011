"""The tape of a replay while no test of ours runs: it has no answer to anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from pytest_avatar.core.errors import CassetteError

if TYPE_CHECKING:
    from pytest_avatar.core.interception import Exchange
    from pytest_avatar.core.wire import Response

__all__ = ["RefusingTape"]


class RefusingTape:
    """Refuses every request.

    Args:
        refusals: Where each refusal is written down, for requests whose sender swallows errors.
    """

    def __init__(self, refusals: list[str]) -> None:
        self._refusals: Final = refusals

    def begin(self, exchange: Exchange) -> NoReturn:
        """Refuse.

        Raises:
            CassetteError: Always.
        """
        operation = exchange.call.operation or "a request that the Control API does not know"
        message = (
            f"{operation}, sent with {exchange.client}, has no cassette: it was sent outside any "
            "test, or by a test that uses no fixture or marker of pytest-avatar.\n"
            "Expected: in a replay every request belongs to a test that is watched.\n"
            "Mark the test with @pytest.mark.avatar_cassette(), or set avatar_watch = true."
        )
        self._refusals.append(message)
        raise CassetteError(message)

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Nothing is sent, so nothing is answered."""

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        """Nothing is sent, so nothing fails."""
