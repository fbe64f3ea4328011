"""The verdict reaches the reports of other plugins, which know nothing of ours."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.collector import Collector
from tests.leaky import LINE, write_leak

if TYPE_CHECKING:
    from tests.downstream import Downstream

NODE = "avatar::sessions"
TITLE = "avatar: 1 leaked of 2 sessions"
PLACE = f"1 session leaked, opened at {LINE}"
WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])


def run(project: Downstream, module: str, *options: str) -> pytest.RunResult:
    """Run a project with a leak, where the neighbour is installed."""
    pytest.importorskip(module, reason="needs other people's plugins: `nox -s neighbours`")
    write_leak(project)
    result = project.run_apart(*options)
    assert result.ret == 1
    return result


def read(project: Downstream, name: str) -> str:
    return (project.pytester.path / name).read_text("utf-8")


@WORKERS
def test_pytest_html(downstream: Downstream, workers: tuple[str, ...]) -> None:
    run(downstream, "pytest_html", "--html=report.html", "--self-contained-html", *workers)
    found = re.search(r'data-jsonblob="(.*?)"', read(downstream, "report.html"))
    assert found
    tests = json.loads(html.unescape(found[1]))["tests"]
    assert {name: one[0]["result"] for name, one in tests.items()} == {
        "test_it.py::test_leak": "Passed",
        "test_it.py::test_clean": "Passed",
        NODE: "Failed",
    }
    assert PLACE in html.unescape(tests[NODE][0]["log"])


@WORKERS
def test_pytest_json_report(downstream: Downstream, workers: tuple[str, ...]) -> None:
    run(
        downstream,
        "pytest_jsonreport",
        "--json-report",
        "--json-report-file=report.json",
        *workers,
    )
    tests = {one["nodeid"]: one for one in json.loads(read(downstream, "report.json"))["tests"]}
    assert tests[NODE]["outcome"] == "failed"
    assert PLACE in tests[NODE]["call"]["longrepr"]
    assert {name: sessions_of(one) for name, one in tests.items()} == {
        "test_it.py::test_leak": 1,
        "test_it.py::test_clean": 1,
        NODE: 0,
    }


def sessions_of(test: dict[str, Any]) -> int:
    """Return how many sessions stand in the properties of a test."""
    return sum("avatar_session" in one for one in test.get("user_properties", []))


@WORKERS
def test_ctrf(downstream: Downstream, workers: tuple[str, ...]) -> None:
    run(downstream, "ctrf", "--ctrf=ctrf.json", *workers)
    results = json.loads(read(downstream, "ctrf.json"))["results"]
    (verdict,) = (one for one in results["tests"] if one["status"] == "failed")
    assert "sessions" in verdict["name"]
    assert PLACE in json.dumps(verdict)
    assert (results["summary"]["passed"], results["summary"]["failed"]) == (2, 1)


@WORKERS
def test_allure(downstream: Downstream, workers: tuple[str, ...]) -> None:
    run(downstream, "allure_pytest", "--alluredir=allure", *workers)
    folder = downstream.pytester.path / "allure"
    results = [json.loads(path.read_text("utf-8")) for path in folder.glob("*-result.json")]
    (verdict,) = (one for one in results if one["status"] == "failed")
    assert PLACE in verdict["statusDetails"]["trace"] + verdict["statusDetails"]["message"]
    assert len(results) == 3


@WORKERS
def test_pytest_github_actions_annotate_failures(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run(
        downstream, "pytest_github_actions_annotate_failures", "--avatar-github=off", *workers
    )
    (line,) = (
        line
        for line in [*result.outlines, *result.errlines]
        if line.startswith("::error") and TITLE in line
    )
    assert PLACE in line


@WORKERS
def test_pytest_opentelemetry(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp_proto_http")
        run(downstream, "pytest_opentelemetry", "--export-traces", *workers)
    spans = {span.span_id: span for span in collector.spans}
    sessions = [span for span in spans.values() if span.name == "avatar session"]
    assert len(sessions) == 2
    for session in sessions:
        test = spans[session.parent_span_id]
        theirs = spans[test.parent_span_id]
        assert test.name.startswith("test_it.py::")
        assert theirs.name == test.name
    assert len({span.trace_id for span in spans.values()}) == 1
