from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import httplib2
import pytest
import requests
import urllib3

from pytest_avatar.core.http import Response, header
from pytest_avatar.core.ledger import State
from tests.adapters.interception.loopback import (
    PATH,
    AnsweringTape,
    FixedTape,
    ListeningTape,
    Server,
    installed_for,
    make_interceptor,
    replaced_by_a_count,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_avatar.core.interception import Exchange, Interceptor

ANSWER = Response(200, (("Content-Type", "application/json"),), b'{"played":true}', "Fine")
SERVICE = "https://service.example/v1/avatar-session"


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)


@pytest.fixture
def connection(server: Server, installed: object) -> Iterator[http.client.HTTPConnection]:
    with closing(connect(server)) as opened:
        yield opened


def by_request(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", f"{PATH}/x/echo", b"hello", {"X-Test": "1"})


def by_request_with_a_file(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", f"{PATH}/x/echo", io.BytesIO(b"hello"), {"X-Test": "1"})


def by_request_with_a_text_file(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", f"{PATH}/x/echo", io.StringIO("hello"), {"X-Test": "1"})  # type: ignore[arg-type]  # typeshed forgot


def by_request_with_a_generator(connection: http.client.HTTPConnection) -> None:
    parts = (part for part in (b"hel", b"", b"lo"))
    connection.request("POST", f"{PATH}/x/echo", parts, {"X-Test": "1"})


def by_pieces(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", f"{PATH}/x/echo")
    connection.putheader("X-Test", "1")
    connection.putheader("Content-Length", "5")
    connection.endheaders()
    connection.send(b"hel")
    connection.send(io.BytesIO(b"l"))
    connection.send([b"o"])


def by_chunks(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", f"{PATH}/x/echo")
    connection.putheader("X-Test", "1")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"3\r\nhel\r\n")
    connection.send(b"2;note=0\r\nlo\r\n0\r\n\r\n")


def by_endheaders(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", f"{PATH}/x/echo", skip_accept_encoding=True)
    connection.putheader("X-Test", "1")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders((part for part in (b"hello",)), encode_chunked=True)


@pytest.mark.parametrize(
    "write",
    [
        by_request,
        by_request_with_a_file,
        by_request_with_a_text_file,
        by_request_with_a_generator,
        by_pieces,
        by_chunks,
        by_endheaders,
    ],
)
def test_every_way_to_write_a_request_is_heard_sent_and_played(
    write: Callable[[http.client.HTTPConnection], None], server: Server
) -> None:
    tape = ListeningTape()
    with installed_for(make_interceptor(server.base, tape)), closing(connect(server)) as connection:
        write(connection)
        recorded = connection.getresponse().read()
    [(exchange, _)] = tape.finished
    assert exchange.request.body == server.log[0].body == b"hello"
    assert header(exchange.request.headers, "x-test") == "1"
    player = make_interceptor(server.base, AnsweringTape(server.base, tape), offline=True)
    with (
        replaced_by_a_count(server) as port,
        installed_for(player),
        closing(connect(server)) as connection,
    ):
        write(connection)
        assert connection.getresponse().read() == recorded
        assert port.connections() == 0


def test_a_connection_goes_back_and_forth_between_places(
    connection: http.client.HTTPConnection, tape: ListeningTape
) -> None:
    for path in (f"{PATH}/x/echo", "/elsewhere", f"{PATH}/x/chunked", f"{PATH}-2/x", f"{PATH}/x/y"):
        connection.request("POST", path, b"")
        assert connection.getresponse().read()
    assert len(tape.finished) == 3


def test_a_live_socket_outlasts_a_played_answer(
    connection: http.client.HTTPConnection, server: Server, interceptor: Interceptor
) -> None:
    by_request(connection)
    connection.getresponse().read()
    live = connection.sock
    interceptor.tape = FixedTape(ANSWER)
    by_request(connection)
    response = connection.getresponse()
    assert (response.status, response.reason, response.read()) == (200, "Fine", ANSWER.body)
    assert connection.sock is live
    assert len(server.log) == 1


def test_a_played_answer_can_close_the_connection(
    connection: http.client.HTTPConnection, interceptor: Interceptor
) -> None:
    interceptor.tape = FixedTape(Response(200, (("Connection", "close"),), b"bye"))
    by_request(connection)
    response = connection.getresponse()
    assert connection.sock is None
    assert response.read() == b"bye"


def test_head_keeps_its_length(
    connection: http.client.HTTPConnection, server: Server, tape: ListeningTape
) -> None:
    connection.request("HEAD", f"{PATH}/x/echo")
    live = connection.getresponse()
    assert live.read() == b""
    with (
        installed_for(make_interceptor(server.base, AnsweringTape(server.base, tape))),
        closing(connect(server)) as other,
    ):
        other.request("HEAD", f"{PATH}/x/echo")
        played = other.getresponse()
        assert played.read() == b""
        assert played.headers["Content-Length"] == live.headers["Content-Length"] != "0"


@pytest.mark.parametrize("name", ["echo", "gzip", "chunked", "error", "empty"])
def test_an_answer_that_was_heard_reads_as_it_came(
    name: str, server: Server, tape: ListeningTape, connection: http.client.HTTPConnection
) -> None:
    elsewhere = f"{PATH}-2/{name}"
    connection.request("POST", elsewhere, b"")
    original = connection.getresponse()
    raw = original.read()
    connection.request("POST", f"{PATH}/{name}", b"")
    heard = connection.getresponse()
    assert heard.status == original.status
    assert heard.headers.keys() == original.headers.keys()
    assert heard.length == (original.length if name == "chunked" else len(raw))
    assert heard.peek(1)[:1] == raw[:1]
    assert heard.read(3) + heard.read() == raw
    assert heard.isclosed()


def test_a_heard_answer_streams_from_urllib3_chunk_by_chunk(
    server: Server, installed: object, tape: ListeningTape
) -> None:
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", f"{server.base}/x/chunked", preload_content=False)
        assert b"".join(answer.stream()) == b'{"a": 1}'
    assert tape.finished[0][1].body == b'{"a": 1}'


def test_a_body_is_decoded_for_the_tape_and_by_the_client(
    server: Server, installed: object, tape: ListeningTape
) -> None:
    assert requests.get(f"{server.base}/x/gzip", timeout=10).json() == {"packed": True}
    assert tape.finished[0][1].body == b'{"packed":true}'


@pytest.mark.parametrize(
    ("agent", "send"),
    [
        ("requests", lambda url: requests.get(url, timeout=10)),
        ("urllib3", lambda url: urllib3.PoolManager().request("GET", url)),
        ("urllib.request", lambda url: urllib.request.urlopen(url, timeout=10)),
        ("httplib2", lambda url: httplib2.Http(timeout=10).request(url)),
    ],
)
def test_the_library_is_named(agent: str, send: Callable[[str], object]) -> None:
    clients: list[str] = []

    class NamesTape(FixedTape):
        def begin(self, exchange: Exchange) -> Response:
            clients.append(exchange.client)
            return super().begin(exchange)

    with installed_for(make_interceptor(SERVICE, NamesTape(ANSWER), offline=True)):
        send(f"{SERVICE}/x/echo")
    assert clients == [agent]


@pytest.mark.parametrize("name", ["truncated", "dropped"])
def test_an_answer_that_breaks_off_is_a_failure_once(
    name: str, connection: http.client.HTTPConnection, interceptor: Interceptor, tape: ListeningTape
) -> None:
    connection.request("POST", f"{PATH}/create?{name}", b"")
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
        connection.getresponse().read()
    assert len(tape.aborted) == 1
    assert not tape.finished
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


def test_requests_takes_a_truncated_answer_as_it_does_without_us(
    server: Server, installed: object
) -> None:
    """By its version, urllib3 raises or keeps what came."""

    def outcome(path: str) -> object:
        try:
            return requests.post(f"{server.origin}{path}/truncated", timeout=10).content
        except requests.exceptions.RequestException as error:
            return type(error)

    assert outcome(f"{PATH}/x") == outcome(f"{PATH}-2/x")


def test_a_slow_answer_may_have_had_its_effect(
    server: Server, installed: object, interceptor: Interceptor
) -> None:
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{server.base}/create?hang", timeout=0.1)
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        (lambda url: requests.post(url, timeout=10), requests.exceptions.ConnectionError),
        (lambda url: urllib.request.urlopen(url, b"", timeout=10), urllib.error.URLError),
        (
            lambda url: urllib3.PoolManager().request("POST", url, retries=False),
            urllib3.exceptions.NewConnectionError,
        ),
        (lambda url: httplib2.Http(timeout=10).request(url, "POST"), ConnectionRefusedError),
    ],
)
def test_a_create_that_could_not_connect_opened_nothing(
    send: Callable[[str], object],
    expected: type[Exception],
    server: Server,
    installed: object,
    interceptor: Interceptor,
) -> None:
    server.stop()
    with pytest.raises(expected):
        send(f"{server.base}/create")
    states = {record.state for record in interceptor.ledger.records}
    assert states <= {State.REFUSED}  # httplib2 connects before there is a request


def test_an_answer_nobody_waits_for_is_a_failure(
    connection: http.client.HTTPConnection, tape: ListeningTape
) -> None:
    by_request(connection)
    connection.close()
    connection.close()
    assert [str(error) for _, error in tape.aborted] == ["closed before the answer was read"]


def test_a_body_shorter_than_announced_is_sent_when_the_answer_is_asked_for(
    connection: http.client.HTTPConnection, tape: ListeningTape
) -> None:
    connection.timeout = 0.1
    connection.putrequest("POST", f"{PATH}/x/echo")
    connection.putheader("Content-Length", "5")
    connection.endheaders(b"he")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    assert tape.aborted[0][0].request.body == b"he"


def test_the_order_of_calls_is_checked_as_before(connection: http.client.HTTPConnection) -> None:
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    connection.putrequest("POST", f"{PATH}/x/echo")
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    with pytest.raises(http.client.CannotSendRequest):
        connection.putrequest("POST", f"{PATH}/x/echo")


def test_an_answer_can_be_asked_for_again_once_the_one_before_was_read(
    connection: http.client.HTTPConnection, tape: ListeningTape
) -> None:
    by_request(connection)
    first = connection.getresponse()
    by_pieces(connection)
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    first.read()
    assert connection.getresponse().read()
    assert len(tape.finished) == 2
    assert not tape.aborted
