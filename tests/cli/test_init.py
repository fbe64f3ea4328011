from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from pytest_avatar.cli import main


def test_the_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == version("pytest-avatar") + "\n"


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    assert "serve a stand-in for the avatar service on a local port" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["emulate"], ["--port", "0", "emulator"], ["--vers"]])
def test_arguments_that_are_not_understood_exit_with_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: pytest-avatar")


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest-avatar", "--version"])

    with pytest.raises(SystemExit):
        main()

    assert capsys.readouterr().out == version("pytest-avatar") + "\n"


def test_python_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_avatar", "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout == version("pytest-avatar") + "\n"


def test_help_imports_no_subcommand() -> None:
    code = """
import sys
from pytest_avatar.cli import main
try:
    main(["--version"])
except SystemExit:
    print("pytest_avatar.cli.emulator" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.splitlines()[-1] == "False"
