"""Runs what the documentation shows. A page is a project, and its blocks are read in order.

A block with a file's name after its language is written to that file; a `console` block holds
commands (after `$`) and what they print, where `...` stands for any number of lines. A command
that shows no output has to succeed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from markdown_it import MarkdownIt

from tests.downstream import PLAIN, PREFIXES

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["ROOT", "Block", "Project", "blocks_of", "matches", "normalised", "pages"]

ROOT: Final = Path(__file__).parents[2]

ADDRESS: Final = "127.0.0.1:8787"
"""Where the emulator is, in the documentation. The tests let it choose a port."""

_VARYING: Final = (
    (r"(?m)^([=_!-])\1{2,} (.+?) \1{2,}$", r"\1\1\1 \2 \1\1\1"),
    (r"(?m)^(asyncio:|platform|plugins:|rootdir:|cachedir|hypothesis profile).*$", r"\1"),
    (r"(?m)^(?:platform|cachedir|hypothesis profile)\n", ""),
    (r" +\[ *(\d+%)\]", r" [\1]"),
    (r"\bin \d+\.\d+s\b", "in 0.00s"),
    (r"\b\d\d:\d\d:\d\d UTC", "00:00:00 UTC"),
    (r"\b\d+(?:\.\d+)? s\b", "0 s"),
    (r"0 s to 0 s", "0 s"),
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<session>"),
    (r"(?m)[ \t]+$", ""),
)
"""What differs from run to run and from machine to machine, and what stands for it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its line, its language, and the name of its file, if it has one."""

    line: int
    language: str
    name: str
    content: str


def pages() -> list[str]:
    """Return the pages of the documentation, from the top of the repository."""
    below = [path for folder in ("docs", "cassettes") for path in (ROOT / folder).rglob("*.md")]
    names = [path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *below]]
    return sorted(name for name in names if "/." not in name)


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    tokens = MarkdownIt().parse((ROOT / page).read_text("utf-8"))
    return [_block(token) for token in tokens if token.type == "fence"]


def _block(token: Token) -> Block:
    language, _, name = token.info.partition(" ")
    line = token.map[0] + 1 if token.map else 0
    return Block(line, language, name, token.content)


def normalised(text: str) -> str:
    """Return what a command printed, without what differs from run to run."""
    for pattern, replacement in _VARYING:
        text = re.sub(pattern, replacement, text)
    return text.strip("\n")


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what a page shows."""
    lines = normalised(shown).split("\n")
    parts = ["(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n" for line in lines]
    return re.fullmatch("".join(parts), normalised(printed) + "\n") is not None


@dataclass(slots=True)
class Project:
    """What a page builds up: a folder, an environment, perhaps a running emulator."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _address: str = ADDRESS
    _emulator: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIXES)}
        commands = os.pathsep.join([str(Path(sys.executable).parent), inherited["PATH"]])
        self.environment = {
            **inherited,
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PATH": commands,
            "PYTEST_ADDOPTS": " ".join(PLAIN),
            "PYTEST_AVATAR_STATE_DIR": str(self.folder.parent / "state"),
            "PYTHONDONTWRITEBYTECODE": "1",  # files change faster than their times of change
        }
        self.folder.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._emulator is not None:
            self._emulator.terminate()
            self._emulator.communicate(timeout=10)

    def follow(self, block: Block) -> None:
        """Do what a block shows."""
        if block.name:
            path = self.folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content.replace(ADDRESS, self._address), "utf-8")
        elif block.language == "console":
            for step in re.split(r"(?m)^\$ ", block.content)[1:]:
                command, _, shown = step.partition("\n")
                self._check(command, shown)

    def _check(self, command: str, shown: str) -> None:
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = value.replace(ADDRESS, self._address)
        elif command.startswith("pytest-avatar emulator"):
            printed = self._start_emulator(command)
            assert matches(shown, printed), f"$ {command}\n{printed}"
        else:
            status, printed = self._run(command)
            fits = matches(shown, printed) if shown.strip() else status == 0
            assert fits, f"$ {command}\n{printed}\nexit status {status}"

    def _run(self, command: str) -> tuple[int, str]:
        """Run a command; one that could spend money only where an emulator takes its requests."""
        assert "--avatar-ks" not in command or self._address != ADDRESS
        done = subprocess.run(
            command.replace(ADDRESS, self._address),
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.replace(self._address, ADDRESS)

    def _start_emulator(self, command: str) -> str:
        """Start the emulator on a free port, and return what it prints first."""
        self._emulator = subprocess.Popen(
            [*command.split(), "--port", "0"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._emulator.stdout is not None
        first = self._emulator.stdout.readline()
        self._address = first.removeprefix("http://").partition("/")[0]
        return first.replace(self._address, ADDRESS)
