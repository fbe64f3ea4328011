"""Every setting, one row each: its name in each layer, and its text by default.

The first layer that speaks wins: command line, environment, ini, default. This module is imported
by every run of pytest, whether it uses avatars or not, so it holds data and imports nothing; what
the texts mean stands in `setting_values`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    IniType = Literal["string", "linelist", "float", "int", "bool"]

__all__ = ["ROWS", "Given", "Row", "gather"]


class Row:
    """One setting.

    Attributes:
        name: Its attribute of `AvatarSettings`.
        title: What messages call it.
        accepted: What is accepted, for messages and help.
        help: One line for `--help`.
        default: Its text if no layer speaks; `None` leaves the value `None`.
        option: Its option on the command line; `None` if there is none.
        environment: Its environment variable; `None` if there is none.
        ini: Its key in the ini file; `None` if there is none.
        ini_type: What pytest takes for it there.
        is_secret: Whether messages must not show the value.
    """

    def __init__(
        self,
        *,
        name: str,
        title: str,
        accepted: str,
        help: str,  # noqa: A002 - what pytest calls it
        default: str | None = None,
        option: str | None = None,
        environment: str | None = None,
        ini: str | None = None,
        ini_type: IniType = "string",
        is_secret: bool = False,
    ) -> None:
        self.name = name
        self.title = title
        self.accepted = accepted
        self.help = help
        self.default = default
        self.option = option
        self.environment = environment
        self.ini = ini
        self.ini_type: IniType = ini_type
        self.is_secret = is_secret


class Given:
    """What the layers say of one setting.

    Attributes:
        text: What the first layer that speaks says; `None` if none does and there is no default.
        source: That layer: `command line`, `environment`, `ini` or `default`.
        place: The option, variable or key; empty for the default.
    """

    def __init__(self, text: str | None, source: str, place: str) -> None:
        self.text = text
        self.source = source
        self.place = place

    @property
    def is_default(self) -> bool:
        """Whether no layer speaks."""
        return self.source == "default"


def gather(
    command_line: Mapping[str, str], environment: Mapping[str, str], ini: Mapping[str, str]
) -> dict[str, Given]:
    """Return what the layers say, by the name of the setting.

    Args:
        command_line: Texts by option (`--avatar-mode`), only those that were given.
        environment: Texts by variable; empty ones count as not given.
        ini: Texts by key (`avatar_mode`), only those that were given; reports one to a line.
    """
    return {row.name: _first(row, command_line, environment, ini) for row in ROWS}


def _first(
    row: Row,
    command_line: Mapping[str, str],
    environment: Mapping[str, str],
    ini: Mapping[str, str],
) -> Given:
    layers = (
        ("command line", command_line, row.option),
        ("environment", environment, row.environment),
        ("ini", ini, row.ini),
    )
    for source, texts, place in layers:
        if place is not None and (text := texts.get(place, "").strip()):
            return Given(text, source, place)
    return Given(row.default, "default", "")


ROWS: Final = (
    Row(
        name="ks",
        title="Kaltura Session",
        accepted="a KS, or @FILE with one in it",
        help="the Kaltura Session (KS) that opens sessions; @FILE reads it from a file",
        option="--avatar-ks",
        environment="AVATAR_KS",
        is_secret=True,
    ),
    Row(
        name="avatar_id",
        title="avatar",
        accepted="the id of an avatar",
        help="the avatar that appears where a test names none",
        option="--avatar-id",
        environment="AVATAR_ID",
        ini="avatar_id",
    ),
    Row(
        name="base_url",
        title="base URL",
        accepted="an https URL, or http on this machine",
        help="where the avatar service lives",
        default="https://api.avatar.us.kaltura.ai/v1/avatar-session",
        option="--avatar-base-url",
        environment="AVATAR_BASE_URL",
        ini="avatar_base_url",
    ),
    Row(
        name="mode",
        title="mode",
        accepted="auto, replay, record, live, emulator, verify",
        help="where answers come from; auto is live if --avatar-ks is given, else replay",
        default="auto",
        option="--avatar-mode",
        environment="PYTEST_AVATAR_MODE",
        ini="avatar_mode",
    ),
    Row(
        name="cassette_dir",
        title="cassette folder",
        accepted="a folder, from the root directory",
        help="where cassettes are kept",
        default="cassettes",
        option="--avatar-cassette-dir",
        ini="avatar_cassette_dir",
    ),
    Row(
        name="leaks",
        title="what a leak does",
        accepted="fail, warn, off",
        help="what a session that was left open does to the run",
        default="fail",
        option="--avatar-leaks",
        ini="avatar_leaks",
    ),
    Row(
        name="reports",
        title="report files",
        accepted="paths, one to a line",
        help="write the leak report there, in the form its suffix names; repeatable",
        default="",
        option="--avatar-report",
        ini="avatar_report",
        ini_type="linelist",
    ),
    Row(
        name="github",
        title="annotations and job summary",
        accepted="auto, on, off",
        help="annotate leaks and append a job summary; auto does so on GitHub Actions",
        default="auto",
        option="--avatar-github",
        ini="avatar_github",
    ),
    Row(
        name="session_scope",
        title="scope of avatar_session",
        accepted="function, class, module, package, session",
        help="how long one avatar_session is shared",
        default="function",
        option="--avatar-session-scope",
        ini="avatar_session_scope",
    ),
    Row(
        name="timeout",
        title="request timeout",
        accepted="seconds, more than 0",
        help="how long to wait for each part of an answer, in seconds",
        default="30",
        ini="avatar_timeout",
        ini_type="float",
    ),
    Row(
        name="keep_alive",
        title="keep-alive interval",
        accepted="seconds; 0 sends none",
        help="seconds between two keep-alives of an open session; 0 sends none",
        default="10",
        ini="avatar_keep_alive",
        ini_type="float",
    ),
    Row(
        name="max_session_duration",
        title="longest life of a session",
        accepted="seconds; 0 sets no limit",
        help="longest life of a session of our fixtures, in seconds; 0 sets no limit",
        default="1800",
        ini="avatar_max_session_duration",
        ini_type="float",
    ),
    Row(
        name="max_sessions",
        title="most sessions at once",
        accepted="a whole number; 0 sets no limit",
        help="most sessions open at once over all workers; 0 sets no limit",
        default="0",
        ini="avatar_max_sessions",
        ini_type="int",
    ),
    Row(
        name="watch",
        title="watch every test",
        accepted="true or false",
        help="watch every test, not only those that use a fixture or marker of ours",
        default="false",
        ini="avatar_watch",
        ini_type="bool",
    ),
    Row(
        name="watchdog",
        title="watchdog",
        accepted="auto, require, off",
        help="whether a process of its own ends what a killed run left open",
        default="auto",
        ini="avatar_watchdog",
    ),
    Row(
        name="create_path",
        title="create path",
        accepted="negotiate, base, /create",
        help="where create goes after the base URL",
        default="negotiate",
        ini="avatar_create_path",
    ),
    Row(
        name="id_field",
        title="avatar field",
        accepted="negotiate, avatarId, id",
        help="what the create body calls the avatar's id",
        default="negotiate",
        ini="avatar_id_field",
    ),
)
"""All settings, in the order of the reference."""
