"""What can go wrong, as one shallow tree.

::

    AvatarError
    ├── SettingError           a setting has a value that cannot be used
    ├── ServiceUnreachableError  no answer came
    ├── ServiceError           the service answered with an error
    ├── UnexpectedAnswerError  the service answered something we do not understand
    ├── SessionGoneError       the session has ended, or is unknown to the service
    ├── CassetteError          a cassette is missing, broken or does not match
    └── LeakError              a session was left open (also an AssertionError)

Every message says what happened, what was expected, what was seen and what to do,
and holds no secret: whoever raises passes text through `pytest_avatar.core.redaction` first.
"""

from __future__ import annotations

__all__ = [
    "AvatarError",
    "CassetteError",
    "LeakError",
    "ServiceError",
    "ServiceUnreachableError",
    "SessionGoneError",
    "SettingError",
    "UnexpectedAnswerError",
]


class AvatarError(Exception):
    """The root of every error that this package raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """Let errors travel between processes: `Exception` would forget keyword arguments."""
        return _rebuild, (type(self), *self.args), vars(self)


def _rebuild(kind: type[AvatarError], *args: object) -> AvatarError:
    return kind.__new__(kind, *args)


class SettingError(AvatarError):
    """A setting has a value that cannot be used.

    Attributes:
        setting: Name of the setting, as in the reference (`mode`, `base URL`).
    """

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


class _OperationError(AvatarError):
    """What the errors of one operation on the service have in common."""

    def __init__(self, message: str, *, operation: str, session_id: str | None = None) -> None:
        super().__init__(message)
        self.operation = operation
        self.session_id = session_id


class ServiceUnreachableError(_OperationError):
    """No whole answer came: connection refused, dropped, or too slow.

    Attributes:
        operation: What was asked (`create`, `say-text`, …).
        session_id: The session it was asked of; `None` for create.
    """


class ServiceError(_OperationError):
    """The service answered with an error.

    Attributes:
        operation: What was asked (`create`, `say-text`, …).
        session_id: The session it was asked of; `None` for create.
        status: The HTTP status of the answer.
        reason: The error text of the answer; `None` if it had none.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        status: int,
        reason: str | None,
        session_id: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, session_id=session_id)
        self.status = status
        self.reason = reason


class UnexpectedAnswerError(_OperationError):
    """The service answered something that the Control API does not describe.

    Attributes:
        operation: What was asked (`create`, `say-text`, …).
        session_id: The session it was asked of; `None` for create.
        status: The HTTP status of the answer.
    """

    def __init__(
        self, message: str, *, operation: str, status: int, session_id: str | None = None
    ) -> None:
        super().__init__(message, operation=operation, session_id=session_id)
        self.status = status


class SessionGoneError(_OperationError):
    """The session has ended, or the service does not know it.

    Attributes:
        operation: What was asked (`say-text`, …).
        session_id: The session it was asked of.
        status: 404 or 410 if the service said so, `None` if the session was known here to be over.
    """

    def __init__(
        self, message: str, *, operation: str, session_id: str, status: int | None = None
    ) -> None:
        super().__init__(message, operation=operation, session_id=session_id)
        self.status = status


class CassetteError(AvatarError):
    """A cassette is missing, broken, or does not hold what was asked for.

    Not an `OSError`, so that no HTTP client takes it for a network fault and tries again.
    """


class LeakError(AvatarError, AssertionError):
    """A session was left open when its scope closed."""
