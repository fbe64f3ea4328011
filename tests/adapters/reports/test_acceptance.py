"""One run with everything that can become of a session: all its reports, against each other, the
emulator's books and what a person sees."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import html5lib
import pytest

from pytest_avatar.core.report import Report
from pytest_avatar.core.summary import summarise
from tests.collector import Collector, attributes_of
from tests.downstream import AVATAR, KS, PREFIXES, until
from tests.reading import check_agreement
from tests.reports import read_report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chromium import Chromium, Server
    from tests.downstream import EmulatorProcess

FILES: Final = {
    "backend.py": """
        import httpx

        def open_session(settings, ks):
            body = {"visualConfig": {"avatarId": "grace"}}
            headers = {"Authorization": f"KS {ks}"}
            return httpx.post(str(settings.base_url), headers=headers, json=body).json()
    """,
    "test_backend.py": """
        import http.client, json, subprocess, sys, textwrap
        import pytest
        from backend import open_session

        @pytest.mark.avatar_no_leaks
        def test_leak(avatar_settings, avatar_ks):
            opened = open_session(avatar_settings, avatar_ks)
            raise RuntimeError(f"it holds {opened['token']}, and came of {avatar_ks}")

        @pytest.mark.avatar_no_leaks
        def test_lost(avatar_ledger, avatar_settings, avatar_ks):
            script = '''
                import sys, httpx
                headers = {"Authorization": f"KS {sys.argv[2]}"}
                body = {"visualConfig": {"avatarId": "grace"}}
                print(httpx.post(sys.argv[1], headers=headers, json=body).json()["sessionId"])
            '''
            command = [sys.executable, "-c", textwrap.dedent(script), str(avatar_settings.base_url)]
            done = subprocess.run([*command, avatar_ks], check=True, text=True, capture_output=True)
            avatar_ledger.adopt(done.stdout.strip(), "a-token-of-somebody-else")

        def test_unknown(avatar_settings, avatar_ks):
            url = avatar_settings.base_url
            connection = http.client.HTTPConnection(url.host, url.port)
            body = json.dumps({"visualConfig": {"avatarId": "grace"}})
            headers = {"Authorization": f"KS {avatar_ks}", "Content-Type": "application/json"}
            connection.request("POST", url.path, body, headers)
            connection.close()

        @pytest.mark.avatar_allow_leaks(reason="a visitor talks to it")
        def test_allowed(avatar_settings, avatar_ks):
            open_session(avatar_settings, avatar_ks)
    """,
    "test_crash.py": """
        import os, signal

        def test_crash(avatar_session):
            os.kill(os.getpid(), signal.SIGKILL)
    """,
    **{
        f"test_clean_{number}.py": """
            import pytest

            @pytest.mark.parametrize("n", range(67))
            def test_clean(avatar_session, n):
                avatar_session.say_text("Hello")
        """
        for number in range(3)
    },
    "pytest.ini": """
        [pytest]
        asyncio_default_fixture_loop_scope = function
    """,
}
FORMS: Final = (".json", ".xml", ".md", ".html")
CLEAN: Final = 3 * 67 + 1
"""Sessions that nobody has to worry about: that of the killed worker is one, ended for it."""


@dataclass(frozen=True)
class Run:
    """What is left of the run."""

    folder: Path
    status: int
    output: str
    spans: list[Any]
    bodies: list[bytes]
    books: dict[str, dict[str, Any]]

    def text(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    @cached_property
    def data(self) -> Any:  # noqa: ANN401 - JSON data
        return read_report(self.folder / "report.json")

    @cached_property
    def report(self) -> Report:
        return Report.from_dict(self.data)

    def ids(self, verdict: str) -> set[str]:
        """Return the ids of the sessions with that verdict."""
        return {one["session_id"] for one in self.data["sessions"] if one["verdict"] == verdict}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, emulator_of_the_run: EmulatorProcess) -> Run:
    emulator_of_the_run.turn_page()
    folder = tmp_path_factory.mktemp("project")
    for name, content in FILES.items():
        (folder / name).write_text(dedent(content), "utf-8")
    with Collector() as collector:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-n2", "-rf"),
                *("-p", "no:cacheprovider", "--junitxml=junit.xml", "--avatar-github=on"),
                *(f"--avatar-report=report{form}" for form in FORMS),
                *(f"--avatar-ks={KS}", f"--avatar-id={AVATAR}"),
                f"--avatar-base-url={emulator_of_the_run.base_url}",
            ],
            cwd=folder,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(PREFIXES)},
                "PYTEST_AVATAR_STATE_DIR": str(folder / "state"),
                "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    until(lambda: len(emulator_of_the_run.open_sessions) <= 2)
    return Run(
        folder,
        done.returncode,
        done.stdout + done.stderr,
        collector.spans,
        collector.bodies,
        {one["session_id"]: one for one in emulator_of_the_run.sessions},
    )


def test_the_report_agrees_with_the_emulators_books(run: Run) -> None:
    assert run.status == 1
    totals, sessions = run.data["totals"], run.data["sessions"]
    verdicts = Counter(one["verdict"] for one in sessions)
    assert verdicts == {"clean": CLEAN, "leaked": 1, "lost": 1, "unknown": 1, "allowed": 1}
    assert totals["created"] == len(run.books) - 1  # nobody knows the id of the unknown one
    assert totals["ended_by_watchdog"] == 1
    assert totals["ended_by_fixture"] == CLEAN - 1
    assert totals["ended_by_plugin"] == 2
    known = {one["session_id"]: one for one in sessions if "session_id" in one}
    (stranger,) = set(run.books) - set(known)
    still_open = {name for name, one in run.books.items() if one["ended_at"] is None}
    assert still_open == {stranger, *run.ids("lost")}
    for name, one in known.items():
        assert ("ended_at" in one) is (run.books[name]["ended_at"] is not None)
        assert one["calls"].get("say-text", 0) == len(run.books[name]["spoken"])


def test_the_report_names_what_died_what_is_missing_and_what_was_allowed(run: Run) -> None:
    (died,) = run.data["run"]["died"]
    assert re.match(r"worker gw[01]\b", died)
    worker = died.partition(" (")[0]
    assert run.data["run"]["missing"] == [
        f"{worker} could not tell its notes and unused allowances"
    ]
    assert run.data["run"]["exit_status"] == 1
    assert run.data["allowances"] == [
        {"place": "test_backend.py::test_allowed", "reason": "a visitor talks to it", "uses": 1}
    ]


def test_all_files_agree(run: Run) -> None:
    check_agreement(run.report, {form: run.text(f"report{form}") for form in FORMS})
    cases = {case.attrib["name"] for case in ET.fromstring(run.text("report.xml")).iter("testcase")}
    assert cases == {session.name for session in run.report.sessions}


def test_terminal_and_github_say_the_same(run: Run) -> None:
    summary = summarise(run.report, verbose=0)
    assert summary is not None
    assert summary.short == "avatar: 1 lost, 1 leaked, 1 unknown, 1 allowed of 206 sessions"
    assert f"\n{summary.short}\n" in run.output
    for line in summary.lines:
        assert f"\n{line.text}\n" in run.output
    annotations = [line for line in run.output.splitlines() if line.startswith("::")]
    assert [line.split(",title=avatar%3A ")[1].partition(" opened")[0] for line in annotations] == [
        "1 session lost%2C",
        "1 session leaked%2C",
        "1 session unknown%2C",
    ]
    assert run.text("summary.md").strip() == run.text("report.md").strip()


def test_junit_of_pytest_says_the_same(run: Run) -> None:
    cases = list(ET.fromstring(run.text("junit.xml")).iter("testcase"))
    (verdict,) = (one for one in cases if one.attrib["name"] == "sessions")
    failure = verdict.find("failure")
    assert failure is not None
    assert "1 lost, 1 leaked, 1 unknown, 1 allowed of 206 sessions" in (failure.text or "")
    told = {
        value.partition(": ")[0]: value.partition(": ")[2].partition(",")[0]
        for case in cases
        for one in case.iter("property")
        if (value := one.attrib["value"])
    }
    watched = [one for one in run.report.sessions if one.ended_by != "the watchdog"]
    assert told == {one.name: str(one.verdict) for one in watched}


def test_spans_say_the_same(run: Run) -> None:
    sessions = [attributes_of(one) for one in run.spans if one.name == "avatar session"]
    assert {one["avatar.session.key"]: one["avatar.verdict"] for one in sessions} == {
        one.key: str(one.verdict) for one in run.report.sessions
    }


def test_no_secret_is_in_any_of_them(run: Run) -> None:
    names = ("junit.xml", "summary.md", *(f"report{form}" for form in FORMS))
    texts = [run.output, *map(run.text, names), *(str(body) for body in run.bodies)]
    for text in texts:
        assert len(text) > 100
        assert re.findall(r"djJ8\w+|eyJ[\w-]+|a-token-of-somebody-else", text) == []


def test_the_page_is_valid(run: Run) -> None:
    parser = html5lib.HTMLParser(strict=True)
    assert parser.parse(run.text("report.html")) is not None


@pytest.mark.parametrize("width", [1280, 400])
def test_a_person_sees_the_leak_at_once(
    run: Run, chromium: Chromium, server: Server, width: int
) -> None:
    chromium.messages.clear()
    server.page = run.text("report.html")
    chromium.open(server.url, width=width)
    leak = chromium.box_of("section h3 ~ h3")
    assert 0 < leak[1] < leak[3] < 800
    chromium.open_details()
    assert chromium.content_width() <= width
    assert chromium.messages == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nobody_is_kept_out_of_it(
    run: Run, chromium: Chromium, server: Server, axe: str, width: int
) -> None:
    server.policy, server.page = "", run.text("report.html")
    chromium.open(server.url, width=width)
    chromium.open_details()
    chromium.evaluate(axe)
    assert [one["id"] for one in chromium.evaluate("axe.run()")["violations"]] == []
