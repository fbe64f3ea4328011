"""Whatever client the code under test uses: it is recorded, and replays without a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.plugin.cassettes.project import counted_connections, other_emulator

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

CLIENTS = """
import asyncio
import http.client
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import requests
import urllib3
from tornado.httpclient import AsyncHTTPClient

from app import Talk, base


def with_httpx(url, headers, content):
    return httpx.post(url, headers=headers, content=content).content

def with_httpx2(url, headers, content):
    return httpx2.post(url, headers=headers, content=content).content

def with_requests(url, headers, content):
    return requests.post(url, headers=headers, data=content, timeout=10).content

def with_urllib3(url, headers, content):
    with urllib3.PoolManager() as pool:
        return pool.request("POST", url, headers=headers, body=content).data

def with_http_client(url, headers, content):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", parts.path, content, headers)
    answer = connection.getresponse().read()
    connection.close()
    return answer

def with_urllib_request(url, headers, content):
    with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
        return answer.read()

def one_for_all(library):
    client = library()
    def send(url, headers, content):
        return client.post(url, headers=headers, data=content).content
    return client, send

THREADED = {
    client.__name__: client
    for client in (
        with_httpx, with_httpx2, with_requests, with_urllib3, with_http_client, with_urllib_request
    )
}

async def async_httpx(url, headers, content):
    async with httpx.AsyncClient() as client:
        return (await client.post(url, headers=headers, content=content)).content

async def async_httpx2(url, headers, content):
    async with httpx2.AsyncClient() as client:
        return (await client.post(url, headers=headers, content=content)).content

async def async_aiohttp(url, headers, content):
    async with aiohttp.ClientSession() as client:
        async with client.post(url, headers=headers, data=content) as answer:
            return await answer.read()

async def async_tornado(url, headers, content):
    client = AsyncHTTPClient(force_instance=True)
    return (await client.fetch(url, method="POST", headers=headers, body=content)).body

ASYNC = {
    client.__name__: client
    for client in (async_httpx, async_httpx2, async_aiohttp, async_tornado)
}

def in_json(send):
    def post(path, authorization, body):
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        return json.loads(send(base() + path, headers, json.dumps(body).encode()))
    return post

def in_loop(client):
    return lambda *request: asyncio.run(client(*request))

def converse(post, number=0):
    talk = Talk(post)
    answers = [talk.say(f"Hello {number}"), talk.call("init-client"), talk.end()]
    assert [answer["success"] for answer in answers] == [True] * 3
"""

TESTS = """
    import requests
    import pytest
    from clients import *

    pytestmark = pytest.mark.avatar_cassette()

    @pytest.mark.parametrize("client", THREADED)
    def test_sync(client):
        converse(in_json(THREADED[client]))

    @pytest.mark.parametrize("client", ASYNC)
    def test_async(client):
        converse(in_json(in_loop(ASYNC[client])))

    @pytest.mark.parametrize("client", THREADED)
    def test_threads(client):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(converse, [in_json(THREADED[client])] * 8, range(8)))

    def test_threads_with_one_session_of_requests():
        with requests.Session() as session, ThreadPoolExecutor(8) as pool:
            def send(url, headers, content):
                return session.post(url, headers=headers, data=content, timeout=10).content
            list(pool.map(converse, [in_json(send)] * 8, range(8)))

    def test_threads_that_get():
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: requests.get(base() + "/status"), range(40)))
        assert {answer.status_code for answer in answers} == {404}
"""


def test_every_client_replays_without_a_connection(project: Project) -> None:
    project.write("clients.py", CLIENTS)
    project.write("test_it.py", TESTS)
    with other_emulator() as service:
        project.record(service=service).assert_outcomes(passed=18)
    assert len(project.cassettes) == 18
    with counted_connections(service) as connections:
        project.replay(service=service).assert_outcomes(passed=18)
    assert connections == []


def test_what_every_client_records_is_the_same(project: Project) -> None:
    project.write("clients.py", CLIENTS)
    project.write("test_it.py", TESTS)
    project.record("-k", "sync").assert_outcomes(passed=10, deselected=8)
    for name in project.cassettes:
        assert project.requests(name) == ["avatar-session", "say-text", "init-client", "end"]


TORNADO_ON_CURL = """
    import pytest
    from clients import *

    AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")

    @pytest.mark.avatar_cassette
    def test_it():
        converse(in_json(in_loop(async_tornado)))
"""


def test_tornado_on_curl_replays_without_a_connection(project: Project) -> None:
    """In a process without pytest-recording, which puts a class of its own in pycurl's place."""
    project.write("clients.py", CLIENTS)
    project.write("test_it.py", TORNADO_ON_CURL)
    alone = ("-p", "no:recording")
    with other_emulator() as service:
        project.record(*alone, service=service, apart=True).assert_outcomes(passed=1)
    with counted_connections(service) as connections:
        project.replay(*alone, service=service, apart=True).assert_outcomes(passed=1)
    assert connections == []
