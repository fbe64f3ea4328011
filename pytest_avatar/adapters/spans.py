"""A report as OpenTelemetry's spans: the run, its tests, and in them the sessions they opened."""

from __future__ import annotations

import os
from functools import cached_property
from importlib.metadata import entry_points
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pytest_avatar.core.report import FAILURES
from pytest_avatar.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter

    from pytest_avatar.core.report import Report, SessionFacts
    from pytest_avatar.core.tracing import TestRun

__all__ = ["current_span", "export_spans"]

_MOST_AT_ONCE: Final = 500
"""Spans in one request to a collector."""

_LONGEST: Final = 1000
"""Characters of a text."""


def current_span() -> str | None:
    """Return the `traceparent` of the span that is current now; `None` if none is."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def export_spans(
    report: Report, tests: Mapping[str, Sequence[TestRun]], exporters: Iterable[str]
) -> list[str]:
    """Send a span for each session, below that of its test, to every exporter.

    Args:
        report: The run.
        tests: The attempts at each test, by node id.
        exporters: The names of their entry points.

    Returns:
        What went wrong, a line each.
    """
    outcomes = [_export(report, tests, name) for name in exporters]
    return [problem for problem in outcomes if problem is not None]


def _export(report: Report, tests: Mapping[str, Sequence[TestRun]], name: str) -> str | None:
    try:
        exporter: SpanExporter = _load(name)()
        arrived = _Spans(report, tests, exporter).export()
        exporter.shutdown()
    except Exception as error:  # noqa: BLE001 - whatever the exporter of somebody else raises
        return f"no spans were exported: {name}: {error or type(error).__name__}"
    return None if arrived else f"not all spans were exported: {name} failed"


def _load(name: str) -> Any:  # noqa: ANN401 - the class of an exporter
    found = next(iter(entry_points(group="opentelemetry_traces_exporter", name=name)), None)
    if found is None:
        raise LookupError("no exporter of that name is installed")
    return found.load()


class _Spans:
    def __init__(
        self, report: Report, tests: Mapping[str, Sequence[TestRun]], exporter: SpanExporter
    ) -> None:
        self._report = report
        self._tests = tests
        self._exporter = exporter
        self._finished = InMemorySpanExporter()
        provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._finished))
        self._tracer = provider.get_tracer(
            "pytest-avatar", report.run.versions.get("pytest-avatar")
        )

    def export(self) -> bool:
        """Send everything, piece by piece; return whether everything arrived."""
        return all(self._send() for _ in self._tests_of_run() if self._is_full) and self._send()

    @property
    def _is_full(self) -> bool:
        return len(self._finished.get_finished_spans()) >= _MOST_AT_ONCE

    def _send(self) -> bool:
        waiting = self._finished.get_finished_spans()
        self._finished.clear()
        return all(
            self._exporter.export(waiting[start : start + _MOST_AT_ONCE])
            is SpanExportResult.SUCCESS
            for start in range(0, len(waiting), _MOST_AT_ONCE)
        )

    def _tests_of_run(self) -> Iterator[None]:
        """Make the spans of all tests, and yield whenever one is made, then that of the run."""
        for (test, attempt), sessions in _by_test(self._report.sessions):
            self._add_test(test, attempt, sessions)
            yield
        if "_span_of_run" in self.__dict__:
            self._span_of_run.end(_nanoseconds(self._report.run.ended_at))

    @cached_property
    def _span_of_run(self) -> trace.Span:
        """What tests and sessions are below that are below nothing else."""
        run = self._report.run
        return self._tracer.start_span(
            "pytest",
            _parent_of_run(),
            attributes=_known({"avatar.mode": run.mode, "avatar.base_url": run.base_url}),
            start_time=_nanoseconds(run.started_at),
        )

    def _add_test(self, test: str | None, attempt: int, sessions: Iterable[SessionFacts]) -> None:
        known = self._tests.get(test or "", ())[:attempt]
        if test is None or not known:
            for session in sessions:
                self._add_session(trace.set_span_in_context(self._span_of_run), session)
            return
        times = known[-1]
        name = printable(test, _LONGEST)
        status = "fail" if times.failed else "pass"
        span = self._tracer.start_span(
            name,
            _below(times.parent) or trace.set_span_in_context(self._span_of_run),
            attributes={"test.case.name": name, "test.case.result.status": status},
            start_time=_nanoseconds(times.started_at),
        )
        inside = trace.set_span_in_context(span)
        for session in sessions:
            self._add_session(inside, session)
        span.end(_nanoseconds(times.ended_at))

    def _add_session(self, inside: Context, session: SessionFacts) -> None:
        span = self._tracer.start_span(
            "avatar session",
            inside,
            kind=trace.SpanKind.CLIENT,
            attributes=_attributes(session),
            start_time=_nanoseconds(session.created_at),
        )
        if session.opened_at is not None:
            span.add_event("opened", timestamp=_nanoseconds(session.opened_at))
        for one in session.end_attempts:
            told = {
                "actor": one.actor,
                "status": one.status,
                "reason": one.reason,
                "test": one.test,
            }
            known = {f"avatar.{name}": value for name, value in told.items() if value is not None}
            span.add_event(str(one.ending), known, _nanoseconds(one.at))
        if session.verdict in FAILURES:
            why = printable(f"{session.verdict}: {session.outcome}", _LONGEST)
            span.set_status(trace.StatusCode.ERROR, why)
        span.end(_nanoseconds(session.ended_at or self._report.run.ended_at))


def _by_test(
    sessions: Sequence[SessionFacts],
) -> Iterator[tuple[tuple[str | None, int], Iterable[SessionFacts]]]:
    def test_of(session: SessionFacts) -> tuple[str | None, int]:
        return session.opener.test, session.opener.attempt

    return groupby(sorted(sessions, key=lambda one: (str(test_of(one)), one.created_at)), test_of)


def _attributes(session: SessionFacts) -> dict[str, str | int]:
    opener = session.opener
    return _known(
        {
            "avatar.session.id": session.session_id,
            "avatar.session.key": session.key,
            "avatar.verdict": session.verdict,
            "avatar.reason": session.reason,
            "avatar.ended_by": session.ended_by,
            "avatar.fixture": opener.fixture,
            "avatar.phase": opener.phase,
            "avatar.worker": opener.worker,
            "avatar.client": opener.client,
            "code.file.path": opener.file,
            "code.line.number": opener.line,
            **{f"avatar.calls.{name}": times for name, times in session.calls.items()},
        }
    )


def _known(told: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Return what is known, as text that every exporter takes."""
    return {
        name: printable(value, _LONGEST) if isinstance(value, str) else value
        for name, value in told.items()
        if value is not None
    }


def _resource() -> Resource:
    """Return what the environment says of the program; it is called pytest if that is all."""
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: "pytest"}))
    return resource


def _parent_of_run() -> Context | None:
    """Return where the run belongs: to the span that is current, or that `TRACEPARENT` names."""
    return _below(current_span() or os.environ.get("TRACEPARENT"))


def _below(parent: str | None) -> Context | None:
    return TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
