"""Everything that people run on this project, one session each; `nox -l` lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS = nox.project.python_versions({"project": PROJECT})
DIST = Path("dist")
TEST_SETUP = ("--editable", ".[emulator,otel]", "--group", "test")

nox.needs_version = ">=2025.2.9"
nox.options.sessions = [
    "lint",
    "types",
    "build",
    "tests",
    "lowest",
    "slow",
    "crash",
    "browser",
    "neighbours",
    "coverage",
]
nox.options.default_venv_backend = "virtualenv"  # with pip, which honours the user's settings
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # nox says which it skips, and why


def path_to_pythons() -> str:
    """Return `PATH` with the Pythons that pyenv keeps before its shims, which may refuse to run."""
    folders = os.environ["PATH"].split(os.pathsep)
    shims = [Path(folder) for folder in folders if Path(folder).name == "shims"]
    homes = {Path.home() / ".pyenv", *(folder.parent for folder in shims)}
    kept = sorted(str(found) for home in homes for found in home.glob("versions/3.*/bin"))
    return os.pathsep.join([*kept, *folders])


os.environ["PATH"] = path_to_pythons()


@nox.session
def lint(session: nox.Session) -> None:
    """Check the formatting and the linter's rules."""
    session.install("--group", "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of package and tests."""
    session.install(*TEST_SETUP, "--group", "types")
    session.run("mypy")
    session.run("pyright")


@nox.session
def build(session: nox.Session) -> None:
    """Build wheel and sdist into dist/; see that the wheel works without extras, and is typed."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(DIST))
    wheel = built("*.whl").resolve()
    session.install(str(wheel))
    session.chdir(scratch(session))
    session.run("python", "-c", "import pytest_avatar")
    session.run("pytest", "--markers", silent=True)
    session.run("pytest-avatar", "--help", silent=True)
    session.install(f"{wheel}[emulator,otel]", "pyright[nodejs]")
    session.run("pyright", "--verifytypes", "pytest_avatar", "--ignoreexternal", silent=True)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests of the sdist against the wheel, both from dist/, without the sources."""
    test_what_is_built(session)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run them with the lowest versions of the direct dependencies."""
    floors = Path(session.virtualenv.location, "floors.txt")
    floors.write_text("\n".join(lowest_versions()), "utf-8")
    test_what_is_built(session, "--constraint", str(floors))


@nox.session
def slow(session: nox.Session) -> None:
    """Follow the pages of the documentation, and do at length what the other tests do once."""
    session.install(*TEST_SETUP)
    session.run("pytest", "-n", "2", "-m", "slow", *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """End runs in every way that there is, and see what they leave open (Linux, 4 minutes)."""
    session.install(*TEST_SETUP)
    session.run("pytest", "-n", "2", "tests/crash", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the HTML report with Chromium, and for what keeps people out of it with axe-core."""
    if shutil.which("npm") is None:
        session.skip("needs npm, which brings axe-core")
    session.install(*TEST_SETUP)
    folder = scratch(session)
    session.run("npm", "install", "--silent", "--prefix", str(folder), "axe-core", external=True)
    axe = folder / "node_modules" / "axe-core" / "axe.min.js"
    tests = [f"tests/adapters/reports/test_{name}.py" for name in ("in_a_browser", "acceptance")]
    session.run("pytest", *tests, *session.posargs, env={"AXE_CORE": str(axe)})


@nox.session
def neighbours(session: nox.Session) -> None:
    """See that the verdict reaches the reports of other plugins."""
    session.install(*TEST_SETUP, "--group", "neighbours")
    session.run("pytest", "-n", "2", "tests/plugin/test_neighbours.py", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure us and our peers side by side, and write the tables of the documentation."""
    session.install("--editable", ".[emulator]", "--group", "benchmarks")
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session
def gate(session: nox.Session) -> None:
    """Count the instructions of what must not grow slower; needs valgrind."""
    if shutil.which("valgrind") is None:
        session.skip("valgrind is not installed, which counts instructions")
    session.install("--editable", ".[emulator]", "--group", "benchmarks")
    session.run("python", "-m", "tests.benchmarks", "--gate")


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the tests reach, in subprocesses too."""
    session.install(*TEST_SETUP)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-m", "slow or not slow", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


def test_what_is_built(session: nox.Session, *options: str) -> None:
    """Run the tests of the sdist against the wheel, installed with these options of pip."""
    wheel = built("*.whl").resolve()
    session.install(f"{wheel}[emulator,otel]", "--group", "test", *options)
    session.chdir(unpack_without_sources(built("*.tar.gz"), scratch(session)))
    session.run("pytest", "-n", "2", "--ignore=tests/test_repository.py", *session.posargs)


def scratch(session: nox.Session) -> Path:
    """Return an empty folder of the session's own.

    Not `session.create_tmp`, which makes it the place of all temporary files too: pytest would take
    the projects that tests write there for parts of this one, and read its settings.
    """
    folder = Path(session.virtualenv.location, "scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def built(pattern: str) -> Path:
    """Return the one file in dist/ of that pattern."""
    found = list(DIST.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(f"dist/{pattern}: {len(found)} files. Run `nox -s build` first.")
    return found[0]


def unpack_without_sources(sdist: Path, folder: Path) -> Path:
    """Unpack the sdist, drop the package, return the top of the rest."""
    shutil.unpack_archive(sdist, folder)
    top = next(folder.iterdir())
    shutil.rmtree(top / "pytest_avatar")
    return top


def lowest_versions() -> list[str]:
    """Return pyproject.toml's direct dependencies, each pinned to its floor."""
    extras = PROJECT["optional-dependencies"].values()
    direct = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return [requirement.replace(">=", "==") for requirement in direct]
