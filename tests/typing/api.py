"""The public API in use: checked by mypy as users' code would be, never run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import assert_type

from pytest_avatar import (
    AsyncAvatarClient,
    AsyncAvatarSession,
    AvatarCassette,
    AvatarClient,
    AvatarError,
    AvatarGateway,
    AvatarLedger,
    AvatarSession,
    AvatarSessionFactory,
    AvatarSettings,
    CassetteError,
    ClientConnection,
    LeakError,
    ServiceError,
    ServiceUnreachableError,
    SessionGoneError,
    SessionRecord,
    SettingError,
    Token,
    Turn,
    UnexpectedAnswerError,
)


def a_session_is_opened_used_and_ended() -> None:
    with AvatarClient("the KS") as client:
        assert_type(client, AvatarClient)
        with client.create_session("ada") as session:
            assert_type(session, AvatarSession)
            session.say_text("hello")
            session.say_text("hel", turn_id="1", is_final=False)
            session.say_audio(b"ID3", duration=1)
            session.say_audio(Path("a.wav"), duration=1.5, turn_id="2", media_type="audio/wav")
            session.say_audio("a.mp3", duration=1.5)
            session.say_audio(io.BytesIO(), duration=1.5)
            session.interrupt()
            session.keep_alive()
        session.end()


def every_option_of_a_client() -> AvatarClient:
    return AvatarClient(
        "the KS",
        base_url="https://api.avatar.us.kaltura.ai/v1/avatar-session",
        timeout=2.5,
        create_path="/create",
        id_field="id",
    )


def every_option_of_a_session(client: AvatarClient) -> AvatarSession:
    return client.create_session(
        avatar_id="ada", voice_id="v", voice_speed=1.5, extra={"clientId": "c"}
    )


def what_a_session_shows(session: AvatarSession) -> None:
    assert_type(session.session_id, str)
    assert_type(session.token, Token)
    assert_type(session.base_url, str)
    assert_type(session.is_open, bool)


def what_a_browser_needs(session: AvatarSession) -> tuple[str, str | None]:
    connection = session.init_client()
    assert_type(connection, ClientConnection)
    assert_type(connection.turn, Turn | None)
    return connection.whep_url, connection.turn.credential if connection.turn else None


async def the_same_with_await() -> None:
    async with AsyncAvatarClient("the KS", timeout=5) as client:
        session = await client.create_session("ada", voice_id="v")
        assert_type(session, AsyncAvatarSession)
        async with session as same:
            assert_type(same, AsyncAvatarSession)
            await session.say_text("hello")
            await session.say_audio(Path("a.mp3"), duration=1.5)
            await session.interrupt()
            await session.keep_alive()
            assert_type(await session.init_client(), ClientConnection)
        await session.end()


def what_errors_of_the_service_tell(session: AvatarSession) -> object:
    try:
        session.keep_alive()
    except ServiceError as error:
        assert_type(error.reason, str | None)
        return error.status, error.operation, error.session_id
    except UnexpectedAnswerError as error:
        return error.status
    except SessionGoneError as error:
        assert_type(error.status, int | None)
    except ServiceUnreachableError as error:
        return error.operation
    return None


def what_other_errors_tell() -> str:
    try:
        AvatarClient("")
    except SettingError as error:
        return error.setting
    except (CassetteError, LeakError) as error:
        return str(error)
    except AvatarError:
        raise
    return ""


def test_that_annotates_its_fixtures(
    avatar_session_factory: AvatarSessionFactory,
    avatar_settings: AvatarSettings,
    avatar_ks: str,
    avatar_ledger: AvatarLedger,
    avatar_cassette: AvatarCassette,
    avatar_gateway: AvatarGateway,
) -> None:
    assert_type(avatar_session_factory(), AvatarSession)
    avatar_session_factory(avatar_id="ada", voice_id="v", voice_speed=1.5, extra={"clientId": "c"})
    assert_type(avatar_settings.avatar_id, str | None)
    assert_type(avatar_ledger.sessions, tuple[SessionRecord, ...])
    assert_type(avatar_ledger.adopt("id", avatar_ks), SessionRecord)
    with avatar_ledger.expect_ended():
        avatar_ledger.assert_no_leaks()
    assert_type(avatar_cassette.path, Path | None)
    assert_type(avatar_gateway.base_url, str)
