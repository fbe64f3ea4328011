"""Every setting, one row each: its name in each layer, how it is read, what it is by default.

The first layer that speaks wins: command line, environment, ini, default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.model import Token
from pytest_avatar.core.settings import AvatarSettings, LeakPolicy, Mode, WatchdogPolicy
from pytest_avatar.core.wire import CREATE_PATHS, DEFAULT_BASE_URL, ID_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

IniType = Literal["string", "linelist", "float", "int", "bool"]

__all__ = ["ROWS", "Row", "read_base_url", "read_ks", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting.

    Attributes:
        name: Its attribute of `AvatarSettings`.
        title: What messages call it.
        read: Turns the text of any layer into the value; raises `ValueError` with what is wrong.
        accepted: What is accepted, for messages and help.
        default: Its text if no layer speaks; `None` leaves the value `None`.
        option: Its option on the command line; `None` if there is none.
        environment: Its environment variable; `None` if there is none.
        ini: Its key in the ini file; `None` if there is none.
        ini_type: What pytest takes for it there.
        help: One line for `--help`.
        is_secret: Whether messages must not show the value.
    """

    name: str
    title: str
    read: Callable[[str], Any]
    accepted: str
    help: str
    default: str | None = None
    option: str | None = None
    environment: str | None = None
    ini: str | None = None
    ini_type: IniType = "string"
    is_secret: bool = False


