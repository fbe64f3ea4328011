from __future__ import annotations

from pytest_avatar.core.report import Allowance, Report
from pytest_avatar.core.report_merge import merge_reports
from tests.reports import START, Life, mixed_run, report_of, run_facts


def test_one_report_merges_to_itself() -> None:
    report = mixed_run()
    assert merge_reports([report]) is report


def test_totals_add_up_and_keys_stay_unique() -> None:
    one, other = mixed_run(), report_of(Life("leaked"), Life("code"))
    merged = merge_reports([one, other])
    pairs = zip(one.totals, other.totals, strict=True)
    assert merged.totals == tuple(a + b for a, b in pairs)
    assert len({session.key for session in merged.sessions}) == len(merged.sessions)
    assert merged.sessions[-1].key == "2/main-2"
    assert merged.sessions[-1].process == "2/main"


def test_the_run_spans_its_shards_and_keeps_what_differs() -> None:
    one = Report(run_facts(mode="live", exit_status=0, died=("worker gw0",)))
    other = Report(
        run_facts(
            mode="replay",
            exit_status=1,
            started_at=START - 5,
            ended_at=START + 999,
            versions={"pytest": "9.2.0", "python": "3.12.1"},
            missing=("the journal",),
        )
    )
    run = merge_reports([one, other]).run
    assert (run.mode, run.exit_status) == ("live, replay", 1)
    assert (run.started_at, run.ended_at) == (START - 5, START + 999)
    assert run.versions == {
        "pytest-avatar": "1.2.3, ?",
        "python": "3.11.9, 3.12.1",
        "pytest": "9.2.0",
    }
    assert (run.died, run.missing) == (("1/worker gw0",), ("2: the journal",))


def test_a_shard_whose_exit_status_is_not_known_leaves_that_of_the_run_unknown() -> None:
    shards = [Report(run_facts(exit_status=status)) for status in (0, None)]
    assert merge_reports(shards).run.exit_status is None


def test_uses_of_one_allowance_add_up() -> None:
    shards = [
        Report(run_facts(), allowances=(Allowance(place="t.py", reason="why", uses=uses),))
        for uses in (1, 2)
    ]
    assert merge_reports(shards).allowances == (Allowance(place="t.py", reason="why", uses=3),)
