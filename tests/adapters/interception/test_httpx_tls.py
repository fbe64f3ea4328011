"""TLS in a replay: one context for all, and certificates are checked as ever."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest
import trustme

from pytest_avatar.adapters.interception.late_tls import LateContext
from tests.adapters.interception.loopback import installed_for, make_interceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

SERVICE = "https://avatar.example/v1"
library = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda module: module.__name__)
reading_bundles = pytest.mark.parametrize(
    "library",
    [
        httpx,
        pytest.param(
            httpx2,
            marks=pytest.mark.skipif(
                type(httpx2.create_ssl_context(trust_env=False)).__module__.startswith(
                    "truststore"
                ),
                reason="this httpx2 has the system's store, which reads the environment by itself",
            ),
        ),
    ],
    ids=lambda module: module.__name__,
)


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def other_host(authority: trustme.CA) -> Iterator[str]:
    """A real HTTPS server, whose certificate no CA bundle knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Greeter) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def replay() -> Iterator[None]:
    with installed_for(make_interceptor(SERVICE, offline=True)):
        yield


@pytest.fixture(params=["sync", "async"])
def get(request: pytest.FixtureRequest) -> Callable[..., int]:
    """Asks a URL with a client of its own, and returns the status of the answer."""

    def in_thread(library: ModuleType, url: str, **options: object) -> int:
        with library.Client(**options) as client:
            status: int = client.get(url).status_code
            return status

    async def in_loop(library: ModuleType, url: str, **options: object) -> int:
        async with library.AsyncClient(**options) as client:
            status: int = (await client.get(url)).status_code
            return status

    if request.param == "sync":
        return in_thread
    return lambda *args, **options: asyncio.run(in_loop(*args, **options))


def context_of(client: Any) -> ssl.SSLContext:  # noqa: ANN401 - of either library
    """Return what httpx offers no public way to see."""
    context: ssl.SSLContext = client._transport._pool._ssl_context
    return context


@reading_bundles
@pytest.mark.usefixtures("replay")
def test_clients_share_a_context_that_checks_certificates(library: ModuleType) -> None:
    contexts = {context_of(make()) for make in (library.Client, library.AsyncClient)}
    contexts |= {context_of(library.Client(verify=True)) for _ in range(3)}
    (shared,) = contexts
    assert (shared.verify_mode, shared.check_hostname) == (ssl.CERT_REQUIRED, True)


@reading_bundles
def test_no_bundle_is_read_until_a_client_connects(
    library: ModuleType,
    get: Callable[..., int],
    other_host: str,
    authority_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read then is what the library says at that time, once."""
    made: list[ssl.SSLContext] = []

    def create(**_options: object) -> ssl.SSLContext:
        made.append(ssl.create_default_context(cafile=str(authority_file)))
        return made[-1]

    monkeypatch.setattr(library, "create_ssl_context", create)
    with installed_for(make_interceptor(SERVICE, offline=True)):
        library.Client().close()
        assert made == []
        assert [get(library, other_host) for _ in range(2)] == [200, 200]
    assert len(made) == 1


def test_clients_that_connect_at_once_make_one_context() -> None:
    made: list[ssl.SSLContext] = []
    barrier = threading.Barrier(8)

    def make() -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    late = LateContext(make)

    def connect() -> None:
        barrier.wait()
        late.set_alpn_protocols(["http/1.1"])

    threads = [threading.Thread(target=connect) for _ in range(barrier.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_context_trusts_nobody_by_itself(other_host: str) -> None:
    """Whoever gets past the methods that make the real one is refused, not let through."""
    late = LateContext(ssl.create_default_context)
    assert late.cert_store_stats()["x509"] == 0
    url = urlsplit(other_host)
    with (
        socket.create_connection((url.hostname, url.port), timeout=10) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.SSLContext.wrap_socket(late, connection, server_hostname=url.hostname)


@library
@pytest.mark.usefixtures("replay")
def test_a_certificate_that_nobody_vouches_for_is_refused(
    library: ModuleType, get: Callable[..., int], other_host: str
) -> None:
    with pytest.raises(library.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(library, other_host)


@library
@pytest.mark.usefixtures("replay")
def test_what_one_client_trusts_no_other_does(
    library: ModuleType, get: Callable[..., int], other_host: str, authority_file: Path
) -> None:
    own = ssl.create_default_context(cafile=str(authority_file))
    assert get(library, other_host, verify=own) == 200
    assert get(library, other_host, verify=False) == 200
    with pytest.raises(library.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(library, other_host)


@reading_bundles
@pytest.mark.usefixtures("replay")
def test_the_environment_of_the_moment_counts(
    library: ModuleType,
    get: Callable[..., int],
    other_host: str,
    authority_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(authority_file))
        assert get(library, other_host) == 200
        with pytest.raises(library.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            get(library, other_host, trust_env=False)
        trustme.CA().cert_pem.write_to_path(str(authority_file))
        with pytest.raises(library.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            get(library, other_host)
    with pytest.raises(library.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(library, other_host)


@pytest.mark.usefixtures("replay")
def test_a_bundle_that_is_not_there_is_taken_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx 0.28 refuses it, httpx 0.27 takes its own."""

    def error_of(make: Callable[[], object]) -> type[OSError] | None:
        try:
            make()
        except OSError as error:
            return type(error)
        return None

    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert error_of(httpx.Client) is error_of(httpx.create_ssl_context)


@pytest.mark.usefixtures("replay")
def test_clients_that_speak_other_protocols_have_a_context_of_their_own() -> None:
    spoken, both = httpx.HTTPTransport(), httpx.HTTPTransport(http2=True)
    assert spoken._pool._ssl_context is not both._pool._ssl_context


def test_after_a_replay_each_client_has_its_own_context_again() -> None:
    before = httpx.HTTPTransport.__init__
    with installed_for(make_interceptor(SERVICE, offline=True)):
        kept = context_of(httpx.Client())
    assert httpx.HTTPTransport.__init__ is before
    assert context_of(httpx.Client()) is not kept


def test_where_requests_are_sent_clients_are_made_as_ever() -> None:
    before = httpx.HTTPTransport.__init__  # the run around this one may be a replay itself
    with installed_for(make_interceptor(SERVICE)):
        assert httpx.HTTPTransport.__init__ is before
