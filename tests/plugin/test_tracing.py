"""Sessions as spans, received by a collector of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.collector import Collector, attributes_of
from tests.downstream import KS
from tests.leaky import LINE, write_leak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.downstream import Downstream

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def collector(downstream: Downstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, which the environment names."""
    with Collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield running


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "workers"])
def test_sessions_are_spans_below_their_tests(
    downstream: Downstream, collector: Collector, options: tuple[str, ...]
) -> None:
    write_leak(downstream)
    assert downstream.run_apart(*options).ret == 1
    spans = {span.span_id: span for span in collector.spans}
    (run,) = (span for span in spans.values() if span.name == "pytest")
    sessions = [span for span in spans.values() if span.name == "avatar session"]
    assert len(spans) == 5
    assert run.parent_span_id == b""
    for session in sessions:
        test = spans[session.parent_span_id]
        assert test.parent_span_id == run.span_id
        assert run.start_time_unix_nano <= test.start_time_unix_nano
        assert test.start_time_unix_nano <= session.start_time_unix_nano
    leaked, clean = sorted(sessions, key=lambda one: one.status.code, reverse=True)
    books = {one["session_id"] for one in downstream.emulator.sessions}
    assert {attributes_of(one)["avatar.session.id"] for one in sessions} == books
    assert leaked.status.message == "leaked: ended by pytest-avatar"
    told = attributes_of(leaked)
    assert f"{told['code.file.path']}:{told['code.line.number']}" == LINE
    assert spans[leaked.parent_span_id].name == "test_it.py::test_leak"
    assert clean.status.code == 0
    assert attributes_of(clean)["avatar.calls.say-text"] == 1
    assert [event.name for event in clean.events] == ["opened", "ended"]
    assert not any(KS.encode() in body or b"eyJ" in body for body in collector.bodies)


def test_the_run_belongs_to_the_span_that_the_environment_names(
    downstream: Downstream, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-01")
    downstream.write("def test_it(avatar_session): ...")
    assert downstream.run_apart().ret == 0
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    (run,) = (span for span in collector.spans if span.name == "pytest")
    assert run.parent_span_id.hex() == PARENT


def test_a_test_belongs_to_the_span_that_is_current_while_it_runs(
    downstream: Downstream, collector: Collector
) -> None:
    downstream.write(
        f"""
        import pytest
        from opentelemetry import trace

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol():
            known = trace.SpanContext(0x{TRACE}, 0x{PARENT}, False, trace.TraceFlags(1))
            with trace.use_span(trace.NonRecordingSpan(known)):
                return (yield)
        """,
        "conftest",
    )
    downstream.write("def test_it(avatar_session): ...")
    assert downstream.run_apart().ret == 0
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"avatar session", "test_it.py::test_it"}
    assert spans["test_it.py::test_it"].parent_span_id.hex() == PARENT
    assert spans["avatar session"].trace_id.hex() == TRACE


def test_each_attempt_at_a_test_has_the_sessions_that_it_opened(
    downstream: Downstream, collector: Collector
) -> None:
    downstream.write("""
        attempts = []

        def test_it(avatar_session):
            attempts.append(1)
            assert len(attempts) == 2
    """)
    assert downstream.run_apart("--reruns=1").ret == 0
    tests = [span for span in collector.spans if span.name == "test_it.py::test_it"]
    assert [attributes_of(test)["test.case.result.status"] for test in tests] == ["fail", "pass"]
    sessions = [span for span in collector.spans if span.name == "avatar session"]
    assert {one.parent_span_id for one in sessions} == {test.span_id for test in tests}


def test_a_collector_that_refuses_is_one_line_and_fails_nothing(
    downstream: Downstream, collector: Collector
) -> None:
    collector.status = 400
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run_apart()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["avatar: not all spans were exported: otlp_proto_http failed"])


def test_an_exporter_that_nobody_has_is_one_line(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run_apart()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["avatar: no spans were exported: carrier-pigeon: no exporter of that name is installed"]
    )


def test_spans_of_many_sessions_arrive_in_pieces(
    downstream: Downstream, collector: Collector
) -> None:
    downstream.write("""
        import pytest

        @pytest.mark.parametrize("n", range(300))
        def test_it(avatar_session, n): ...
    """)
    assert downstream.run_apart("-q").ret == 0
    assert len(collector.spans) == 601
    assert len(collector.bodies) == 2


@pytest.mark.parametrize(
    ("environment", "conftest"),
    [
        ({}, ""),
        ({"OTEL_SERVICE_NAME": "shop"}, ""),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, ""),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, ""),
        ({"OTEL_TRACES_EXPORTER": "console"}, "sys.modules['opentelemetry.sdk'] = None"),
    ],
)
def test_without_an_exporter_or_the_extra_nothing_is_said_or_imported(
    downstream: Downstream,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    conftest: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    downstream.write(f"import sys\n{conftest}", "conftest")
    downstream.write("""
        import sys

        def test_it(avatar_session):
            assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk.")]
    """)
    result = downstream.run_apart()
    assert result.ret == 0
    assert result.outlines[-2].startswith("avatar: 1 session, all ended")
    assert result.errlines == []
