"""Locks under which validators count: which they are, in the order in which they are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importers.sdk.entities import Case, User

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from importers.sdk.changes import Change
    from importers.sdk.validator import Validator
    from models.write_one import Table

_NOUNS: dict[Table, str] = {"cases": "case", "users": "user"}


class CountLocks(NamedTuple):
    """What no other import or mutation may change while validators count.

    The app comes before its cases, and these before users, so that no two transactions can
    deadlock; the rows of each table are to be taken in the order of their keys.

    Args:
        app: whether that is everything of the app.
        rows: primary keys, by table.
    """

    app: bool
    rows: Sequence[tuple[Table, Collection[int]]]


def locks_for(validators: Iterable[Validator], changes: Collection[Change]) -> CountLocks:
    """Find out what validators count together of what changes are about."""
    together = {each.together for each in validators}
    rows: list[tuple[Table, Collection[int]]] = []
    for table, noun in _NOUNS.items():
        named = [getattr(each, noun, None) for each in changes] if noun in together else ()
        if keys := {entity.id for entity in named if isinstance(entity, Case | User)}:
            rows.append((table, keys))
    return CountLocks("app" in together, rows)
