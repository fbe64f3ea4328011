from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_avatar.emulator import Emulator, Fault

if TYPE_CHECKING:
    from tests.emulator.conftest import OpenSession, Session

AVATAR = {"visualConfig": {"avatarId": "ada"}}


def test_a_whole_life_is_served_over_http(emulator: Emulator, session: Session) -> None:
    files: dict[str, tuple[str | None, str | bytes]] = {
        "turnId": (None, "t"),
        "duration": (None, "1.5"),
        "audio": ("a.mp3", b"ID3"),
    }

    responses = [
        session.post("init-client", json={}),
        session.post("say-text", json={"text": "Hi", "turnId": "t", "isFinal": True}),
        session.post("say-audio", files=files),
        session.post("interrupt"),
        session.post("keep-alive"),
        session.post("end"),
    ]

    assert [response.json()["success"] for response in responses] == [True] * 6
    totals = emulator.books.totals
    assert (totals.opened, totals.ended, totals.spoken, totals.refused) == (1, 1, 2, 0)
    assert emulator.books.sessions[0].ended_by == f"python-httpx/{httpx.__version__}"


def test_the_base_url_is_known_at_once_and_answers_like_the_service(emulator: Emulator) -> None:
    response = httpx.post(emulator.base_url, json=AVATAR)

    assert emulator.base_url == f"{emulator.url}/v1/avatar-session"
    assert response.status_code == 401
    assert response.json() == {"success": False, "error": "Invalid Kaltura Session"}
    assert response.headers["server"] == "pytest-avatar-emulator"
    assert sorted(response.headers) == ["content-length", "content-type", "date", "server"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/avatar-session", 404),
        ("GET", "/v1/avatar-session/%0A/end", 404),
        ("POST", "/v1/avatar-session-2", 404),
        ("POST", "/", 405),
        ("PUT", "/faults", 405),
    ],
)
def test_other_routes_are_refused(
    emulator: Emulator, client: httpx.Client, method: str, path: str, status: int
) -> None:
    assert client.request(method, emulator.url + path).status_code == status


def test_a_session_id_is_read_as_it_was_quoted(
    emulator: Emulator, client: httpx.Client, session: Session
) -> None:
    session_id = session.url.rpartition("/")[2]
    quoted = f"{emulator.base_url}/{session_id.replace('-', '%2D')}/end"

    response = client.post(quoted, headers={"Authorization": f"Bearer {session.token}"})

    assert response.status_code == 200


@pytest.mark.parametrize(("drop", "opened"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_carries_not_one_byte(
    emulator: Emulator, drop: str, opened: int, port: int
) -> None:
    emulator.add_fault(Fault("create", drop=drop))  # type: ignore[arg-type]

    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(raw_create())
        assert raw.recv(1) == b""

    assert emulator.books.totals.opened == opened
    assert emulator.books.totals.faults == 1


def test_a_dropped_connection_looks_like_one_to_clients(
    emulator: Emulator, session: Session, port: int
) -> None:
    emulator.add_fault(Fault("end", drop="after", times=2))

    with pytest.raises(httpx.RemoteProtocolError):
        session.post("end")
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(
        "POST",
        httpx.URL(session.url).path + "/end",
        headers={"Authorization": f"Bearer {session.token}"},
    )
    with pytest.raises(RemoteDisconnected):
        connection.getresponse()
    connection.close()

    assert session.post("end").status_code == 410
    assert emulator.books.open_sessions == ()


def test_a_truncated_body_ends_before_its_length(emulator: Emulator, port: int) -> None:
    emulator.add_fault(Fault("create", body="truncated"))
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(
        "POST", "/v1/avatar-session", json.dumps(AVATAR), {"Authorization": "KS any"}
    )
    response = connection.getresponse()

    assert response.status == 200
    with pytest.raises(IncompleteRead) as caught:
        response.read()
    assert 0 < len(caught.value.partial) < int(response.headers["Content-Length"])
    connection.close()
    assert emulator.books.totals.opened == 1


def test_a_huge_body_arrives_whole(emulator: Emulator, client: httpx.Client) -> None:
    emulator.add_fault(Fault("create", body="huge"))

    response = client.post(emulator.base_url, headers={"Authorization": "KS any"}, json=AVATAR)

    assert len(response.content) > 10_000_000
    assert response.json()["success"] is True


def test_a_delayed_answer_delays_no_other(emulator: Emulator, open_session: OpenSession) -> None:
    emulator.add_fault(Fault("create", delay=0.5))
    started = time.monotonic()

    def create(_: int) -> float:
        open_session(emulator.base_url)
        return time.monotonic() - started

    with ThreadPoolExecutor(2) as pool:
        fast, slow = sorted(pool.map(create, range(2)))

    assert fast < 0.5 <= slow


def test_what_a_delayed_request_asks_is_done_at_once(emulator: Emulator, session: Session) -> None:
    emulator.add_fault(Fault("end", delay=60))

    with pytest.raises(httpx.ReadTimeout):
        session.post("end", timeout=0.2)

    assert emulator.books.open_sessions == ()


def test_faults_are_scripted_over_http(emulator: Emulator, client: httpx.Client) -> None:
    faults = f"{emulator.url}/faults"

    assert client.post(faults, json=["end:status=500,times=2", "create:drop=before"]).json() == [
        "end:status=500,times=2",
        "create:drop=before",
    ]
    assert [str(fault) for fault in emulator.pending_faults] == client.get(faults).json()
    assert client.delete(faults).json() == []
    assert emulator.pending_faults == ()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "the body must be a JSON list of texts"),
        (b'{"operation":"end"}', "the body must be a JSON list of texts"),
        (b"[7]", "the body must be a JSON list of texts"),
        (b"[" * 100_000, "the body must be a JSON list of texts"),
        (b'["end:status=500","stop:status=500"]', "operation must be any, create, "),
    ],
)
def test_faults_that_are_not_understood_are_refused_together(
    emulator: Emulator, client: httpx.Client, body: bytes, error: str
) -> None:
    response = client.post(f"{emulator.url}/faults", content=body)

    assert response.status_code == 400
    assert response.json()["error"].startswith(error)
    assert emulator.pending_faults == ()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/json;q=0.9", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
    ],
)
def test_the_books_are_a_page_or_json(
    emulator: Emulator, client: httpx.Client, session: Session, accept: str, media_type: str
) -> None:
    response = client.get(emulator.url, headers={"Accept": accept})

    assert response.headers["content-type"] == media_type
    if media_type == "application/json":
        assert response.json() == emulator.books.as_data()
    else:
        assert "<h1>1 session is open</h1>" in response.text


def test_16_threads_open_and_end_200_sessions(
    emulator: Emulator, open_session: OpenSession
) -> None:
    def live(_: int) -> int:
        return open_session(emulator.base_url).post("end", timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(live, range(200)))

    assert statuses == [200] * 200
    totals = emulator.books.totals
    assert (totals.opened, totals.ended, totals.open) == (200, 200, 0)


def raw_create() -> bytes:
    body = json.dumps(AVATAR).encode()
    head = (
        "POST /v1/avatar-session HTTP/1.1\r\nHost: x\r\nAuthorization: KS any\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
