"""A service that puts secrets into every place it can: none of them reaches a file."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tests.downstream import KS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.plugin.cassettes.project import Project

TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiI1ZjNhIiwiZXhwIjo5OX0.dGhlLXNpZ25hdHVyZS1vZi1pdA"
USERNAME: Final = "1764000000:turn-user-of-5f3a"
CREDENTIAL: Final = "turn/credential+of=5f3a"
WHEP: Final = "https://media.example/whep/5f3a0b?signature=77c1d2e3f4"
SECRETS: Final = (KS, TOKEN, USERNAME, CREDENTIAL, WHEP)
SESSION: Final = "5f3a0b1c-1111-4222-8333-444455556666"


def in_text(secret: str) -> bytes:
    return f"{secret} was refused, see /log?ks={quote(secret, safe='')}".encode()


def in_json(secret: str) -> bytes:
    inner = json.dumps({"authorization": f"KS {secret}", "list": [[secret]]})
    return json.dumps({"success": True, "deep": {"er": [inner, {secret: secret}]}}).encode()


def in_error(secret: str) -> bytes:
    escaped = secret.replace("/", "\\/").encode()
    return b'{"success": false, "error": "Invalid Kaltura Session ' + escaped + b'"}'


def in_base64(secret: str) -> bytes:
    forms = (b64(prefix + secret.encode()) for prefix in (b"", b"a", b"ab"))
    return json.dumps({"success": True, "blobs": list(forms)}).encode()


def in_gzip(secret: str) -> bytes:
    return json.dumps({"success": True, "blob": b64(gzip.compress(secret.encode()))}).encode()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


BODIES: Final = (in_text, in_json, in_error, in_base64, in_gzip)


class Hostile(BaseHTTPRequestHandler):
    """Answers every say-text with the secret and in the form that its text asks for."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.rpartition("/")[2]
        if name == "say-text":
            secret, form = map(int, json.loads(asked)["text"].split())
            self.answer(BODIES[form](SECRETS[secret]), SECRETS[secret])
            return
        self.answer(json.dumps({"success": True, **self.fields(name)}).encode(), KS)

    def fields(self, name: str) -> dict[str, Any]:
        if name == "avatar-session":
            return {"sessionId": SESSION, "token": TOKEN, "ks": KS}
        if name == "init-client":
            turn = {"url": "turn:t", "username": USERNAME, "credential": CREDENTIAL}
            return {"whepUrl": WHEP, "turn": turn}
        return {}

    def answer(self, body: bytes, secret: str) -> None:
        zipped = gzip.compress(body)
        self.send_response(200, f"OK {quote(secret)}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(zipped)))
        self.send_header("Location", f"https://elsewhere.example/?ks={quote(secret, safe='')}")
        self.send_header("Set-Cookie", f"session={b64(secret.encode())}")
        self.send_header("X-Secret", secret)
        self.end_headers()
        self.wfile.write(zipped)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hostile_service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/avatar-session"
        finally:
            server.shutdown()
            thread.join(5)


CODE = """
    import base64, gzip, itertools, logging
    import os
    from urllib.parse import quote
    import pytest
    from app import Talk, base, post

    pytestmark = pytest.mark.avatar_cassette()

    def converse(talk):
        secrets = [os.environ["AVATAR_KS"], talk.token]
        talk.call("init-client")
        for secret, form in itertools.product(range(5), range(5)):
            try:
                talk.say(f"{secret} {form}")
            except ValueError:
                pass  # not JSON
        for secret in secrets:
            talk.call("interrupt", note=[secret, base64.b64encode(secret.encode()).decode()])
            talk.call(f"keep-alive?ks={quote(secret, safe='')}", token=secret, note=quote(secret))
            talk.post(f"/{talk.id}/{secret}", "Bearer " + talk.token, {"ks": secret})
        talk.end()

    def test_code_under_test():
        converse(Talk())

    def test_fixture(avatar_session):
        avatar_session.init_client()
        logging.getLogger().warning("the session is %s", avatar_session)
"""


def occurrences(root: Path, secrets: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return which secret is in which file, in whatever form."""
    found = []
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        found += [
            (path.relative_to(root).as_posix(), secret)
            for secret in secrets
            if any(form in content for form in forms(secret.encode()))
        ]
    return found


def forms(secret: bytes) -> list[bytes]:
    text = secret.decode()
    return [
        secret,
        text.replace("/", "\\/").encode(),
        quote(text).encode(),
        quote(text, safe="").encode(),
        # What base64 makes of the middle of it, wherever it begins.
        *(base64.b64encode(secret[start : start + len(secret) // 3 * 3 - 3]) for start in range(3)),
    ]


def test_no_file_holds_a_secret_in_any_form(project: Project) -> None:
    project.write("test_it.py", CODE)
    with hostile_service() as service:
        result = project.record(
            "--avatar-report=report.json",
            "--avatar-report=report.html",
            "--avatar-report=report.xml",
            "--junitxml=junit.xml",
            "-rA",
            "-vv",
            "--showlocals",
            service=service,
        )
    result.assert_outcomes(passed=2)
    assert sorted(project.cassettes) == [
        "test_it/test_code_under_test.json",
        "test_it/test_fixture.json",
    ]
    assert occurrences(project.root, SECRETS) == []
    assert not any(secret in result.stdout.str() for secret in (KS, TOKEN))
    project.replay("-k", "fixture").assert_outcomes(passed=1, deselected=1)


def test_a_failing_test_shows_no_secret(project: Project) -> None:
    project.write("test_it.py", CODE + "\n        assert False, (avatar_session.token, secret)\n")
    project.write(
        "conftest.py",
        """
        import os
        import test_it
        test_it.secret = os.environ["AVATAR_KS"]
        """,
    )
    with hostile_service() as service:
        result = project.record("-rA", "-vv", "-l", "--junitxml=junit.xml", service=service)
    result.assert_outcomes(passed=1, failed=1)
    assert occurrences(project.root, SECRETS) == []
    assert not any(secret in result.stdout.str() for secret in (KS, TOKEN, CREDENTIAL))
