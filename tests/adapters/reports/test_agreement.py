"""All forms of one report say the same, and none says a secret: each is read back and compared."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings

from pytest_avatar.adapters.reports import accepted_suffixes, write_report
from pytest_avatar.core.events import Opener
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.report import Allowance, Report, build_report
from pytest_avatar.core.summary import summarise, verdict_line
from tests.reading import check_agreement
from tests.reports import Life, from_code, hostile_reports, keep_books, mixed_run, run_facts

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KS = "djJ8MTIzfHNlY3JldC1zZWNyZXQtc2VjcmV0"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
PLAIN = "a&b\"very<secret>'value|`#"


def written(report: Report, folder: Path) -> dict[str, str]:
    """Return the text of each form, by its suffix."""
    paths = [folder / f"report{suffix}" for suffix in accepted_suffixes]
    for path in paths:
        write_report(report, path)
    return {path.suffix: path.read_text("utf-8") for path in paths}


def test_all_forms_of_a_mixed_run_agree_with_its_books(tmp_path: Path) -> None:
    report = mixed_run()
    texts = written(report, tmp_path)
    check_agreement(report, texts)
    verdicts = Counter(session["verdict"] for session in json.loads(texts[".json"])["sessions"])
    assert verdicts == {"clean": 202, "leaked": 2, "allowed": 1, "unknown": 1, "lost": 1}
    summary = summarise(report, verbose=0)
    assert summary is not None
    for text in (*texts.values(), summary.short)[1:]:
        assert verdict_line(report) in text


def test_what_is_made_of_the_json_form_is_what_the_run_itself_wrote(tmp_path: Path) -> None:
    texts = written(mixed_run(), tmp_path)
    assert written(Report.from_dict(json.loads(texts[".json"])), tmp_path) == texts


@settings(max_examples=25)
@given(report=hostile_reports())
def test_whatever_the_names_are_all_forms_agree(
    report: Report, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_agreement(report, written(report, tmp_path_factory.mktemp("reports")))


def test_no_form_holds_a_secret_wherever_it_stood(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add(PLAIN, "ks")
    name = f"{KS} {TOKEN} {PLAIN}"
    opener = Opener(scope_id=name, test=f"t.py::test[{name}]", fixture=name, file=name, client=name)
    lives = [
        Life(end, opener, session_id=f"{name}{end}", reason=f"500 {name}")
        for end in ("leaked", "lost", "unknown", "gone", "code")
    ]
    facts = run_facts(base_url=name, versions={"pytest": name}, died=(name,), missing=(name,))
    allowances = [Allowance(place=name, reason=name)]
    records = keep_books(*lives, from_code("leaked", 1, name)).records
    report = build_report(facts, records, allowances=allowances, scrub=secrets.scrub)
    for text in written(report, tmp_path).values():
        for secret in (KS, TOKEN, PLAIN, "very<secret", "very&lt;secret", "very&#60;secret"):
            assert secret not in text
