"""Takes the pictures of the HTML report that the documentation shows; run as a module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from pytest_avatar.adapters.reports import as_html
from tests.chromium import Chromium, Server
from tests.reports import mixed_run

IMAGES: Final = Path(__file__).with_name("images")
SIZES: Final = {"report-wide": (1280, 760), "report-narrow": (400, 760)}

if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as profile,
        Chromium(Path(profile)) as chromium,
        Server() as server,
    ):
        server.page = "".join(as_html.write(mixed_run()))
        for name, (width, height) in SIZES.items():
            chromium.open(server.url, width=width, height=height)
            (IMAGES / f"{name}.png").write_bytes(chromium.screenshot())
