from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from pytest_avatar.core.tracing import TestRun
from tests.reports import Life, hostile_reports, mixed_run, report_of

spans = pytest.importorskip(
    "pytest_avatar.adapters.spans", reason="needs the extra `otel`: sh tests/run installs it"
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_avatar.core.report import Report


class Exporter:
    """Takes spans as the exporter to a collector does, and keeps what it would send."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.pieces: list[bytes] = []

    def export(self, batch: Sequence[Any]) -> object:
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
        from opentelemetry.sdk.trace.export import SpanExportResult

        self.spans += batch
        self.pieces.append(encode_spans(batch).SerializeToString())
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Do nothing."""


def exported(
    report: Report, monkeypatch: pytest.MonkeyPatch, **tests: Sequence[TestRun]
) -> Exporter:
    exporter = Exporter()
    with monkeypatch.context() as patch:
        patch.setattr(spans, "_load", lambda _name: lambda: exporter)
        assert spans.export_spans(report, tests, ["otlp_proto_http"]) == []
    return exporter


def test_every_session_is_a_span_and_those_that_fail_the_run_are_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = mixed_run()
    sessions = [one for one in exported(report, monkeypatch).spans if one.name == "avatar session"]
    keys = {one.attributes["avatar.session.key"] for one in sessions}
    assert keys == {session.key for session in report.sessions}
    assert sum(not one.status.is_unset for one in sessions) == report.failures


def test_an_exporter_that_cannot_be_made_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> object:
        raise ImportError("no module named grpc")

    monkeypatch.setattr(spans, "_load", broken)
    assert spans.export_spans(report_of(Life("code")), {}, ["otlp_proto_grpc"]) == [
        "no spans were exported: otlp_proto_grpc: no module named grpc"
    ]


def test_a_run_without_a_service_name_is_called_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    (span, *_) = exported(report_of(Life("code")), monkeypatch).spans
    assert span.resource.attributes["service.name"] == "pytest"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    (span, *_) = exported(report_of(Life("code")), monkeypatch).spans
    assert span.resource.attributes["service.name"] == "shop"


@settings(max_examples=50)
@given(report=hostile_reports())
def test_whatever_the_names_are_spans_can_be_sent(report: Report) -> None:
    names = {session.opener.test for session in report.sessions}
    tests = {name: [TestRun(1.0, 2.0)] for name in names if name is not None}
    with pytest.MonkeyPatch.context() as monkeypatch:
        exporter = exported(report, monkeypatch, **tests)
    assert sum(one.name == "avatar session" for one in exporter.spans) == len(report.sessions)
    assert all(one.name.isprintable() for one in exporter.spans)
