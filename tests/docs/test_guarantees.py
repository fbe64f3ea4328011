"""What the page on guarantees promises is what `nox -s crash` checks."""

from __future__ import annotations

import re

from tests.crash.situations import SITUATIONS
from tests.crash.table import row, table
from tests.docs.pages import ROOT


def test_the_table_is_that_of_the_crash_tests() -> None:
    page = (ROOT / "docs/explanation/guarantees.md").read_text("utf-8")
    shown = re.search(
        r"<!-- the table of tests/crash -->\n(.*?)<!-- until here -->", page, re.DOTALL
    )
    assert shown is not None
    wanted = table(row(situation, situation.expected) for situation in SITUATIONS)
    assert shown[1].splitlines() == list(wanted)


def test_all_situations_are_there_and_only_a_lost_reply_leaves_a_session_open() -> None:
    numbers = {re.sub("[a-z]", "", situation.number) for situation in SITUATIONS}
    assert numbers == {str(number) for number in range(1, 29)}
    assert len({situation.number for situation in SITUATIONS}) == len(SITUATIONS)
    assert [one.number for one in SITUATIONS if one.expected.left_open] == ["14"]
