"""The client, synchronous and asynchronous: what users call. The rules stand in the core."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from pytest_avatar.core.conversation import Conversation, Service
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.errors import AvatarError
from pytest_avatar.core.model import AvatarOptions, Token
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.setting_values import check_ks, read_base_url
from pytest_avatar.core.wire import DEFAULT_BASE_URL, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from pytest_avatar.adapters.http import AsyncSender, Sender
    from pytest_avatar.adapters.offline import AsyncOfflineSender, OfflineSender
    from pytest_avatar.core.connection import ClientConnection

    Audio = bytes | os.PathLike[str] | str | BinaryIO

__all__ = ["AsyncAvatarClient", "AsyncAvatarSession", "AvatarClient", "AvatarSession"]


class _Session:
    """What both kinds of session show of their conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation: Final = conversation

    @property
    def session_id(self) -> str:
        """The id that the service gave."""
        return self._conversation.session_id

    @property
    def token(self) -> Token:
        """What authorises calls to the session: a `str` whose `repr` is masked."""
        return self._conversation.token

    @property
    def base_url(self) -> str:
        """The base URL of the service it lives on."""
        return str(self._conversation.service.base)

    @property
    def is_open(self) -> bool:
        """Whether it can be spoken to, as far as is known here."""
        return self._conversation.is_open

    def __repr__(self) -> str:
        state = "open" if self.is_open else "ended"
        return f"<{type(self).__name__} {self.session_id} {state}>"


class AvatarSession(_Session):
    """One open session. Made by `AvatarClient.create_session` and by the fixtures.

    As a context manager it ends on leaving; an error inside the block is never hidden by one of
    ending.
    """

    def __init__(self, conversation: Conversation, sender: Sender | OfflineSender) -> None:
        super().__init__(conversation)
        self._sender: Final = sender

    def say_text(self, text: str, *, turn_id: str | None = None, is_final: bool = True) -> None:
        """Have the avatar speak a text.

        Args:
            text: What to say. No limit of length is documented.
            turn_id: Unique for a turn; `None` makes one up.
            is_final: `False` if more text of the same turn follows.

        Raises:
            AvatarError: It did not happen; see the tree in `pytest_avatar.core.errors`.
        """
        __tracebackhide__ = True
        self._sender.perform(self._conversation.say_text(text, turn_id, is_final=is_final))

    def say_audio(
        self,
        audio: Audio,
        *,
        duration: float,
        turn_id: str | None = None,
        media_type: str = "audio/mpeg",
    ) -> None:
        """Have the avatar speak a recording. It is queued: the call does not wait for the speech.

        Args:
            audio: The recording: its bytes, its path, or a file open for reading bytes.
            duration: Its length in seconds, more than 0; the service does not probe it (SDK).
            turn_id: Unique for a turn; `None` makes one up.
            media_type: MP3 is confirmed to work (SDK).

        Raises:
            AvatarError: It did not happen; see the tree in `pytest_avatar.core.errors`.
        """
        __tracebackhide__ = True
        steps = self._conversation.say_audio(
            _read_audio(audio), turn_id, duration=duration, media_type=media_type
        )
        self._sender.perform(steps)

    def interrupt(self) -> None:
        """Have the avatar stop speaking. Whether the queue is cleared too, the sources disagree."""
        __tracebackhide__ = True
        self._sender.perform(self._conversation.call(Operation.INTERRUPT))

    def keep_alive(self) -> None:
        """Tell the service that the session is still used; DOCS: every 10 seconds."""
        __tracebackhide__ = True
        self._sender.perform(self._conversation.call(Operation.KEEP_ALIVE))

    def init_client(self) -> ClientConnection:
        """Return what a browser needs to watch: `whep_url` and `turn`."""
        __tracebackhide__ = True
        return self._sender.perform(self._conversation.init_client())

    def end(self) -> None:
        """End the session. Twice is harmless.

        Tries again for at most 4 seconds while the outcome is uncertain.

        Raises:
            AvatarError: It could not be ended, or nobody can tell.
        """
        __tracebackhide__ = True
        if self.is_open:
            self._sender.perform(self._conversation.end())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        try:
            self.end()
        except AvatarError as failure:
            if error is None:
                raise
            error.add_note(str(failure))


