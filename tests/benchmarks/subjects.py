"""Who is measured, each with the same tests: open a session, say three texts, end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "BASE",
    "EMPTY",
    "MOCK",
    "OURS",
    "OUR_FIXTURE",
    "OUR_PLUGIN",
    "PEERS",
    "PYTEST_HTTPX",
    "RECORDING",
    "RECORDING_JSON",
    "TALK",
    "Subject",
    "Variant",
]

BASE: Final = "https://api.avatar.us.kaltura.ai/v1/avatar-session"
OUR_PLUGIN: Final = "pytest_avatar.plugin"

TALK: Final = '''
"""The code under test: one life cycle, with a client of its own."""

import os

import httpx

BASE = os.environ.get("BENCHMARK_BASE_URL", "{base}")
KS = {{"Authorization": "KS djJ8MTIzNDU2fHNlY3JldC1vZi10aGUtcnVuLTEyMzQ1Njc4OTA="}}
TEXTS = ("Good morning!", "How are you?", "Goodbye.")


{def} talk(client):
    create = {{"visualConfig": {{"avatarId": "ada"}}}}
    opened = ({await}client.post(BASE, json=create, headers=KS)).json()
    url = f"{{BASE}}/{{opened['sessionId']}}"
    headers = {{"Authorization": "Bearer " + opened["token"]}}
    for number, text in enumerate(TEXTS):
        said = {{"text": text, "turnId": f"turn-{{number}}", "isFinal": True}}
        ({await}client.post(f"{{url}}/say-text", json=said, headers=headers)).raise_for_status()
    ({await}client.post(f"{{url}}/end", json={{}}, headers=headers)).raise_for_status()
'''


@dataclass(frozen=True, slots=True)
class Variant:
    """How the tests are written.

    Attributes:
        is_async: Whether they are coroutines, run by pytest-asyncio.
        shares_tls: Whether the clients of all tests share one TLS context.
    """

    is_async: bool = False
    shares_tls: bool = False

    @property
    def words(self) -> dict[str, str]:
        """What stands for the words in braces of a source."""
        asynchronous, client = ("async ", "AsyncClient") if self.is_async else ("", "Client")
        tls = "verify=TLS" if self.shares_tls else ""
        return {
            "base": BASE,
            "def": f"{asynchronous}def",
            "with": f"{asynchronous}with",
            "await": "await " if self.is_async else "",
            "async": "async_" if self.is_async else "",
            "Client": client,
            "client": f"httpx.{client}({tls})",
            "tls": "TLS = httpx.create_ssl_context()" if self.shares_tls else "",
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to test the life cycle without a service.

    Attributes:
        name: As the table calls it.
        plugins: What is loaded into pytest.
        head: The beginning of the test module.
        test: One test; `{number}` stands for its number.
        record: The options that record its cassettes; `None` if it has none.
        makes_clients: Whether its tests make clients that would connect, so that TLS matters.
    """

    name: str
    plugins: tuple[str, ...]
    head: str
    test: str
    record: tuple[str, ...] | None = None
    makes_clients: bool = True


_TALKS: Final = """
{def} test_{number}({fixtures}):
    {with} {client} as client:
        {await}talk(client)
"""
_IMPORTS: Final = "import httpx\nimport pytest\nfrom talk import BASE, TEXTS, talk\n{tls}\n"
_REPLAY: Final = ("--record-mode=once",)

EMPTY: Final = Subject("a test that does nothing", (), "", "{def} test_{number}(): ...\n")

MOCK: Final = Subject(
    "httpx `MockTransport`",
    (),
    _IMPORTS
    + """
def answer(request):
    if request.url.path.endswith("/avatar-session"):
        return httpx.Response(200, json={{"success": True, "sessionId": "s-1", "token": "t-1"}})
    return httpx.Response(200, json={{"success": True}})
""",
    """
{def} test_{number}():
    {with} httpx.{Client}(transport=httpx.MockTransport(answer)) as client:
        {await}talk(client)
""",
    makes_clients=False,
)

PYTEST_HTTPX: Final = Subject(
    "pytest-httpx",
    ("pytest_httpx",),
    _IMPORTS,
    """
{def} test_{number}(httpx_mock):
    opened = {{"success": True, "sessionId": "s-1", "token": "t-1"}}
    httpx_mock.add_response(url=BASE, json=opened)
    httpx_mock.add_response(url=f"{{BASE}}/s-1/say-text", json={{"success": True}}, is_reusable=True)
    httpx_mock.add_response(url=f"{{BASE}}/s-1/end", json={{"success": True}})
    {with} {client} as client:
        {await}talk(client)
""",
)

_RESPX: Final = Subject(
    "respx",
    ("respx.plugin",),
    _IMPORTS,
    """
{def} test_{number}(respx_mock):
    opened = {{"success": True, "sessionId": "s-1", "token": "t-1"}}
    respx_mock.post(BASE).respond(json=opened)
    respx_mock.post(f"{{BASE}}/s-1/say-text").respond(json={{"success": True}})
    respx_mock.post(f"{{BASE}}/s-1/end").respond(json={{"success": True}})
    {with} {client} as client:
        {await}talk(client)
""",
)

RECORDING: Final = Subject(
    "pytest-recording, YAML (as documented)",
    ("pytest_recording.plugin",),
    _IMPORTS + "pytestmark = pytest.mark.vcr\n",
    _TALKS,
    record=_REPLAY,
)

RECORDING_JSON: Final = Subject(
    "pytest-recording, JSON",
    RECORDING.plugins,
    RECORDING.head
    + '@pytest.fixture(scope="module")\n'
    + "def vcr_config():\n"
    + '    return {{"serializer": "json"}}\n',
    _TALKS,
    record=_REPLAY,
)

_CASSETTER: Final = Subject(
    "cassetter", ("cassetter.pytest_plugin",), RECORDING.head, _TALKS, record=_REPLAY
)

_OUR_RECORDING: Final = ("--avatar-mode=record", "--avatar-ks=benchmark-ks")

OUR_FIXTURE: Final = Subject(
    "pytest-avatar, `avatar_session`",
    (OUR_PLUGIN,),
    'TEXTS = ("Good morning!", "How are you?", "Goodbye.")\n',
    """
{def} test_{number}({async}avatar_session):
    for text in TEXTS:
        {await}{async}avatar_session.say_text(text)
""",
    record=_OUR_RECORDING,
    makes_clients=False,
)

OURS: Final = Subject(
    "pytest-avatar, the same clients",
    (OUR_PLUGIN,),
    _IMPORTS + "pytestmark = pytest.mark.avatar_no_leaks()\n",
    _TALKS,
    record=_OUR_RECORDING,
)

PEERS: Final = (MOCK, PYTEST_HTTPX, _RESPX, RECORDING_JSON, RECORDING, _CASSETTER)
