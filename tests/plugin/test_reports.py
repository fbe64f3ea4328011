"""What a run tells people and programs, read from outside: files, pytest's own reports, GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest

from tests.reports import read_report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.downstream import Downstream

BACKEND: Final = """
    import httpx

    def open_session(settings, ks):
        answer = httpx.post(
            str(settings.base_url),
            headers={"Authorization": f"KS {ks}"},
            json={"visualConfig": {"avatarId": "grace"}},
        )
        return answer.json()
"""

LEAK: Final = """
    import pytest
    from backend import open_session

    {mark}
    def test_leak(avatar_settings, avatar_ks, request):
        opened = open_session(avatar_settings, avatar_ks)
        {then}

    def test_clean(avatar_session):
        avatar_session.say_text("Hello")
"""


@pytest.fixture
def project(downstream: Downstream) -> Downstream:
    downstream.write(BACKEND, "backend")
    return downstream


def write(project: Downstream, *, mark: str = "", then: str = "") -> None:
    project.write(LEAK.format(mark=mark, then=then))


def report_in(project: Downstream) -> Any:  # noqa: ANN401 - JSON data
    return read_report(project.pytester.path / "report.json")


def test_the_report_names_run_and_life_of_every_session(project: Downstream) -> None:
    write(project)
    assert project.run_live("--avatar-report=report.json").ret == 1
    report = report_in(project)
    run = report["run"]
    assert (run["mode"], run["base_url"]) == ("live", project.emulator.base_url)
    assert run["exit_status"] == 1
    assert set(run["versions"]) == {"pytest-avatar", "python", "pytest"}
    assert run["started_at"] <= run["ended_at"]
    leaked, clean = report["sessions"]
    books = {one["session_id"]: one for one in project.emulator.sessions}
    assert set(books) == {leaked["session_id"], clean["session_id"]}
    assert leaked["verdict"] == "leaked"
    assert leaked["reason"] == "open at the end of the run"
    assert leaked["opener"]["file"] == "backend.py"
    assert leaked["created_at"] <= leaked["opened_at"] <= leaked["ended_at"]
    assert [(one["actor"], one["ending"], one["status"]) for one in leaked["end_attempts"]] == [
        ("pytest-avatar", "ended", 200)
    ]
    assert clean["calls"] == {"say-text": 1}
    assert clean["opener"]["fixture"] == "avatar_session"
    assert "reason" not in clean


def test_every_try_to_end_a_session_is_listed_with_its_answer(project: Downstream) -> None:
    project.write("def test_it(avatar_session): ...")
    project.emulator.add_faults("end:status=503,times=2")
    project.run_live("--avatar-report=report.json")
    (session,) = report_in(project)["sessions"]
    tries = [(one.get("status"), one["ending"]) for one in session["end_attempts"]]
    assert tries == [(503, "not ended"), (503, "not ended"), (200, "ended")]


@pytest.mark.parametrize(("then", "uses"), [("", 1), ("request.getfixturevalue('end')(opened)", 0)])
def test_allowances_are_listed_used_or_not(project: Downstream, then: str, uses: int) -> None:
    project.write(
        """
        import httpx, pytest

        @pytest.fixture
        def end(avatar_settings):
            def end(opened):
                httpx.post(
                    f"{avatar_settings.base_url}/{opened['sessionId']}/end",
                    headers={"Authorization": f"Bearer {opened['token']}"},
                )
            return end
        """,
        "conftest",
    )
    write(project, mark="@pytest.mark.avatar_allow_leaks(reason='mended soon')", then=then)
    result = project.run_live("--avatar-report=report.json")
    assert result.ret == 0
    (allowance,) = report_in(project)["allowances"]
    assert allowance == {"place": "test_it.py::test_leak", "reason": "mended soon", "uses": uses}
    warning = "avatar_allow_leaks without a leak: test_it.py::test_leak"
    assert (warning in result.outlines) is not uses


INTERRUPTS: Final = {
    "Ctrl-C": ("__import__('os').kill(__import__('os').getpid(), 2)", "", 2),
    "pytest.exit": ("pytest.exit('enough')", "", 2),
    "pytest.exit with a status": ("pytest.exit('enough', returncode=77)", "", 77),
    "sys.exit": ("raise SystemExit(3)", "", 1),
    "an internal error": (
        "",
        """
        def pytest_runtest_logreport(report):
            if report.when == "call" and "leak" in report.nodeid:
                raise RuntimeError("of another plugin")
        """,
        3,
    ),
    "an error of another plugin at the end": (
        "",
        """
        def pytest_sessionfinish():
            raise RuntimeError("of another plugin")
        """,
        1,
    ),
}


@pytest.mark.parametrize("how", INTERRUPTS)
def test_reports_are_whole_however_the_run_ends(project: Downstream, how: str) -> None:
    then, conftest, status = INTERRUPTS[how]
    project.write(conftest, "conftest")
    write(project, then=then)
    forms = ("json", "xml", "md", "html")
    result = project.run_apart(*(f"--avatar-report=report.{form}" for form in forms))
    assert result.ret == status
    report = report_in(project)
    assert report["run"].get("exit_status", status) == status
    assert report["sessions"][0]["verdict"] == "leaked"
    ET.parse(project.pytester.path / "report.xml")
    assert (project.pytester.path / "report.md").read_text("utf-8").startswith("## ❌ avatar: 1")
    assert (project.pytester.path / "report.html").read_text("utf-8").endswith("</html>\n")
    assert project.emulator.open_sessions == []


def test_a_report_that_cannot_be_written_is_one_line_and_hides_nothing(
    project: Downstream, tmp_path: Path
) -> None:
    write(project)
    (project.pytester.path / "taken").write_text("a file")
    result = project.run_live("--avatar-report=taken/report.json", "--avatar-report=report.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["avatar: taken/report.json could not be written: File exists"])
    assert report_in(project)["failures"] == 1


def annotations_in(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("::")]


@pytest.mark.parametrize(
    ("actions", "option", "told"),
    [
        ("true", None, True),
        ("true", "off", False),
        ("", None, False),
        ("", "on", True),
    ],
)
def test_github_is_told_there_and_elsewhere_if_asked(
    project: Downstream,
    monkeypatch: pytest.MonkeyPatch,
    actions: str,
    option: str | None,
    told: bool,
) -> None:
    summary = project.pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", actions)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.pytester.path.parent))
    write(project)
    result = project.run_live(*([f"--avatar-github={option}"] if option else []))
    name = project.pytester.path.name
    begin = f"::error file={name}/backend.py,line=4,title=avatar%3A 1 session leaked%2C opened"
    assert [line.startswith(begin) for line in annotations_in(result)] == [True] * told
    assert summary.exists() is told


def test_a_job_summary_that_cannot_be_written_is_one_line(
    project: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.pytester.path))
    write(project)
    result = project.run_live("--avatar-github=on")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["avatar: the job summary could not be written: Is a directory"])


def test_a_run_without_sessions_says_nothing_to_anybody(
    project: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = project.pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.write("def test_it(avatar_settings): ...")
    result = project.run_live("--avatar-github=on")
    assert annotations_in(result) == []
    assert not summary.exists()
    after = result.outlines[result.outlines.index("collected 1 item") :]
    assert [line for line in after if "avatar" in line] == []


def cases_in(project: Downstream) -> dict[str, ET.Element]:
    tree = ET.parse(project.pytester.path / "junit.xml")
    return {case.attrib["name"]: case for case in tree.iter("testcase")}


def properties_of(case: ET.Element) -> list[tuple[str, str]]:
    return [(one.attrib["name"], one.attrib["value"]) for one in case.iter("property")]


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "workers"])
def test_junit_of_pytest_has_the_verdict_as_a_case_and_sessions_as_properties(
    project: Downstream, options: tuple[str, ...]
) -> None:
    write(project)
    assert project.run_apart("--junitxml=junit.xml", *options).ret == 1
    cases = cases_in(project)
    assert set(cases) == {"test_leak", "test_clean", "sessions"}
    failure = cases["sessions"].find("failure")
    assert failure is not None
    assert "1 session leaked, opened at backend.py:4" in (failure.text or "")
    leaked, clean = (one["session_id"] for one in sorted_by_words(project))
    assert properties_of(cases["test_leak"]) == [
        ("avatar_session", f"{leaked}: open when the test was over")
    ]
    ((name, value),) = properties_of(cases["test_clean"])
    assert name == "avatar_session"
    assert value.startswith(f"{clean}: clean, open for 0.")
    assert value.endswith(" s, ended by its fixture")


def sorted_by_words(project: Downstream) -> list[dict[str, Any]]:
    """Return the sessions in the books, those in which nothing was said first."""
    return sorted(project.emulator.sessions, key=lambda one: len(one["spoken"]))


def test_a_test_with_many_sessions_has_a_bounded_number_of_properties(project: Downstream) -> None:
    project.write("""
        def test_many(avatar_session_factory):
            for _ in range(30):
                avatar_session_factory()
    """)
    assert project.run_live("--junitxml=junit.xml").ret == 0
    properties = properties_of(cases_in(project)["test_many"])
    assert len(properties) == 21
    assert properties[-1] == ("avatar_session", "and 10 more sessions")
