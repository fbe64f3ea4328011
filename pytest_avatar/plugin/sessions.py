"""How the fixtures open sessions, and how sessions are ended on somebody's behalf."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.adapters.client import AsyncAvatarSession, AvatarSession
from pytest_avatar.adapters.keeper import Keeper
from pytest_avatar.adapters.shield import ShieldedCalls
from pytest_avatar.core.conversation import Conversation, Service
from pytest_avatar.core.errors import AvatarError, ServiceError, SettingError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.interception import acting_as
from pytest_avatar.core.limits import LIMIT_STATUS
from pytest_avatar.core.placeholders import AVATAR_ID
from pytest_avatar.core.settings import Mode
from pytest_avatar.core.text import count
from pytest_avatar.core.wire import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from contextlib import AbstractContextManager

    from pytest_avatar.adapters.http import AsyncSender, Sender
    from pytest_avatar.adapters.offline import AsyncOfflineSender, OfflineSender
    from pytest_avatar.core.conversation import Steps
    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.core.model import AvatarOptions
    from pytest_avatar.plugin.run import AvatarRun

    Place = Callable[[], AbstractContextManager[Callable[[str], None]]]

__all__ = ["Sessions"]

_MOST_AT_ONCE: Final = 32
"""How many sessions are ended in parallel."""


class Sessions:
    """Opens the sessions of the fixtures, and ends whatever has to be ended.

    Args:
        run: The run of this process.
        place: Holds a place among the sessions that may be open at once, for as long as the session
            is open whose id it is told.
    """

    def __init__(self, run: AvatarRun, place: Place) -> None:
        settings = run.settings
        self._settings: Final = settings
        self._ledger: Final = run.ledger
        self._interceptor: Final = run.tapes.interceptor
        self._place: Final = place
        self._journal: Final = run.journal
        self._count_open: Final = run.count_open
        self._held: Final[set[str]] = set()
        self._creates: Final = ShieldedCalls()
        self._service: Final = Service(
            settings.base_url, run.dialect, run.secrets, settings.timeout
        )

    @cached_property
    def _sender(self) -> Sender | OfflineSender:
        if self._settings.mode is Mode.REPLAY:
            from pytest_avatar.adapters.offline import OfflineSender  # noqa: PLC0415 - one of two

            return OfflineSender(self._interceptor)
        if (journal := self._journal) is not None and self._settings.mode.is_live:
            from pytest_avatar.adapters.relaying import RelayingSender  # noqa: PLC0415 - as above

            return RelayingSender(self._interceptor, lambda: journal.relay)
        from pytest_avatar.adapters.http import Sender  # noqa: PLC0415 - imports httpx

        return Sender(self._settings.base_url)

    @cached_property
    def _async_sender(self) -> AsyncSender | AsyncOfflineSender:
        if self._settings.mode is Mode.REPLAY:
            from pytest_avatar.adapters.offline import AsyncOfflineSender  # noqa: PLC0415 - see above

            return AsyncOfflineSender(self._interceptor)
        from pytest_avatar.adapters.http import AsyncSender  # noqa: PLC0415 - as above

        return AsyncSender(self._settings.base_url, pooled=False)

    @cached_property
    def _keeper(self) -> Keeper | None:
        """Return what keeps sessions alive; nothing does in a replay, where no time passes."""
        if self._settings.mode is Mode.REPLAY:
            return None
        return Keeper(
            self._sender,
            interval=self._settings.keep_alive,
            longest_life=self._settings.max_session_duration,
        )

    @contextmanager
    def opened(self, ks: str, options: AvatarOptions) -> Generator[AvatarSession]:
        """Open a session, and end it on leaving, whatever happens."""
        __tracebackhide__ = True
        with self._place() as hold_for, self._conversation(ks, options) as conversation:
            hold_for(conversation.session_id)
            yield AvatarSession(conversation, self._sender)

    @contextmanager
    def opened_async(self, ks: str, options: AvatarOptions) -> Generator[AsyncAvatarSession]:
        """Open a session for `async` code, and end it on leaving.

        Create and end are sent synchronously: the test's event loop may not run yet, or may be
        closed by the time the session has to end.
        """
        __tracebackhide__ = True
        with self._place() as hold_for, self._conversation(ks, options) as conversation:
            hold_for(conversation.session_id)
            yield AsyncAvatarSession(conversation, self._async_sender)

    @contextmanager
    def _conversation(self, ks: str, options: AvatarOptions) -> Generator[Conversation]:
        __tracebackhide__ = True
        conversation: Conversation | None = None
        try:
            conversation = self._create(ks, options)
            if self._keeper is not None:
                self._keeper.add(conversation)
            yield conversation
        finally:
            if conversation is not None and self._ledger.is_ours:
                self._finish(conversation)
        if conversation is not None and conversation.outlived is not None:
            pytest.fail(conversation.outlived, pytrace=False)

    def _create(self, ks: str, options: AvatarOptions) -> Conversation:
        __tracebackhide__ = True
        try:
            options = options._replace(avatar_id=options.avatar_id or self._default_avatar())
            steps = self._service.create(ks, options)
            if not self._settings.mode.is_live:
                return self._perform_create(steps)
            return self._creates.make(lambda: self._perform_create(steps), kept=self._finish)
        except AvatarError as error:
            said = f"avatar session: {error}{self._at_the_limit(error)}"
            raise pytest.fail.Exception(said, pytrace=False) from None

    def _at_the_limit(self, error: AvatarError) -> str:
        """Return what else is to be said if the service's limit was met; empty if it was not."""
        if not isinstance(error, ServiceError) or error.status != LIMIT_STATUS:
            return ""
        return (
            f"\nThis run holds {count(self._count_open(), 'session')} now; "
            "avatar_max_sessions has tests wait for a free one."
        )

    def _perform_create(self, steps: Steps[Conversation]) -> Conversation:
        conversation = self._sender.perform(steps)
        self._held.add(conversation.session_id)
        return conversation

    def _default_avatar(self) -> str:
        if self._settings.avatar_id is not None:
            return self._settings.avatar_id
        if self._settings.mode.is_live:
            raise SettingError(
                "no avatar is set; give --avatar-id, AVATAR_ID, avatar_id in the ini, "
                "or @pytest.mark.avatar(avatar_id=…)",
                setting="avatar",
            )
        return AVATAR_ID

    def holds(self, record: SessionRecord) -> bool:
        """Whether a fixture opened a session and has not been torn down."""
        return record.session_id in self._held

    def _finish(self, conversation: Conversation) -> None:
        self._held.discard(conversation.session_id)
        if self._keeper is not None:
            self._keeper.remove(conversation)
        if conversation.is_open:
            self._end(conversation, Actor.FIXTURE)

    def end_all(self, records: Sequence[SessionRecord]) -> None:
        """End sessions on behalf of whoever left them open; the outcomes go to the ledger."""
        if not records:
            return
        if len(records) == 1:
            self._end_record(records[0])
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - seldom needed

        with ThreadPoolExecutor(min(len(records), _MOST_AT_ONCE)) as pool:
            list(pool.map(self._end_record, records))

    def _end_record(self, record: SessionRecord) -> None:
        token = self._ledger.token_of(record)
        if token is None or record.session_id is None:
            self._ledger.end_tried(
                record.key, Ending.NOT_ENDED, Actor.PLUGIN, None, "its token is not known"
            )
            return
        self._end(Conversation(self._service, record.session_id, token), Actor.PLUGIN)

    def _end(self, conversation: Conversation, actor: Actor) -> None:
        """End a session. No error leaves this: the ledger has heard every try."""
        with acting_as(actor):
            try:
                self._sender.perform(conversation.end())
            except AvatarError:
                conversation.closing_words = "it could not be ended"

    def close(self) -> None:
        """Stop keeping alive, and close the connections."""
        keeper: Keeper | None = self.__dict__.get("_keeper")
        if keeper is not None:
            keeper.close()
        self._creates.close()
        if "_sender" in self.__dict__:
            self._sender.close()