def resolve(
    command_line: Mapping[str, str], environment: Mapping[str, str], ini: Mapping[str, str]
) -> AvatarSettings:
    """Return the settings that the layers give.

    Args:
        command_line: Texts by option (`--avatar-mode`), only those that were given.
        environment: Texts by variable; empty ones count as not given.
        ini: Texts by key (`avatar_mode`), only those that were given; reports one to a line.

    Raises:
        SettingError: A value is not accepted, or two do not go together. One line.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = (
        ("command line", command_line, "option"),
        ("environment", environment, "environment"),
        ("ini", ini, "ini"),
    )
    for row in ROWS:
        text, source, place = row.default, "default", ""
        for layer, texts, key in layers:
            place = getattr(row, key)
            if place is not None and texts.get(place):
                text, source = texts[place], layer
                break
        sources[row.name] = source
        values[row.name] = None if text is None else _read(row, text, source, place)
    _settle_mode(values, sources)
    _refuse_open_secret(values, sources)
    return AvatarSettings(**values, sources=sources)


def read_base_url(text: str, *, guards_secret: bool) -> BaseUrl:
    """Return a base URL.

    Args:
        text: The URL.
        guards_secret: Whether a KS will be sent there, so that it must be HTTPS or this machine.

    Raises:
        SettingError: It cannot be used. One line.
    """
    try:
        base = BaseUrl(text)
    except ValueError as error:
        raise SettingError(f"base URL: {error}; accepted: {_HTTPS}", setting="base URL") from error
    if guards_secret and base.scheme != "https" and not base.is_loopback:
        raise SettingError(
            f"base URL: {base} would send the KS in the clear; accepted: {_HTTPS}",
            setting="base URL",
        )
    return base


_HTTPS: Final = "an https URL, or http on this machine"


def _read(row: Row, text: str, source: str, place: str) -> object:
    try:
        return row.read(text.strip())
    except (ValueError, OSError) as error:
        layer = f"{source}, {place}" if place else source
        shown = "the value" if row.is_secret else repr(text)
        raise SettingError(
            f"{row.title} ({layer}): {shown} {error}; accepted: {row.accepted}", setting=row.title
        ) from None


def _settle_mode(values: dict[str, Any], sources: dict[str, str]) -> None:
    """Decide what `auto` is: only a KS on the command line spends money."""
    if values["mode"] is None:
        given = sources["ks"] == "command line"
        values["mode"] = Mode.LIVE if given else Mode.REPLAY
        reason = "a KS is on the command line" if given else "no KS on the command line"
        sources["mode"] = f"auto: {reason}"


def _refuse_open_secret(values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
    base = values["base_url"]
    if values["ks"] is not None and base.scheme != "https" and not base.is_loopback:
        raise SettingError(
            f"base URL ({sources['base_url']}): {str(base)!r} would send the KS in the clear; "
            f"accepted: {_HTTPS}",
            setting="base URL",
        )


def read_ks(text: str) -> Token:
    """Take a KS literally, or from the file after `@`."""
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise ValueError(f"names a file that cannot be read ({reason})") from None
    if not text or any(character.isspace() or not character.isascii() for character in text):
        raise ValueError("is empty, or holds white space or other characters that no KS has")
    return Token(text)


def _read_choice(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            raise ValueError("is none of them") from None

    return read


def _read_mode(text: str) -> Mode | None:
    return None if text == "auto" else Mode(_read_choice(Mode)(text))


def _read_one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError("is none of them")
        return text

    return read


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("is no number") from None
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("is negative or endless")
    return seconds


def _read_positive_seconds(text: str) -> float:
    seconds = _read_seconds(text)
    if seconds == 0:
        raise ValueError("would never wait")
    return seconds


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is no whole number")
    return int(text)


def _read_flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError("is neither")
    return _FLAGS[text.lower()]


_FLAGS: Final = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


def _read_create_path(text: str) -> str | None:
    return {"negotiate": None, "base": CREATE_PATHS[0], CREATE_PATHS[1]: CREATE_PATHS[1]}[
        _read_one_of("negotiate", "base", CREATE_PATHS[1])(text)
    ]


def _read_id_field(text: str) -> str | None:
    chosen = _read_one_of("negotiate", *ID_FIELDS)(text)
    return None if chosen == "negotiate" else chosen


def _read_paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(line.strip()) for line in text.splitlines() if line.strip())


_SCOPES: Final = ("function", "class", "module", "package", "session")

ROWS: Final = (
    Row(
        name="ks",
        title="Kaltura Session",
        read=read_ks,
        accepted="a KS, or @FILE with one in it",
        help="the Kaltura Session (KS) that opens sessions; @FILE reads it from a file",
        option="--avatar-ks",
        environment="AVATAR_KS",
        is_secret=True,
    ),
    Row(
        name="avatar_id",
        title="avatar",
        read=str,
        accepted="the id of an avatar",
        help="the avatar that appears where a test names none",
        option="--avatar-id",
        environment="AVATAR_ID",
        ini="avatar_id",
    ),
    Row(
        name="base_url",
        title="base URL",
        read=BaseUrl,
        accepted=_HTTPS,
        help="where the avatar service lives",
        default=DEFAULT_BASE_URL,
        option="--avatar-base-url",
        environment="AVATAR_BASE_URL",
        ini="avatar_base_url",
    ),
    Row(
        name="mode",
        title="mode",
        read=_read_mode,
        accepted=f"auto, {', '.join(Mode)}",
        help="where answers come from; auto is live if --avatar-ks is given, else replay",
        default="auto",
        option="--avatar-mode",
        environment="PYTEST_AVATAR_MODE",
        ini="avatar_mode",
    ),
    Row(
        name="cassette_dir",
        title="cassette folder",
        read=Path,
        accepted="a folder, from the root directory",
        help="where cassettes are kept",
        default="cassettes",
        option="--avatar-cassette-dir",
        ini="avatar_cassette_dir",
    ),
    Row(
        name="leaks",
        title="what a leak does",
        read=_read_choice(LeakPolicy),
        accepted=", ".join(LeakPolicy),
        help="what a session that was left open does to the run",
        default=LeakPolicy.FAIL,
        option="--avatar-leaks",
        ini="avatar_leaks",
    ),
    Row(
        name="reports",
        title="report files",
        read=_read_paths,
        accepted="paths, one to a line",
        help="write the leak report there, in the form its suffix names; repeatable",
        default="",
        option="--avatar-report",
        ini="avatar_report",
        ini_type="linelist",
    ),
    Row(
        name="session_scope",
        title="scope of avatar_session",
        read=_read_one_of(*_SCOPES),
        accepted=", ".join(_SCOPES),
        help="how long one avatar_session is shared",
        default="function",
        option="--avatar-session-scope",
        ini="avatar_session_scope",
    ),
    Row(
        name="timeout",
        title="request timeout",
        read=_read_positive_seconds,
        accepted="seconds, more than 0",
        help="how long to wait for each part of an answer, in seconds",
        default="30",
        ini="avatar_timeout",
        ini_type="float",
    ),
    Row(
        name="keep_alive",
        title="keep-alive interval",
        read=_read_seconds,
        accepted="seconds; 0 sends none",
        help="seconds between two keep-alives of an open session; 0 sends none",
        default="10",
        ini="avatar_keep_alive",
        ini_type="float",
    ),
    Row(
        name="max_session_duration",
        title="longest life of a session",
        read=_read_seconds,
        accepted="seconds; 0 sets no limit",
        help="longest life of a session of our fixtures, in seconds; 0 sets no limit",
        default="1800",
        ini="avatar_max_session_duration",
        ini_type="float",
    ),
    Row(
        name="max_sessions",
        title="most sessions at once",
        read=_read_count,
        accepted="a whole number; 0 sets no limit",
        help="most sessions open at once over all workers; 0 sets no limit",
        default="0",
        ini="avatar_max_sessions",
        ini_type="int",
    ),
    Row(
        name="watch",
        title="watch every test",
        read=_read_flag,
        accepted="true or false",
        help="watch every test, not only those that use a fixture or marker of ours",
        default="false",
        ini="avatar_watch",
        ini_type="bool",
    ),
    Row(
        name="watchdog",
        title="watchdog",
        read=_read_choice(WatchdogPolicy),
        accepted=", ".join(WatchdogPolicy),
        help="whether a process of its own ends what a killed run left open",
        default=WatchdogPolicy.AUTO,
        ini="avatar_watchdog",
    ),
    Row(
        name="create_path",
        title="create path",
        read=_read_create_path,
        accepted=f"negotiate, base, {CREATE_PATHS[1]}",
        help="where create goes after the base URL",
        default="negotiate",
        ini="avatar_create_path",
    ),
    Row(
        name="id_field",
        title="avatar field",
        read=_read_id_field,
        accepted=f"negotiate, {', '.join(ID_FIELDS)}",
        help="what the create body calls the avatar's id",
        default="negotiate",
        ini="avatar_id_field",
    ),
)
"""All settings, in the order of the reference."""
