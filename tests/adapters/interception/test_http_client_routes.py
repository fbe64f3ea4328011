"""Ways by which a request of http.client reaches the service, or another place."""

from __future__ import annotations

import http.client
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import httplib2
import pytest
import requests
import urllib3

from pytest_avatar.core.http import Response
from tests.adapters.interception.loopback import (
    LIMIT,
    PATH,
    FixedTape,
    ListeningTape,
    Server,
    installed_for,
    make_interceptor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ANSWER = Response(200, (("Content-Type", "application/json"),), b'{"played":true}', "Fine")
SERVICE = "https://service.example/v1/avatar-session"


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)


def test_each_hop_of_a_redirect_is_a_request_of_its_own(
    server: Server, installed: object, tape: ListeningTape
) -> None:
    answer = requests.post(f"{server.base}/x/redirect", b"hi", timeout=10)
    assert answer.json()["body"] == "hi"
    assert [response.status for _, response in tape.finished] == [307, 200]


def test_a_proxy_gets_the_whole_url_and_the_exchange_is_heard(server: Server) -> None:
    base, tape = "http://service.example/v1/avatar-session", ListeningTape()
    with installed_for(make_interceptor(base, tape)):
        requests.post(f"{base}/x/echo", timeout=10, proxies={"http": server.origin})
    assert server.log[0].url == tape.finished[0][0].request.url == f"{base}/x/echo"


def test_a_tunnel_leads_to_its_end(server: Server) -> None:
    tape = ListeningTape()
    with (
        installed_for(make_interceptor("http://service.example/v1/avatar-session", tape)),
        closing(connect(server)) as connection,
    ):
        connection.set_tunnel("service.example", 80)
        connection.request("POST", f"{PATH}/x/echo", b"hello")
        assert connection.getresponse().status == 200
    assert server.tunnels == ["service.example:80"]
    assert len(tape.finished) == 1


@pytest.mark.parametrize(
    "send",
    [
        lambda url: requests.post(url, timeout=10).content,
        lambda url: requests.post(url, timeout=10, proxies={"https": "http://127.0.0.1:1"}).content,
        lambda url: urllib3.PoolManager().request("POST", url).data,
        lambda url: urllib.request.urlopen(url, b"", timeout=10).read(),
        lambda url: httplib2.Http(timeout=10).request(url, "POST")[1],
    ],
)
def test_offline_no_connection_is_opened_for_https(send: Callable[[str], bytes]) -> None:
    with installed_for(make_interceptor(SERVICE, FixedTape(ANSWER), offline=True)):
        assert send(f"{SERVICE}/x/echo") == ANSWER.body


def test_offline_a_connection_opened_early_still_reaches_other_paths(server: Server) -> None:
    client = httplib2.Http(timeout=10)
    with installed_for(make_interceptor(server.base, FixedTape(ANSWER), offline=True)):
        assert client.request(f"{server.base}/x/echo")[1] == ANSWER.body
        assert not server.log
        assert client.request(f"{server.origin}/elsewhere")[0].status == 200
        assert client.request(f"{server.base}/x/echo")[1] == ANSWER.body
    client.close()
    assert len(server.log) == 1


def test_the_root_of_the_host_may_be_the_service(server: Server) -> None:
    tape = ListeningTape()
    with installed_for(make_interceptor(server.origin, tape)), closing(connect(server)) as opened:
        opened.request("GET", "")
        assert opened.getresponse().read()
    assert tape.finished[0][0].request.url == f"{server.origin}/"


@pytest.mark.parametrize("host", ["LOCALHOST", "127.0.0.1"])
def test_capitals_and_users_in_a_url_are_ours(host: str, server: Server) -> None:
    base = f"http://{host.lower()}:{server.server_port}{PATH}"
    with installed_for(make_interceptor(base, FixedTape(ANSWER))):
        url = f"http://{host}:{server.server_port}{PATH}/x/echo"
        assert requests.get(url, timeout=10, auth=("user", "word")).content == ANSWER.body
        assert urllib3.PoolManager().request("GET", url).data == ANSWER.body


def test_ipv6_is_heard() -> None:
    server, tape = Server("::1"), ListeningTape()
    with installed_for(make_interceptor(server.base, tape)):
        requests.post(f"{server.base}/x/echo", timeout=10)
        urllib.request.urlopen(f"{server.base}/x/echo", b"", timeout=10).close()
    server.stop()
    assert len(tape.finished) == 2


def test_another_host_streams_untouched(
    other_server: Server, installed: object, tape: ListeningTape
) -> None:
    with requests.get(f"{other_server.base}/x/stream", stream=True, timeout=10) as answer:
        assert answer.raw.read(5) == b"first"
        other_server.gate.set()
        assert answer.raw.read() == b"-last"
    assert not tape.finished


def test_a_body_for_another_host_is_not_read_ahead(other_server: Server, installed: object) -> None:
    """The second part is made only when the first one was sent."""

    def parts() -> Iterator[bytes]:
        yield b"first"
        assert other_server.accepted.wait(LIMIT)
        yield b"second"

    with closing(connect(other_server)) as connection:
        connection.request("POST", "/echo", parts())
        assert b"firstsecond" in connection.getresponse().read()
