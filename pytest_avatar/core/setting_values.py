"""What the texts of the settings mean."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.model import Token
from pytest_avatar.core.opening import is_header_word
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.setting_table import ROWS, Given, Row
from pytest_avatar.core.settings import (
    AvatarSettings,
    GithubPolicy,
    LeakPolicy,
    Mode,
    Scope,
    WatchdogPolicy,
)
from pytest_avatar.core.wire import CREATE_PATHS, ID_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

__all__ = ["check_ks", "read_base_url", "read_ks", "resolve"]

_HTTPS: Final = next(row.accepted for row in ROWS if row.name == "base_url")


def resolve(given: Mapping[str, Given]) -> AvatarSettings:
    """Return the settings that the layers give.

    Args:
        given: What `gather` returned.

    Raises:
        SettingError: A value is not accepted, or two do not go together. One line.
    """
    values = {row.name: _read(row, given[row.name]) for row in ROWS}
    sources = {name: one.source for name, one in given.items()}
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
        raise SettingError(
            f"base URL: {_shown(text)} {error}; accepted: {_HTTPS}", setting="base URL"
        ) from error
    if guards_secret and base.scheme != "https" and not base.is_loopback:
        raise SettingError(
            f"base URL: {base} would send the KS in the clear; accepted: {_HTTPS}",
            setting="base URL",
        )
    return base


def read_ks(text: str) -> Token:
    """Take a KS literally, or from the file after `@`.

    Raises:
        ValueError: It is none; the text says what is wrong with it, and does not hold it.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise ValueError(f"names a file that cannot be read ({reason})") from None
    if not is_header_word(text):
        raise ValueError(_NO_KS)
    return Token(text)


def check_ks(text: str) -> Token:
    """Return a KS that was handed over in code, which is always meant literally.

    Raises:
        SettingError: It is none. One line.
    """
    if not is_header_word(text):
        raise SettingError(f"Kaltura Session: the value {_NO_KS}", setting="Kaltura Session")
    return Token(text)


_NO_KS: Final = "is empty, or holds white space or other characters that no KS has"


def _read(row: Row, given: Given) -> Any:  # noqa: ANN401 - each setting has its own type
    if given.text is None:
        return None
    try:
        return _READERS[row.name](given.text)
    except (ValueError, OSError) as error:
        layer = f"{given.source}, {given.place}" if given.place else given.source
        shown = "the value" if row.is_secret else _shown(given.text)
        raise SettingError(
            f"{row.title} ({layer}): {shown} {error}; accepted: {row.accepted}", setting=row.title
        ) from None


def _shown(text: str) -> str:
    """Return a refused value without a secret that is in the wrong place."""
    return repr(Secrets().scrub(re.sub("//[^/?#]*@", "//<redacted>@", text)))


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


def _read_reports(text: str) -> tuple[Path, ...]:
    return tuple(Path(line.strip()) for line in text.splitlines() if line.strip())


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "ks": read_ks,
    "avatar_id": str,
    "base_url": BaseUrl,
    "mode": _read_mode,
    "cassette_dir": Path,
    "leaks": _read_choice(LeakPolicy),
    "reports": _read_reports,
    "github": _read_choice(GithubPolicy),
    "session_scope": _read_one_of(*get_args(Scope)),
    "timeout": _read_positive_seconds,
    "keep_alive": _read_seconds,
    "max_session_duration": _read_seconds,
    "max_sessions": _read_count,
    "watch": _read_flag,
    "watchdog": _read_choice(WatchdogPolicy),
    "create_path": _read_create_path,
    "id_field": _read_id_field,
}
"""How each setting is read: takes the text of any layer, raises `ValueError` with what is wrong."""
