"""Cassette files that are broken, that others wrote, and that others read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from vcr.persisters.filesystem import FilesystemPersister  # type: ignore[import-untyped]
from vcr.serializers import jsonserializer  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.downstream import EmulatorProcess
    from tests.plugin.cassettes.project import Project

    Change = Callable[[str, dict[str, Any]], None]

GREET = """
import pytest
from app import greet

@pytest.mark.avatar_cassette()
def test_greet():
    greet()
"""

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n", "the file is empty"),
    "truncated": (b'{"interactions": [\n{"request"', "not JSON: *"),
    "conflict": (b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "a merge conflict *"),
    "list": (b"[]", "no object with a list of interactions *"),
    "no interactions": (b"{}", "no object with a list of interactions *"),
    "version": (b'{"interactions": [], "version": 99}', "version 99, expected 1"),
    "bytes": (b'{"interactions": "\xff"}', "not UTF-8 text"),
    "deep": (b"[" * 100_000, "not JSON: *"),
    "interaction": (b'{"interactions": [{}], "version": 1}', "interaction 1 has no request"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_cassette_is_one_line(project: Project, kind: str) -> None:
    content, reason = BROKEN[kind]
    project.write("test_it.py", GREET)
    path = project.write("cassettes/test_it/test_greet.json", "")
    path.write_bytes(content)
    result = project.replay()
    result.assert_outcomes(failed=1)
    told = [line for line in result.outlines if re.match(r"E +\S*CassetteError: ", line)]
    assert len(told) == 1
    assert re.search(r"test_greet\.json:\d+: broken cassette: ", told[0])
    assert reason.rstrip("*") in told[0]
    assert told[0].endswith("test_it.py::test_greet")
    assert "record it again: pytest --avatar-mode=record" in told[0]
    assert path.read_bytes() == content
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)


def test_a_broken_cassette_that_nobody_asks_is_told_too(project: Project) -> None:
    project.write("test_it.py", GREET.replace("    greet()", "    pass"))
    project.write("cassettes/test_it/test_greet.json", "{")
    result = project.replay()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*test_greet.json:1: broken cassette: *record it again: *"])


def test_a_folder_in_place_of_a_cassette_is_one_line(project: Project) -> None:
    project.write("test_it.py", GREET)
    (project.folder / "test_it" / "test_greet.json").mkdir(parents=True)
    result = project.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_greet.json:1: cassette cannot be read: *"])


def test_a_folder_that_cannot_be_written_fails_the_test(project: Project) -> None:
    project.write("test_it.py", GREET)
    project.write("cassettes/test_it", "a file where a folder should be")
    result = project.record()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*cassettes/test_it*"])


def test_yaml_that_vcrpy_wrote_replays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("test_it.py", GREET)
    project.write(
        "test_vcrpy.py",
        """
        import vcr
        from app import greet

        def test_greet():
            with vcr.use_cassette("cassettes/test_it/test_greet.yaml"):
                greet()
        """,
    )
    project.run("-p", "no:avatar", "test_vcrpy.py").assert_outcomes(passed=1)
    assert list(project.cassettes) == ["test_it/test_greet.yaml"]
    project.replay("test_it.py").assert_outcomes(passed=1)
    app = project.root / "app.py"
    app.write_text(app.read_text().replace("talk.end()\n", "pass\n"))
    assert project.replay("test_it.py").ret == 1


def test_yaml_that_pytest_recording_wrote_replays(project: Project) -> None:
    project.write("test_it.py", GREET.replace("avatar_cassette", "vcr"))
    project.run("-p", "no:avatar", "--record-mode=all").assert_outcomes(passed=1)
    assert list(project.cassettes) == ["test_it/test_greet.yaml"]
    project.write("test_it.py", GREET)
    project.replay().assert_outcomes(passed=1)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)


def test_vcrpy_loads_what_was_recorded(project: Project) -> None:
    project.write(
        "test_it.py",
        GREET
        + "def test_fixture(avatar_session):\n"
        + "    avatar_session.init_client()\n"
        + "    avatar_session.say_audio(b'\\xff\\xfb audio', duration=1)\n"
        + "    avatar_session.say_text('é ☃')\n",
    )
    project.record().assert_outcomes(passed=2)
    for name in project.cassettes:
        path = project.folder / name
        requests, _ = FilesystemPersister.load_cassette(path, jsonserializer)
        assert len(requests) == len(project.requests(name))


def test_no_cassette_names_the_service_it_was_recorded_from(project: Project) -> None:
    project.write("test_it.py", GREET)
    project.record().assert_outcomes(passed=1)
    port = project.service.rpartition(":")[2].partition("/")[0]
    content = project.cassettes["test_it/test_greet.json"]
    assert b"127.0.0.1" not in content
    assert port.encode() not in content
    for base_url in (
        "https://api.avatar.us.kaltura.ai/v1/avatar-session",
        "https://api.avatar.eu.kaltura.ai/v1/avatar-session",
        "http://localhost:8080/a/longer/path",
        "http://[::1]:1/v1/avatar-session",
    ):
        project.replay(service=base_url).assert_outcomes(passed=1)


def edit(project: Project, name: str, change: Change) -> None:
    """Have a change made to the answers that a cassette holds."""
    data = project.read(name)
    for interaction in data["interactions"]:
        body = interaction["response"]["body"]
        answer = json.loads(body["string"])
        change(interaction["request"]["uri"].rpartition("/")[2], answer)
        body["string"] = json.dumps(answer)
    (project.folder / name).write_text(json.dumps(data, indent=2, sort_keys=True) + "\n")


INIT = "def test_init(avatar_session): avatar_session.init_client()\n"


def verified(project: Project, change: Change, *options: str) -> pytest.RunResult:
    """Record, change what the cassette says the service answered, and verify."""
    project.write("test_it.py", INIT)
    project.record().assert_outcomes(passed=1)
    edit(project, "test_it/test_init.json", change)
    before = project.cassettes
    result = project.verify(*options)
    assert project.cassettes == before
    return result


def test_an_unchanged_service_is_verified(project: Project) -> None:
    result = verified(project, lambda _operation, _answer: None)
    result.assert_outcomes(passed=1)


def test_a_field_that_came_is_a_note(project: Project) -> None:
    def remove(operation: str, answer: dict[str, Any]) -> None:
        if operation == "init-client":
            del answer["turn"]["url"]

    result = verified(project, remove)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*init-client of session-1: *turn.url*"])


def test_a_field_that_came_while_a_fixture_of_a_module_was_torn_down_is_a_note(
    project: Project,
) -> None:
    def remove(operation: str, answer: dict[str, Any]) -> None:
        if operation == "end":
            del answer["success"]

    scope = ("-o", "avatar_session_scope=module")
    project.write("test_it.py", INIT)
    project.record(*scope).assert_outcomes(passed=1)
    for path in project.cassettes:
        edit(project, path, remove)
    result = project.verify(*scope)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*end of module-session-1: success is new"])


@pytest.mark.parametrize("value", [17, None, {"now": "an object"}])
def test_a_field_of_another_type_is_a_failure(project: Project, value: object) -> None:
    def alter(operation: str, answer: dict[str, Any]) -> None:
        if operation == "init-client":
            answer["turn"]["url"] = value

    result = verified(project, alter)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*init-client of session-1: *turn.url*"])


def test_a_field_that_went_is_a_failure(project: Project) -> None:
    def add(operation: str, answer: dict[str, Any]) -> None:
        if operation == "init-client":
            answer["turn"]["region"] = "eu"

    result = verified(project, add)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*init-client of session-1: *turn.region*"])


def test_another_status_is_a_failure(project: Project, emulator_process: EmulatorProcess) -> None:
    project.write("test_it.py", GREET)
    project.record().assert_outcomes(passed=1)
    before = project.cassettes
    emulator_process.add_faults("say-text:status=503")
    result = project.verify()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*say-text of session-1: status 503, recorded 200"])
    assert project.cassettes == before


def test_verifying_without_a_cassette_is_a_failure(project: Project) -> None:
    project.write("test_it.py", GREET)
    result = project.verify()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*There is no cassette*"])
    assert project.cassettes == {}
