"""What a run tells people and programs, read from outside: files, pytest's own reports, GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import html5lib
import pytest
from markdown_it import MarkdownIt

from tests.leaky import LINE, write_leak
from tests.reports import FRAGMENTS, read_report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.downstream import Downstream


def report_in(downstream: Downstream) -> Any:  # noqa: ANN401 - JSON data
    return read_report(downstream.pytester.path / "report.json")


def test_the_report_names_run_and_life_of_every_session(downstream: Downstream) -> None:
    write_leak(downstream)
    assert downstream.run_live("--avatar-report=report.json").ret == 1
    report = report_in(downstream)
    run = report["run"]
    assert (run["mode"], run["base_url"]) == ("live", downstream.emulator.base_url)
    assert run["exit_status"] == 1
    assert set(run["versions"]) == {"pytest-avatar", "python", "pytest"}
    assert run["started_at"] <= run["ended_at"]
    leaked, clean = report["sessions"]
    books = {one["session_id"]: one for one in downstream.emulator.sessions}
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


def test_every_try_to_end_a_session_is_listed_with_its_answer(downstream: Downstream) -> None:
    downstream.write("def test_it(avatar_session): ...")
    downstream.emulator.add_faults("end:status=503,times=2")
    downstream.run_live("--avatar-report=report.json")
    (session,) = report_in(downstream)["sessions"]
    tries = [(one.get("status"), one["ending"]) for one in session["end_attempts"]]
    assert tries == [(503, "not ended"), (503, "not ended"), (200, "ended")]


@pytest.mark.parametrize(("then", "uses"), [("", 1), ("end_session(avatar_settings, opened)", 0)])
def test_allowances_are_listed_used_or_not(downstream: Downstream, then: str, uses: int) -> None:
    write_leak(downstream, mark="@pytest.mark.avatar_allow_leaks(reason='mended soon')", then=then)
    result = downstream.run_live("--avatar-report=report.json")
    assert result.ret == 0
    (allowance,) = report_in(downstream)["allowances"]
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
def test_reports_are_whole_however_the_run_ends(downstream: Downstream, how: str) -> None:
    then, conftest, status = INTERRUPTS[how]
    downstream.write(conftest, "conftest")
    write_leak(downstream, then=then)
    forms = ("json", "xml", "md", "html")
    reports = (f"--avatar-report=report.{form}" for form in forms)
    result = downstream.run_apart(*reports)
    assert result.ret == status
    if how in ("Ctrl-C", "pytest.exit", "sys.exit"):  # else pytest says nothing of the run
        result.stdout.fnmatch_lines(["FAILED avatar::sessions*"])
    report = report_in(downstream)
    assert report["run"].get("exit_status", status) == status
    assert report["sessions"][0]["verdict"] == "leaked"
    ET.parse(downstream.pytester.path / "report.xml")
    assert (downstream.pytester.path / "report.md").read_text("utf-8").startswith("## ❌ avatar: 1")
    assert (downstream.pytester.path / "report.html").read_text("utf-8").endswith("</html>\n")
    assert downstream.emulator.open_sessions == []


def test_a_report_that_cannot_be_written_is_one_line_and_hides_nothing(
    downstream: Downstream, tmp_path: Path
) -> None:
    write_leak(downstream)
    (downstream.pytester.path / "taken").write_text("a file")
    result = downstream.run_live("--avatar-report=taken/report.json", "--avatar-report=report.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["avatar: taken/report.json could not be written: File exists"])
    assert report_in(downstream)["failures"] == 1


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
    downstream: Downstream,
    monkeypatch: pytest.MonkeyPatch,
    actions: str,
    option: str | None,
    told: bool,
) -> None:
    summary = downstream.pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", actions)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(downstream.pytester.path.parent))
    write_leak(downstream)
    result = downstream.run_live(*([f"--avatar-github={option}"] if option else []))
    name = downstream.pytester.path.name
    begin = f"::error file={name}/backend.py,line=4,title=avatar%3A 1 session leaked%2C opened"
    assert [line.startswith(begin) for line in annotations_in(result)] == [True] * told
    assert summary.exists() is told


def test_a_job_summary_that_cannot_be_written_is_one_line(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(downstream.pytester.path))
    write_leak(downstream)
    result = downstream.run_live("--avatar-github=on")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["avatar: the job summary could not be written: Is a directory"])


def test_a_run_without_sessions_says_nothing_to_anybody(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = downstream.pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    downstream.write("def test_it(avatar_settings): ...")
    result = downstream.run_live("--avatar-github=on")
    assert annotations_in(result) == []
    assert not summary.exists()
    after = result.outlines[result.outlines.index("collected 1 item") :]
    assert [line for line in after if "avatar" in line] == []


def cases_in(downstream: Downstream) -> dict[str, ET.Element]:
    tree = ET.parse(downstream.pytester.path / "junit.xml")
    return {case.attrib["name"]: case for case in tree.iter("testcase")}


def properties_of(case: ET.Element) -> list[tuple[str, str]]:
    return [(one.attrib["name"], one.attrib["value"]) for one in case.iter("property")]


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "workers"])
def test_junit_of_pytest_has_the_verdict_as_a_case_and_sessions_as_properties(
    downstream: Downstream, options: tuple[str, ...]
) -> None:
    write_leak(downstream)
    assert downstream.run_apart("--junitxml=junit.xml", *options).ret == 1
    cases = cases_in(downstream)
    assert set(cases) == {"test_leak", "test_clean", "sessions"}
    failure = cases["sessions"].find("failure")
    assert failure is not None
    assert f"1 session leaked, opened at {LINE}" in (failure.text or "")
    leaked, clean = (one["session_id"] for one in sorted_by_words(downstream))
    assert properties_of(cases["test_leak"]) == [
        ("avatar_session", f"{leaked}: open when the test was over")
    ]
    ((name, value),) = properties_of(cases["test_clean"])
    assert name == "avatar_session"
    assert value.startswith(f"{clean}: clean, open for 0.")
    assert value.endswith(" s, ended by its fixture")


def sorted_by_words(downstream: Downstream) -> list[dict[str, Any]]:
    """Return the sessions in the books, those in which nothing was said first."""
    return sorted(downstream.emulator.sessions, key=lambda one: len(one["spoken"]))


def test_a_test_with_many_sessions_has_a_bounded_number_of_properties(
    downstream: Downstream,
) -> None:
    downstream.write("""
        def test_many(avatar_session_factory):
            for _ in range(30):
                avatar_session_factory()
    """)
    assert downstream.run_live("--junitxml=junit.xml").ret == 0
    properties = properties_of(cases_in(downstream)["test_many"])
    assert len(properties) == 21
    assert properties[-1] == ("avatar_session", "and 10 more sessions")


@pytest.mark.parametrize("option", ["--reruns=2", "--pdb", "-x", "-v", "-p no:terminal", "-q"])
def test_the_verdict_fails_the_run_once_whatever_pytest_is_asked(
    downstream: Downstream, option: str
) -> None:
    write_leak(downstream)
    result = downstream.run_apart("--junitxml=junit.xml", *option.split())
    assert result.ret == 1
    assert [
        name for name, case in cases_in(downstream).items() if len(case.findall("failure"))
    ] == ["sessions"]
    assert "Pdb" not in result.outlines
    told = [line for line in result.outlines if line.startswith("FAILED avatar::sessions")]
    assert len(told) == ("no:terminal" not in option)


def test_the_next_run_does_not_look_for_the_verdict(downstream: Downstream) -> None:
    write_leak(downstream, then="assert False")
    options = ("-p", "no:hypothesispytest", *downstream.live)
    assert downstream.pytester.runpytest_subprocess(*options).ret == 1
    cache = downstream.pytester.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    assert json.loads(cache.read_bytes()) == {"test_it.py::test_leak": True}


def test_names_that_mean_harm_break_no_form_and_inject_nothing(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = downstream.pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    names = [text for text in FRAGMENTS if text.encode("utf-8", "ignore").decode() == text]
    downstream.write(f"""
        import pytest

        NAMES = {names!r}

        @pytest.mark.parametrize("name", NAMES, ids=[f"{{n}} {{x}}" for n, x in enumerate(NAMES)])
        def test_it(avatar_ledger, name):
            avatar_ledger.adopt(f"session {{name}}", "no-token-at-all")
    """)
    downstream.emulator.add_faults(
        "end:times=forever,status=500,error=<script>\x1b[31m::error::%0A"
    )
    forms = ("json", "xml", "md", "html")
    reports = (f"--avatar-report=report.{form}" for form in forms)
    options = ("--avatar-github=on", "--junitxml=junit.xml", "-v", "--color=no")
    result = downstream.run_live(*options, *reports)
    assert result.ret == 1
    assert len(report_in(downstream)["sessions"]) == len(names)
    for name in ("junit.xml", "report.xml"):
        assert ET.parse(downstream.pytester.path / name) is not None
    page = (downstream.pytester.path / "report.html").read_text("utf-8")
    assert html5lib.HTMLParser(strict=True).parse(page) is not None
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(summary.read_text("utf-8"))
    inside = [child.type for token in tokens for child in token.children or ()]
    assert {"link_open", "image"}.isdisjoint(inside)
    for text in (page, summary.read_text("utf-8")):
        assert "<script" not in text
    assert len(annotations_in(result)) <= 10
    assert all(line.startswith("::error ") for line in annotations_in(result))
    assert [line for line in result.outlines if not line.isprintable()] == []


@pytest.mark.parametrize(
    ("leaks", "code", "words"),
    [(False, 32, "avatar: 1 session, all ended"), (True, 31, "avatar: 1 leaked of 2 sessions")],
)
def test_the_terminal_has_the_colours_of_pytest(
    downstream: Downstream, leaks: bool, code: int, words: str
) -> None:
    if leaks:
        write_leak(downstream)
    else:
        downstream.write("def test_it(avatar_session): ...")
    result = downstream.run_live("--color=yes")
    assert any(line.startswith(f"\x1b[{code}m{words}") for line in result.outlines)


def test_a_clean_run_is_one_line_and_verbose_lists_its_sessions(downstream: Downstream) -> None:
    downstream.write("def test_it(avatar_session): ...")
    ours = "avatar: 1 session, all ended (1 by their fixture)"
    after = downstream.run_live().outlines
    assert after[after.index("") + 1 :].count(ours) == 1
    assert sum("ended" in line for line in after) == 1
    listed = downstream.run_live("-v").outlines
    (line,) = (line for line in listed if line.startswith("clean "))
    assert line.split()[2] == "test_it.py::test_it"
    assert ours in listed


def test_what_a_test_left_open_is_a_leak_also_if_its_worker_dies_later(
    downstream: Downstream,
) -> None:
    write_leak(downstream)
    downstream.write(
        """
        import os

        def test_crash(avatar_session):
            os.kill(os.getpid(), 9)
        """,
        "test_last",
    )
    result = downstream.run_apart("-n1", "--max-worker-restart=1", "--avatar-report=report.json")
    assert result.ret == 1
    found = {one["opener"]["test"]: one for one in report_in(downstream)["sessions"]}
    leaked, crashed = found["test_it.py::test_leak"], found["test_last.py::test_crash"]
    assert (leaked["verdict"], leaked["reason"]) == ("leaked", "open when its worker died")
    assert leaked["ended_by"] == crashed["ended_by"] == "the watchdog"
    assert crashed["verdict"] == "clean"
