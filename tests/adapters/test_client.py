"""The client as users hold it, against the emulator, sync and async."""

# ruff: noqa: ANN401 - positions of the emulator's switches

from __future__ import annotations

import hashlib
import io
import logging
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pytest_avatar import (
    AsyncAvatarClient,
    AvatarClient,
    ServiceError,
    ServiceUnreachableError,
    SessionGoneError,
    SettingError,
    UnexpectedAnswerError,
)
from pytest_avatar.emulator import Emulator, Fault, Switches
from pytest_avatar.emulator.books import SpokenAudio, SpokenText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pytest_avatar import AvatarSession

KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"
AUDIO = b"ID3\r\n--avatar-1--\r\n" + bytes(range(256))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(ks=KS) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[AvatarClient]:
    with AvatarClient(KS, base_url=emulator.base_url) as client:
        yield client


@pytest.fixture
def session(client: AvatarClient) -> AvatarSession:
    return client.create_session("ada")


@pytest.fixture
async def async_client(emulator: Emulator, anyio_backend: str) -> AsyncIterator[AsyncAvatarClient]:
    async with AsyncAvatarClient(KS, base_url=emulator.base_url) as client:
        yield client


def calls(emulator: Emulator) -> dict[str, int]:
    (session,) = emulator.books.sessions
    return dict(session.calls)


def spoken(emulator: Emulator) -> tuple[Any, ...]:
    (session,) = emulator.books.sessions
    return session.spoken


def test_everything_that_can_be_asked_of_a_session(
    emulator: Emulator, client: AvatarClient
) -> None:
    session = client.create_session("ada", voice_id="v", voice_speed=1.5, extra={"clientId": "c"})
    assert session.is_open
    assert session.base_url == emulator.base_url
    session.say_text("hello", turn_id="t1", is_final=False)
    session.say_audio(AUDIO, duration=0.1, turn_id="t2")
    session.interrupt()
    session.keep_alive()
    connection = session.init_client()
    assert connection.whep_url.startswith("https://")
    assert connection.turn is not None
    session.end()
    session.end()
    assert not session.is_open
    (seen,) = emulator.books.sessions
    assert (seen.session_id, seen.avatar_id, seen.voice_id) == (session.session_id, "ada", "v")
    assert seen.spoken == (
        SpokenText("t1", "hello", is_final=False),
        SpokenAudio("t2", 0.1, "audio/mpeg", len(AUDIO), hashlib.sha256(AUDIO).hexdigest()),
    )
    assert set(calls(emulator).values()) == {1}
    assert seen.late_calls == 0


@pytest.mark.anyio
async def test_everything_that_can_be_asked_of_an_async_session(
    emulator: Emulator, async_client: AsyncAvatarClient
) -> None:
    session = await async_client.create_session("ada", "v", 1.5, {"clientId": "c"})
    async with session:
        await session.say_text("hello", turn_id="t1", is_final=False)
        await session.say_audio(AUDIO, duration=0.1, turn_id="t2")
        await session.interrupt()
        await session.keep_alive()
        assert (await session.init_client()).whep_url.startswith("https://")
        assert session.is_open
    await session.end()
    assert not session.is_open
    assert [type(speech) for speech in spoken(emulator)] == [SpokenText, SpokenAudio]
    assert set(calls(emulator).values()) == {1}
    assert emulator.books.open_sessions == ()
    with pytest.raises(SessionGoneError, match="Nothing was sent"):
        await session.say_text("too late")


