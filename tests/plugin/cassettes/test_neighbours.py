"""A suite that also uses pytest-recording, respx, pytest-httpx or vcrpy keeps working."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

TESTS = """
    import httpx
    import pytest
    import requests
    import respx
    import vcr
    from app import greet

    OTHER = "{other}"
    JSON = {"Accept": "application/json"}

    def test_ours(avatar_session):
        avatar_session.say_text("Hello")

    @pytest.mark.vcr
    def test_pytest_recording():
        assert "sessions" in requests.get(OTHER, headers=JSON).json()

    @pytest.mark.vcr
    def test_pytest_recording_and_ours(avatar_session):
        avatar_session.say_text("Hello")
        assert "sessions" in httpx.get(OTHER, headers=JSON).json()
        avatar_session.say_text("Goodbye")

    @pytest.mark.vcr
    @pytest.mark.avatar_cassette()
    def test_pytest_recording_and_code_under_test():
        greet()
        assert "sessions" in requests.get(OTHER, headers=JSON).json()
        greet("Goodbye")

    def test_vcrpy(avatar_session):
        with vcr.use_cassette("vcr/other.yaml", record_mode="once"):
            avatar_session.say_text("Hello")
            assert "sessions" in httpx.get(OTHER, headers=JSON).json()
            assert "sessions" in requests.get(OTHER, headers=JSON).json()
        avatar_session.say_text("Goodbye")

    def test_respx(avatar_session):
        with respx.mock(assert_all_called=True) as router:
            router.get("https://example.org/").respond(json={"mocked": True})
            assert httpx.get("https://example.org/").json() == {"mocked": True}
        avatar_session.say_text("Hello")

    def test_pytest_httpx(httpx_mock):
        httpx_mock.add_response(url="https://example.org/", json={"mocked": True})
        assert httpx.get("https://example.org/").json() == {"mocked": True}
"""


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param((), id="one process"),
        pytest.param(("-n2",), id="two workers", marks=pytest.mark.slow),
    ],
)
def test_everybody_records_and_replays_their_own(
    project: Project, other_service: str, workers: tuple[str, ...]
) -> None:
    project.write("pytest.ini", (project.root / "pytest.ini").read_text() + "python_files = t_*\n")
    other = other_service.partition("/v1/")[0]
    project.write("t_neighbours.py", TESTS.replace("{other}", other))
    recorded = project.record("--record-mode=once", *workers, apart=bool(workers))
    recorded.assert_outcomes(passed=7)
    ours = {name for name in project.cassettes if name.endswith(".json")}
    theirs = {name: text for name, text in project.cassettes.items() if name.endswith(".yaml")}
    assert ours == {
        f"t_neighbours/test_{name}.json"
        for name in (
            "ours",
            "pytest_recording_and_ours",
            "pytest_recording_and_code_under_test",
            "vcrpy",
            "respx",
        )
    }
    theirs["vcr/other.yaml"] = (project.root / "vcr" / "other.yaml").read_bytes()
    assert len(theirs) == 4
    assert all(b"avatar-session" not in content for content in theirs.values())
    offline = project.replay("--record-mode=none", "--block-network", *workers, apart=bool(workers))
    offline.assert_outcomes(passed=7)
