"""`pytest-avatar cassettes` in a project that recorded some."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.downstream import KS

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

TESTS = """
    import pytest
    from app import Talk, greet

    @pytest.fixture(scope="module")
    def talk():
        talk = Talk()
        yield talk
        talk.end()

    @pytest.fixture(scope="session", params=["a/b", "b"])
    def other_talk(request):
        talk = Talk()
        yield talk
        talk.end()

    @pytest.mark.avatar_cassette()
    def test_fixture(talk):
        talk.say("Hello")

    @pytest.mark.avatar_cassette()
    def test_parameters(other_talk):
        other_talk.say("Hello")

    @pytest.mark.avatar_cassette("named")
    def test_named():
        greet()

    @pytest.mark.avatar_cassette()
    @pytest.mark.parametrize("text", ["a/b", "a:b", "A"])
    def test_params(text):
        greet(text)

    def test_ours(avatar_session):
        pass
"""


def cassettes(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_avatar", "cassettes", *arguments],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_was_recorded_is_listed_and_nothing_is_found(project: Project) -> None:
    project.write("test_it.py", TESTS)
    project.record().assert_outcomes(passed=8)
    assert len(project.cassettes) == 11
    listed = cassettes(project, "list", "--json")
    rows = json.loads(listed.stdout)["cassettes"]
    assert sorted(row["cassette"] for row in rows) == [
        f"cassettes/{name}" for name in project.cassettes
    ]
    assert {tuple(row["left_open"]) for row in rows} == {()}
    checked = cassettes(project, "check", "--collect")
    assert (checked.returncode, checked.stdout) == (0, "11 cassettes checked, 0 findings\n")
    pruned = cassettes(project, "prune")
    assert pruned.returncode == 0
    assert len(project.cassettes) == 11


def test_orphans_are_found_and_pruned(project: Project) -> None:
    project.write("test_it.py", TESTS)
    project.record().assert_outcomes(passed=8)
    text = (project.root / "test_it.py").read_text()
    project.write("test_it.py", text.replace("def test_ours", "def test_renamed"))
    checked = cassettes(project, "check", "--collect")
    assert checked.returncode == 1
    assert "cassettes/test_it/test_ours.json: orphan: no collected test uses it" in checked.stdout
    assert "1 finding\n" in checked.stdout
    assert cassettes(project, "prune", "--dry-run").returncode == 1
    assert "test_it/test_ours.json" in project.cassettes
    assert cassettes(project, "prune").returncode == 1
    assert "test_it/test_ours.json" not in project.cassettes
    assert len(project.cassettes) == 10


def test_sessions_that_are_not_ended_and_secrets_are_found(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from app import Talk

        @pytest.mark.avatar_cassette()
        def test_leak():
            Talk()

        @pytest.mark.avatar_allow_leaks(reason="the service ends it")
        def test_allowed():
            Talk()
        """,
    )
    project.record("--avatar-leaks=off").assert_outcomes(passed=2)
    allowed = project.cassettes["test_it/test_allowed.json"].decode()
    assert "avatar-id" in allowed
    project.write("cassettes/secret.json", allowed.replace("avatar-id", KS))
    project.write("cassettes/broken.json", "{")
    checked = cassettes(project, "check")
    assert checked.returncode == 1
    assert "test_leak.json: unended: session-1 was created and never ended" in checked.stdout
    assert "cassettes/broken.json:1: broken cassette: " in checked.stdout
    assert "cassettes/secret.json: secret: something of the shape of a ks" in checked.stdout
    assert KS not in checked.stdout
    assert "test_allowed" not in checked.stdout


def test_misuse_is_status_2(project: Project) -> None:
    assert cassettes(project, "list", "nowhere").returncode == 2
    assert cassettes(project, "burn").returncode == 2
