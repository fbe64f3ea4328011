from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chromium import JENKINS_POLICY, PROGRAM, Chromium, Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if PROGRAM is None:
        pytest.skip("needs Chromium in the PATH (Debian: apt install chromium)")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def server_of_all() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def server(server_of_all: Server) -> Server:
    server_of_all.policy = JENKINS_POLICY
    return server_of_all


@pytest.fixture(scope="module")
def axe() -> str:
    """The program that looks for what keeps people out."""
    path = os.environ.get("AXE_CORE")
    if path is None:
        pytest.skip("needs axe-core: `nox -s browser` gets it with npm and sets AXE_CORE")
    return Path(path).read_text("utf-8")
