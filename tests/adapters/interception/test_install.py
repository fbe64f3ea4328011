"""Installing and uninstalling: everything is wrapped once, and every original comes back."""

from __future__ import annotations

import http.client
import subprocess
import sys
import textwrap

import aiohttp
import httplib2
import httpx
import httpx2
import pytest
import urllib3.connection

from pytest_avatar.adapters.interception import install
from pytest_avatar.core.errors import AvatarError
from tests.adapters.interception.loopback import installed_for, make_interceptor

BASE = "http://127.0.0.1:9/v1/avatar-session"

WRAPPED = [
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpx2.HTTPTransport, "handle_request"),
    (httpx2.AsyncHTTPTransport, "handle_async_request"),
    (aiohttp.ClientSession, "_request"),
    *(
        (http.client.HTTPConnection, name)
        for name in ("putrequest", "send", "getresponse", "close", "connect")
    ),
    (http.client.HTTPSConnection, "connect"),
    (urllib3.connection.HTTPConnection, "connect"),
    (urllib3.connection.HTTPSConnection, "connect"),
    (httplib2.HTTPConnectionWithTimeout, "connect"),
    (httplib2.HTTPSConnectionWithTimeout, "connect"),
]


def functions() -> list[object]:
    return [vars(owner)[name] for owner, name in WRAPPED]


def run(code: str) -> str:
    """Run code in a process that has imported nothing yet, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SETUP = f"""
    import sys
    from pytest_avatar.adapters.interception import install
    from pytest_avatar.core.interception import Interceptor, LiveTape
    from pytest_avatar.core.http import BaseUrl
    from pytest_avatar.core.ledger import Ledger
    from pytest_avatar.core.redaction import Secrets
    base = BaseUrl({BASE!r})
    interceptor = Interceptor(base, Ledger(), Secrets(), lambda client: None, LiveTape())
    uninstall = install(interceptor)
"""


def test_everything_is_wrapped_and_every_original_comes_back() -> None:
    before = functions()
    with installed_for(make_interceptor(BASE)):
        during = functions()
        assert [function.__wrapped__ for function in during] == before  # type: ignore[attr-defined]
    assert all(one is other for one, other in zip(functions(), before, strict=True))


def test_two_runs_inside_one_another_mind_their_own_service() -> None:
    before, finders = functions(), list(sys.meta_path)
    outer = install(make_interceptor(BASE))
    wrapped = functions()
    inner = install(make_interceptor("http://127.0.0.1:10/v1"))
    inner()
    assert functions() == wrapped
    outer()
    outer()
    assert functions() == before
    assert sys.meta_path == finders


def test_installing_imports_no_http_library() -> None:
    printed = run(
        SETUP
        + """
    heavy = "aiohttp asyncio http.client httplib2 httpx httpx2 requests ssl urllib3 vcr yaml"
    print(sorted(sys.modules.keys() & heavy.split()))
    """
    )
    assert printed == "[]\n"


def test_what_is_imported_later_is_wrapped_then() -> None:
    printed = run(
        SETUP
        + """
    import http.client, httpx, httpx2, httplib2, aiohttp, requests, urllib3, vcr.patch
    import importlib.util, linecache
    functions = (
        http.client.HTTPConnection.send,
        urllib3.connection.HTTPSConnection.connect,
        httplib2.HTTPSConnectionWithTimeout.connect,
        httpx.HTTPTransport.handle_request,
        httpx2.AsyncHTTPTransport.handle_async_request,
        aiohttp.ClientSession._request,
        vcr.patch.force_reset,
    )
    print([hasattr(function, "__wrapped__") for function in functions])
    originals = [function.__wrapped__ for function in functions]
    print(vcr.patch._HttpxHttpTransport_handle_request is originals[3])
    print(type(httpx.__loader__).__name__, type(httpx.__spec__.loader).__name__)
    uninstall()
    print(httpx.HTTPTransport.handle_request is originals[3])
    print(http.client.HTTPConnection.send is originals[0])
    print([finder for finder in sys.meta_path if type(finder).__module__.startswith("pytest_")])
    """
    )
    assert printed.splitlines() == [
        str([True] * 7),
        "True",
        "SourceFileLoader SourceFileLoader",
        "True",
        "True",
        "[]",
    ]


@pytest.mark.parametrize("name", ["niquests", "urllib3_future"])
def test_a_client_that_cannot_be_heard_is_refused_when_it_is_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = type(sys)(name)
    monkeypatch.setitem(sys.modules, name, module)
    before, finders = functions(), list(sys.meta_path)
    with pytest.raises(AvatarError, match=f"^{name} .* Uninstall niquests and urllib3-future"):
        install(make_interceptor(BASE))
    assert functions() == before
    assert sys.meta_path == finders


def test_a_fork_in_the_place_of_urllib3_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", "2.25.904")
    with pytest.raises(AvatarError) as caught:
        install(make_interceptor(BASE))
    assert str(caught.value) == (
        "urllib3 2.25.904 is imported, and pytest-avatar cannot hear what it sends: expected "
        "urllib3 itself, not its fork urllib3-future. Uninstall niquests and urllib3-future, or "
        "run with -p no:avatar."
    )
