"""A report as JSON data, and back: what does not apply is left out, what is derived is added."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.ledger import EndAttempt
from pytest_avatar.core.report import SCHEMA_VERSION, Allowance, Report, RunFacts, SessionFacts
from pytest_avatar.core.schema import check, load_schema
from pytest_avatar.core.wire import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_avatar.core.report import Group

__all__ = [
    "head_to_dict",
    "map_texts",
    "report_from_dict",
    "report_to_dict",
    "scrub_sessions",
    "session_to_dict",
]

_Part = TypeVar("_Part", Allowance, EndAttempt, Opener, RunFacts, SessionFacts)

_BATCH: Final = 2_000


def report_to_dict(report: Report) -> dict[str, Any]:
    """Return the report as `report.schema.json` describes it."""
    sessions = [session_to_dict(session) for session in report.sessions]
    return head_to_dict(report) | {"sessions": sessions}


def head_to_dict(report: Report) -> dict[str, Any]:
    """Return everything but the sessions: there may be too many to hold twice."""
    return {
        "version": SCHEMA_VERSION,
        "failures": report.failures,
        "run": _run_to_dict(report.run),
        "totals": _written(report.totals),
        "warnings": list(report.warnings),
        "groups": [_group_to_dict(group) for group in report.groups],
        "allowances": [_written(allowance) for allowance in report.allowances],
    }


def report_from_dict(data: Any) -> Report:  # noqa: ANN401 - JSON data
    """Read a report; what is derived is counted anew.

    Raises:
        ValueError: It is no report of a version we know; the text says where and why.
    """
    if isinstance(data, dict) and data.get("version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise ValueError(
            f"version: {data['version']!r}, and this pytest-avatar reads {SCHEMA_VERSION}"
        )
    check(data, load_schema())
    return Report(
        _read(RunFacts, data["run"], died=tuple, missing=tuple, limited_at=tuple),
        tuple(_session(session) for session in data["sessions"]),
        tuple(_read(Allowance, allowance) for allowance in data["allowances"]),
    )


def session_to_dict(session: SessionFacts) -> dict[str, Any]:
    """Return one session as an item of `sessions`."""
    data = _written(session)
    data["opener"] = _written(session.opener)
    data["calls"] = dict(session.calls)
    data["end_attempts"] = [_written(attempt) for attempt in session.end_attempts]
    return data


def map_texts(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - any part of one
    """Return a report, or a part of one, with every text changed.

    Members of enumerations are ours and stay; what holds no text that changes is not copied.
    """
    if type(value) is str:
        return change(value)
    if isinstance(value, tuple):
        items = [map_texts(item, change) for item in value]
        same = all(map(is_, items, value))
        return value if same else tuple.__new__(type(value), items)  # a named one stays one
    if type(value) is dict:
        texts = {key: map_texts(item, change) for key, item in value.items()}
        return value if all(map(is_, texts.values(), value.values())) else texts
    if type(value) is Report:
        parts = (value.run, value.sessions, value.allowances)
        changed = map_texts(parts, change)
        return value if changed is parts else Report(*changed)
    return value


def scrub_sessions(
    sessions: Sequence[SessionFacts], scrub: Callable[[str], str]
) -> tuple[SessionFacts, ...]:
    """Return sessions without secrets, looked at in batches: hardly any text holds one.

    Args:
        sessions: The sessions.
        scrub: Takes the secrets out of a text, of several on lines of their own too.
    """
    found: list[SessionFacts] = []
    for start in range(0, len(sessions), _BATCH):
        batch = sessions[start : start + _BATCH]
        texts = "\n".join(_texts_of(batch))
        clean = scrub(texts) == texts
        found += batch if clean else [map_texts(session, scrub) for session in batch]
    return tuple(found)


def _texts_of(sessions: Iterable[SessionFacts]) -> list[str]:
    """Return every text in some sessions, each once."""
    found: set[Any] = set()
    for session in sessions:
        own = (session.key, session.session_id, session.reason)
        found.update(own, session.opener, *session.end_attempts)
    return [text for text in found if isinstance(text, str)]


def _run_to_dict(run: RunFacts) -> dict[str, Any]:
    lists = {name: list(getattr(run, name)) for name in ("died", "missing", "limited_at")}
    return _written(run) | {"versions": dict(run.versions), **lists}


def _group_to_dict(group: Group) -> dict[str, Any]:
    return {
        "verdict": group.verdict,
        "place": group.place,
        "sessions": [session.key for session in group.sessions],
    }


def _session(data: Mapping[str, Any]) -> SessionFacts:
    return _read(
        SessionFacts,
        data,
        opener=lambda opener: _read(Opener, opener),
        verdict=Verdict,
        ended_by=Actor,
        end_attempts=lambda attempts: tuple(_attempt(attempt) for attempt in attempts),
    )


def _attempt(data: Mapping[str, Any]) -> EndAttempt:
    blank = {"status": None, "reason": None}
    return _read(EndAttempt, blank | dict(data), actor=Actor, ending=Ending)


def _written(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a report
    """Return the fields that are not `None`."""
    pairs = zip(value._fields, value, strict=True)
    return {name: item for name, item in pairs if item is not None}


def _read(kind: type[_Part], data: Mapping[str, Any], **readers: Callable[[Any], Any]) -> _Part:
    """Read a part of a report; unknown keys, from other versions, are passed over."""
    known = {name: data[name] for name in kind._fields if name in data}
    for name, read in readers.items():
        if name in known:
            known[name] = read(known[name])
    return kind(**known)
