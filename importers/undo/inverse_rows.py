"""The rows that undo an import, made of its history, newest change first."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from importers.reading.record import Batch
from importers.sdk.node_id import encode_node_id
from models.entity_history import to_json
from models.undo import read_changed_assignments, read_changed_entities

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from asyncpg import Connection, Record

# The first row below the header, as in a file.
_FIRST_ROW = 2


async def inverse_rows(db: Connection, import_id: int) -> AsyncIterator[Batch]:
    """Make the rows that undo an import, some thousand at a time."""
    numbers = count(_FIRST_ROW)
    async for entities in read_changed_entities(db, import_id):
        yield _batch(numbers, map(_entity_cells, entities))
    async for assignments in read_changed_assignments(db, import_id):
        yield _batch(numbers, map(_assignment_cells, assignments))


def _batch(numbers: Iterator[int], rows: Iterable[list[str]]) -> Batch:
    cells = list(rows)
    # `zip(numbers, cells)` would take one number too many at the end of each batch.
    return Batch([next(numbers) for _ in cells], cells)


def _assignment_cells(row: Record) -> list[str]:
    """Return the cells of a row, in the order of `UndoImport`'s columns."""
    return [
        "assignment",
        _name("Case", row["case_id"], row["case_tag"]),
        _name("User", row["user_id"], row["user_tag"]),
        *_side(row["before_role"], row["before_notify"]),
        *_side(row["after_role"], row["after_notify"]),
        "",
        "",
    ]


def _side(role: str | None, notify: bool | None) -> tuple[str, str]:
    return ("", "") if role is None else (role, str(int(bool(notify))))


def _entity_cells(row: Record) -> list[str]:
    what = "case" if row["case_id"] else "user" if row["user_id"] else "other"
    before, after = _merged(
        [(before and json.loads(before), after and json.loads(after)) for before, after in
         zip(row["befores"], row["afters"], strict=True)]
    )  # fmt: skip
    return [
        what if after is not None else "other",
        _name("Case", row["case_id"], row["case_tag"]),
        _name("User", row["user_id"], row["user_tag"]),
        *[""] * 4,
        to_json(before) or "",
        to_json(after) or "",
    ]


def _merged(
    changes: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]],
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return the fields before the first of several changes, and after the last."""
    first, _ = changes[0]
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for old, new in changes:
        if new is None:
            return None, None
        before = {**(old or {}), **before}
        after = {**after, **new}
    return (None if first is None else before), after


def _name(kind: str, key: int | None, tag: str | None) -> str:
    """Return what a cell names a case or a user by: the Tag ID, or else the API's `id`."""
    if key is None:
        return ""
    return tag or encode_node_id(kind, key)
