"""Which side a service takes where the sources of the Control API disagree.

SEED sends create to the bare base URL with `visualConfig.avatarId`; all live code sends it to
`/create` with `visualConfig.id`. A create refused with a 4xx opened nothing, so trying the other
side once is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.core.wire import CREATE_PATHS, ID_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        self.create_path = CREATE_PATHS[0] if create_path is None else create_path
        self.id_field = ID_FIELDS[0] if id_field is None else id_field
        self.is_confirmed = False
        self._paths: Final = CREATE_PATHS if create_path is None else (create_path,)
        self._fields: Final = ID_FIELDS if id_field is None else (id_field,)

    def attempts(self) -> Attempts:
        """Return the forms in which to try one create."""
        return Attempts(self)

    def other_path(self, tried: str) -> str | None:
        """Return the path that was not tried; `None` if it is pinned."""
        return next((path for path in self._paths if path != tried), None)

    def other_field(self, tried: str) -> str | None:
        """Return the field that was not tried; `None` if it is pinned."""
        return next((name for name in self._fields if name != tried), None)


class Attempts:
    """The forms of one create: at most one change of path and one of field.

    Iterate, and say after each try what was `heard`; the iteration ends when there is nothing
    left to try.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._form: tuple[str, str] = (dialect.create_path, dialect.id_field)
        self._next: tuple[str, str] | None = self._form
        self._changes = {"path", "field"}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield create path and id field of each try."""
        while self._next is not None:
            self._form, self._next = self._next, None
            yield self._form

    def heard(self, status: int) -> None:
        """Learn from the status of the answer."""
        path, id_field = self._form
        if status in _WRONG_PATH:
            self._try_next("path", self._dialect.other_path(path), id_field)
        elif status in _WRONG_FIELD:
            self._try_next("field", path, self._dialect.other_field(id_field))
        elif 200 <= status < 300:
            self._dialect.create_path, self._dialect.id_field = self._form
            self._dialect.is_confirmed = True

    def _try_next(self, change: str, path: str | None, id_field: str | None) -> None:
        if change in self._changes and path is not None and id_field is not None:
            self._changes.discard(change)
            self._next = (path, id_field)