class AsyncAvatarSession(_Session):
    """One open session, for `async` code; the same as `AvatarSession` with `await`."""

    def __init__(
        self, conversation: Conversation, sender: AsyncSender | AsyncOfflineSender
    ) -> None:
        super().__init__(conversation)
        self._sender: Final = sender

    async def say_text(
        self, text: str, *, turn_id: str | None = None, is_final: bool = True
    ) -> None:
        """Have the avatar speak a text; see `AvatarSession.say_text`."""
        __tracebackhide__ = True
        await self._sender.perform(self._conversation.say_text(text, turn_id, is_final=is_final))

    async def say_audio(
        self,
        audio: Audio,
        *,
        duration: float,
        turn_id: str | None = None,
        media_type: str = "audio/mpeg",
    ) -> None:
        """Have the avatar speak a recording; see `AvatarSession.say_audio`."""
        __tracebackhide__ = True
        steps = self._conversation.say_audio(
            _read_audio(audio), turn_id, duration=duration, media_type=media_type
        )
        await self._sender.perform(steps)

    async def interrupt(self) -> None:
        """Have the avatar stop speaking; see `AvatarSession.interrupt`."""
        __tracebackhide__ = True
        await self._sender.perform(self._conversation.call(Operation.INTERRUPT))

    async def keep_alive(self) -> None:
        """Tell the service that the session is still used; see `AvatarSession.keep_alive`."""
        __tracebackhide__ = True
        await self._sender.perform(self._conversation.call(Operation.KEEP_ALIVE))

    async def init_client(self) -> ClientConnection:
        """Return what a browser needs to watch: `whep_url` and `turn`."""
        __tracebackhide__ = True
        return await self._sender.perform(self._conversation.init_client())

    async def end(self) -> None:
        """End the session; see `AvatarSession.end`."""
        __tracebackhide__ = True
        if self.is_open:
            await self._sender.perform(self._conversation.end())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        import anyio  # noqa: PLC0415 - a replay may do without

        try:
            with anyio.CancelScope(shield=True):  # a cancelled task would not get to end it
                await self.end()
        except AvatarError as failure:
            if error is None:
                raise
            error.add_note(str(failure))


class _Client:
    """What both kinds of client know; see `AvatarClient`."""

    def __init__(
        self,
        ks: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 30.0,
        create_path: str | None = None,
        id_field: str | None = None,
    ) -> None:
        self._ks: Final = check_ks(ks)
        self._service: Final = Service(
            read_base_url(base_url, guards_secret=True),
            Dialect(create_path, id_field),
            Secrets(),
            timeout,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._service.base}>"


class AvatarClient(_Client):
    """Opens sessions on the avatar service. Works without pytest; safe to share between threads.

    Args:
        ks: The Kaltura Session that authorises create. Secret.
        base_url: Where the service lives.
        timeout: How long to wait for each part of an answer, in seconds.
        create_path: `""` or `"/create"`; `None` tries both and remembers.
        id_field: `"avatarId"` or `"id"`; `None` tries both and remembers.

    Raises:
        SettingError: The KS cannot be one, or the base URL cannot be used.
    """

    @cached_property
    def _sender(self) -> Sender:
        from pytest_avatar.adapters.http import Sender  # noqa: PLC0415 - 50 ms, for httpx

        return Sender(self._service.base)

    def create_session(
        self,
        avatar_id: str,
        voice_id: str | None = None,
        voice_speed: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> AvatarSession:
        """Open a session. It stays open, and may cost money, until it is ended.

        Args:
            avatar_id: Who appears.
            voice_id: Whose voice; `None` leaves it to the service.
            voice_speed: Multiplier, 1.0 = normal; `None` leaves it to the service.
            extra: Further fields of the create body, merged object by object.

        Raises:
            ServiceUnreachableError: No whole answer came; a session may be open all the same.
            ServiceError: The service refused.
            UnexpectedAnswerError: The answer names no session that can be used.
        """
        __tracebackhide__ = True
        options = AvatarOptions(avatar_id, voice_id, voice_speed, extra)
        return AvatarSession(
            self._sender.perform(self._service.create(self._ks, options)), self._sender
        )

    def close(self) -> None:
        """Close the connections. Sessions stay as they are."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncAvatarClient(_Client):
    """The same for `async` code, under asyncio and trio. Close it in the loop that used it.

    Args:
        ks: The Kaltura Session that authorises create. Secret.
        base_url: Where the service lives.
        timeout: How long to wait for each part of an answer, in seconds.
        create_path: `""` or `"/create"`; `None` tries both and remembers.
        id_field: `"avatarId"` or `"id"`; `None` tries both and remembers.

    Raises:
        SettingError: The KS cannot be one, or the base URL cannot be used.
    """

    @cached_property
    def _sender(self) -> AsyncSender:
        from pytest_avatar.adapters.http import AsyncSender  # noqa: PLC0415 - as above

        return AsyncSender(self._service.base, pooled=True)

    async def create_session(
        self,
        avatar_id: str,
        voice_id: str | None = None,
        voice_speed: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> AsyncAvatarSession:
        """Open a session; see `AvatarClient.create_session`."""
        __tracebackhide__ = True
        options = AvatarOptions(avatar_id, voice_id, voice_speed, extra)
        return AsyncAvatarSession(
            await self._sender.perform(self._service.create(self._ks, options)), self._sender
        )

    async def aclose(self) -> None:
        """Close the connections. Sessions stay as they are."""
        await self._sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _read_audio(audio: Audio) -> bytes:
    if isinstance(audio, bytes):
        return audio
    if isinstance(audio, (str, os.PathLike)):
        return Path(audio).read_bytes()
    return audio.read()