@pytest.mark.parametrize("form", ["bytes", "path", "text", "file", "memory"])
def test_audio_may_be_bytes_a_path_or_a_file(
    emulator: Emulator, session: AvatarSession, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "hällo.mp3"
    path.write_bytes(AUDIO)
    with path.open("rb") as file:
        forms: dict[str, Any] = {
            "bytes": AUDIO,
            "path": path,
            "text": str(path),
            "file": file,
            "memory": io.BytesIO(AUDIO),
        }
        session.say_audio(forms[form], duration=2, media_type="audio/wav")
    (speech,) = spoken(emulator)
    assert speech.sha256 == hashlib.sha256(AUDIO).hexdigest()
    assert speech.media_type == "audio/wav"


def test_any_text_arrives_as_it_was_said(emulator: Emulator, session: AvatarSession) -> None:
    session.say_text("Grüße, 世界 🙂", turn_id="é\r\n")
    assert spoken(emulator) == (SpokenText("é\r\n", "Grüße, 世界 🙂", is_final=True),)


@pytest.mark.parametrize("path", ["bare", "/create"])
@pytest.mark.parametrize("field", ["avatarId", "id"])
def test_either_side_of_a_disagreement_is_found_and_remembered(path: Any, field: Any) -> None:
    switches = Switches(create_path=path, avatar_field=field)
    with (
        Emulator(switches=switches) as emulator,
        AvatarClient(KS, base_url=emulator.base_url) as client,
    ):
        client.create_session("ada").end()
        wrong = len(emulator.books.refused)
        client.create_session("ada").end()
        assert len(emulator.books.refused) == wrong <= 2
        assert [one.is_open for one in emulator.books.sessions] == [False, False]


def test_what_is_pinned_is_not_negotiated(emulator: Emulator) -> None:
    emulator.add_fault(Fault("create", status=404, times=None))
    options = {"create_path": "/create", "id_field": "id"}
    with (
        AvatarClient(KS, base_url=emulator.base_url, **options) as client,  # type: ignore[arg-type] # two texts
        pytest.raises(ServiceError, match="create was refused by the service: 404"),
    ):
        client.create_session("ada")
    assert len(emulator.books.faults) == 1


def test_leaving_the_block_ends_the_session(emulator: Emulator, session: AvatarSession) -> None:
    with session as same:
        assert same is session
    assert emulator.books.open_sessions == ()


def test_the_error_of_the_block_is_not_hidden_by_one_of_ending(
    emulator: Emulator, session: AvatarSession
) -> None:
    emulator.add_fault(Fault("end", status=401, times=None))
    with pytest.raises(KeyError) as caught, session:
        raise KeyError("mine")
    (note,) = caught.value.__notes__
    assert note.startswith(f"end of session {session.session_id} was refused by the service: 401")


def test_an_error_of_ending_is_raised_if_the_block_had_none(
    emulator: Emulator, session: AvatarSession
) -> None:
    emulator.add_fault(Fault("end", status=401, times=None))
    refusal = r"end of session .* was refused by the service: 401"
    with pytest.raises(ServiceError, match=refusal), session:
        pass


@pytest.mark.anyio
async def test_an_async_block_hides_no_error_either(
    emulator: Emulator, async_client: AsyncAvatarClient
) -> None:
    emulator.add_fault(Fault("end", status=401, times=None))
    session = await async_client.create_session("ada")
    with pytest.raises(KeyError) as caught:
        async with session:
            raise KeyError("mine")
    assert "was refused by the service: 401" in caught.value.__notes__[0]
    with pytest.raises(ServiceError, match="was refused by the service: 401"):
        async with session:
            pass


@pytest.mark.anyio
async def test_a_cancelled_task_ends_its_session_all_the_same(
    emulator: Emulator, async_client: AsyncAvatarClient
) -> None:
    with anyio.move_on_after(30) as scope:
        async with await async_client.create_session("ada"):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert len(emulator.books.sessions) == 1
    assert emulator.books.open_sessions == ()


def test_an_end_is_tried_until_it_is_answered(emulator: Emulator, session: AvatarSession) -> None:
    emulator.add_fault(
        Fault("end", status=500), Fault("end", drop="before"), Fault("end", drop="after")
    )
    session.end()
    assert not session.is_open
    assert len(emulator.books.faults) == 3
    assert emulator.books.open_sessions == ()


def test_a_create_is_sent_once_if_no_answer_comes(emulator: Emulator, client: AvatarClient) -> None:
    emulator.add_fault(Fault("create", drop="after"))
    with pytest.raises(ServiceUnreachableError, match="create got no answer from http://127"):
        client.create_session("ada")
    assert len(emulator.books.sessions) == 1


def test_a_request_waits_no_longer_than_it_was_told(emulator: Emulator) -> None:
    emulator.add_fault(Fault("say-text", delay=30))
    with (
        AvatarClient(KS, base_url=emulator.base_url, timeout=0.2) as client,
        client.create_session("ada") as session,
        pytest.raises(ServiceUnreachableError, match="ReadTimeout"),
    ):
        session.say_text("hello")


@pytest.mark.parametrize("body", ["not-json", "wrong-types", "missing-fields", "refused"])
def test_an_answer_of_any_shape_is_an_error_of_ours(
    emulator: Emulator, client: AvatarClient, body: Any
) -> None:
    emulator.add_fault(Fault("create", body=body))
    with pytest.raises((UnexpectedAnswerError, ServiceError)):
        client.create_session("ada")


def test_a_refusal_that_opened_a_session_ends_it(emulator: Emulator, client: AvatarClient) -> None:
    emulator.add_fault(Fault("create", body="contradiction"))
    with pytest.raises(ServiceError, match=r"create of session .* was refused by the service: 200"):
        client.create_session("ada")
    assert len(emulator.books.sessions) == 1
    assert emulator.books.open_sessions == ()


def test_ten_megabytes_are_survived(emulator: Emulator, client: AvatarClient) -> None:
    emulator.add_fault(Fault("create", body="huge"))
    client.create_session("ada").end()
    emulator.add_fault(Fault("create", status=400, error="x" * 10_000_000, times=2))
    with pytest.raises(ServiceError) as caught:
        client.create_session("ada")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", [AvatarClient, AsyncAvatarClient])
@pytest.mark.parametrize("ks", ["", f"{KS}\n", "two words"])
def test_a_ks_that_cannot_be_one_is_refused_at_once(kind: type[Any], ks: str) -> None:
    with pytest.raises(SettingError, match="Kaltura Session: the value is empty, or") as caught:
        kind(ks)
    assert KS not in str(caught.value)


@pytest.mark.parametrize("kind", [AvatarClient, AsyncAvatarClient])
def test_a_ks_is_not_sent_in_the_clear(kind: type[Any]) -> None:
    with pytest.raises(SettingError, match="would send the KS in the clear; accepted: an https"):
        kind(KS, base_url="http://avatar.example/v1")


@pytest.mark.anyio
async def test_no_repr_message_or_log_holds_a_secret(
    emulator: Emulator,
    client: AvatarClient,
    async_client: AsyncAvatarClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    session = client.create_session("ada")
    connection = session.init_client()
    assert connection.turn is not None
    emulator.add_fault(Fault("say-text", status=400, error=f"bad {KS} and {session.token}"))
    with pytest.raises(ServiceError) as caught:
        session.say_text("hello")
    shown = [repr(one) for one in (client, async_client, session, session.token, connection)]
    shown += ["".join(traceback.format_exception(caught.value)), caplog.text]
    session.end()
    assert repr(session) == f"<AvatarSession {session.session_id} ended>"
    assert repr(client) == f"<AvatarClient {emulator.base_url}>"
    for secret in (KS, str(session.token), connection.whep_url, connection.turn.credential):
        assert secret not in "".join(shown)
