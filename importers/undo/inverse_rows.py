"""The rows that undo an import, made of its history, newest change first."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from importers.reading.record import Batch
from importers.sdk.node_id import encode_node_id
from models.entity_history import EntityEdit, to_json
from models.present_state import table_of
from models.undo import read_changed_entities, read_inverse_cells

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from asyncpg import Connection, Record

Side: TypeAlias = "Mapping[str, Any] | None"

# The first row below the header, as in a file.
_FIRST_ROW = 2


async def inverse_rows(db: Connection, import_id: int) -> AsyncIterator[Batch]:
    """Make the rows that undo an import, some thousand at a time."""
    numbers = count(_FIRST_ROW)
    # Assignments first: with one of them a new user is not disabled, nor a new case closed.
    async for rows in read_inverse_cells(db, import_id):
        yield _batch(numbers, map(json.loads, rows))
    async for entities in read_changed_entities(db, import_id):
        yield _batch(numbers, map(_entity_cells, entities))


def _batch(numbers: Iterator[int], rows: Iterable[list[str]]) -> Batch:
    return Batch.of([(next(numbers), cells) for cells in rows])


def _entity_cells(row: Record) -> list[str]:
    before, after = _merged(
        [(before and json.loads(before), after and json.loads(after)) for before, after in
         zip(row["befores"], row["afters"], strict=True)]
    )  # fmt: skip
    return [
        _what(row, before, after),
        _name("Case", row["case_id"], row["case_tag"]),
        _name("User", row["user_id"], row["user_tag"]),
        *[""] * 4,
        to_json(before) or "",
        to_json(after) or "",
        row["kind"] or "",
        row["record"] or "",
    ]


def _what(row: Record, before: Side, after: Side) -> str:
    """Say what a change is about, if it can be taken back."""
    if before is None is after:
        return "other"
    if row["record"] is not None:
        return "record" if row["kind"] else "other"
    if after is None:  # cases and users are never removed
        return "other"
    # Of changes of plugins, older histories tell nothing but the fields.
    table = table_of(EntityEdit(0, row["case_id"], row["user_id"], before, after))
    return "other" if table is None else table[:-1]


def _merged(changes: Sequence[tuple[Side, Side]]) -> tuple[Side, Side]:
    """Return the fields before the first of several changes, and after the last.

    A field that others have changed in between comes as it was before the next change; so does all
    of a record that others have created or removed.
    """
    before, after = changes[0]
    for old, new in changes[1:]:
        if (old is None) != (after is None):
            before = old
        elif old is not None and after is not None and before is not None:
            others = {
                name: value
                for name, value in old.items()
                if name not in after or after[name] != value
            }
            before = {**before, **others}
        after = {**(after or {}), **new} if new is not None else None
    return before, after


def _name(kind: str, key: int | None, tag: str | None) -> str:
    """Return what a cell names a case or a user by: the Tag ID, or else the API's `id`."""
    if key is None:
        return ""
    return tag or encode_node_id(kind, key)
