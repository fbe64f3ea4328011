"""Which side a service takes where the sources of the Control API disagree.

SEED sends create to the bare base URL with `visualConfig.avatarId`; all live code sends it to
`/create` with `visualConfig.id`. A create refused with a 4xx opened nothing, so trying the other
side once is safe.
"""

from __future__ import annotations

from typing import Final

from pytest_avatar.core.wire import CREATE_PATHS, ID_FIELDS

__all__ = ["Attempts", "Dialect"]

_WRONG_PATH: Final = (404, 405)
_WRONG_FIELD: Final = (400, 422)


class Dialect:
    """What is pinned, and what has been learnt so far.

    Args:
        create_path: One of `CREATE_PATHS`; `None` negotiates.
        id_field: One of `ID_FIELDS`; `None` negotiates.

    Attributes:
        create_path: Where create goes.
        id_field: What the avatar's id is called.
        is_confirmed: Whether a create has been accepted in this form.
    """

    def __init__(self, create_path: str | None = None, id_field: str | None = None) -> None:
        self.create_path: str = CREATE_PATHS[0] if create_path is None else create_path
        self.id_field: str = ID_FIELDS[0] if id_field is None else id_field
        self.is_confirmed: bool = False
        self._paths: Final = CREATE_PATHS if create_path is None else (create_path,)
        self._fields: Final = ID_FIELDS if id_field is None else (id_field,)

    def attempts(self) -> Attempts:
        """Return the forms in which to try one create."""
        return Attempts(
            self,
            other_paths=[path for path in self._paths if path != self.create_path],
            other_fields=[name for name in self._fields if name != self.id_field],
        )

    def accepted(self, create_path: str, id_field: str) -> None:
        """Remember a form that the service has accepted."""
        self.create_path, self.id_field = create_path, id_field
        self.is_confirmed = True


class Attempts:
    """The forms of one create: at most one change of path and one of field.

    Attributes:
        create_path: Where to send the next try.
        id_field: What to call the avatar's id in it.
    """

    def __init__(
        self, dialect: Dialect, *, other_paths: list[str], other_fields: list[str]
    ) -> None:
        self.create_path: str = dialect.create_path
        self.id_field: str = dialect.id_field
        self._dialect: Final = dialect
        self._other_paths: Final = other_paths
        self._other_fields: Final = other_fields

    def go_on(self, status: int) -> bool:
        """Learn from the status of an answer; return whether another form is left to try."""
        if status in _WRONG_PATH and self._other_paths:
            self.create_path = self._other_paths.pop()
            return True
        if status in _WRONG_FIELD and self._other_fields:
            self.id_field = self._other_fields.pop()
            return True
        if 200 <= status < 300:
            self._dialect.accepted(self.create_path, self.id_field)
        return False
