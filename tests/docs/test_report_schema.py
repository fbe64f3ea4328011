from __future__ import annotations

import runpy
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_the_reference_page_is_what_the_schema_makes_of_it() -> None:
    made = runpy.run_path(str(REFERENCE / "report_schema.py"))["page"]()
    assert (REFERENCE / "report-schema.md").read_text("utf-8") == made, (
        "the schema has changed: run python docs/reference/report_schema.py"
    )
