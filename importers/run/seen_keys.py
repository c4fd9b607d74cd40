"""Repeats: which row of a file was the first to name a thing, and what later rows say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from importers.run.planned_row import FirstMention, PlannedRow
from importers.sdk.errors import ErrorDetail, RowError

if TYPE_CHECKING:
    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedChange
    from importers.sdk.changes import Key, OwnChange


SeenKeys: TypeAlias = Mapping["Key", FirstMention]
"""Who was the first to name each key, in this chunk and those that it is chained to."""

Verdicts: TypeAlias = Mapping["Key", Sequence[ErrorDetail]]
"""Why the rows failed that were the first to name a key; those of rows that passed are left out.

Rows that repeat such a row fail for the same reasons."""


def check_repeats(
    context: ChunkContext, rows: Sequence[PlannedRow], earlier: SeenKeys
) -> tuple[list[PlannedRow], SeenKeys]:
    """Find which rows' changes are new, and which repeat or contradict what earlier rows ask for.

    Args:
        rows: in the order of the file.
        earlier: the keys that earlier chunks have named.

    Returns:
        the rows without what they repeat, and all keys that are named by now.
    """
    seen = dict(earlier)
    return [_compared(context, row, seen) for row in rows], seen


def _compared(
    context: ChunkContext, planned: PlannedRow, seen: dict[Key, FirstMention]
) -> PlannedRow:
    """Compare a row with those before it, and add the keys that it is the first to name."""
    changes, number = planned.changes, planned.row.number
    if len(changes) == 1 and seen.keys().isdisjoint(changes[0].keys):
        (only,) = changes
        seen.update(dict.fromkeys(only.keys, FirstMention(number, only.intent)))
        return planned
    new: list[PlannedChange] = []
    named: set[Key] = set()
    repeats = []
    for each in changes:
        held = [(key, seen[key]) for key in each.keys if key in seen]
        if not held:
            seen.update(dict.fromkeys(each.keys, FirstMention(number, each.intent)))
            named.update(each.keys)
            new.append(each)
        elif not _is_repeat(each, held):
            errors = _conflicts(context, planned.row, each, held)
            return PlannedRow(planned.row, new).failed(errors)
        elif held[0][0] not in named:
            repeats.append(held[0])
    return planned._replace(changes=new, repeats=repeats) if changes else planned


def _is_repeat(planned: PlannedChange, held: Sequence[tuple[Key, FirstMention]]) -> bool:
    """Tell whether one earlier row has asked for just this."""
    return (
        len(held) == len(planned.keys)
        and len({mention.row for _, mention in held}) == 1
        and all(mention.intent == planned.intent for _, mention in held)
    )


def _conflicts(
    context: ChunkContext,
    row: ReadRow,
    planned: PlannedChange,
    held: Sequence[tuple[Key, FirstMention]],
) -> tuple[ErrorDetail, ...]:
    taken = {} if planned.rule else cast("OwnChange", planned.change).taken
    errors = []
    for key, mention in held:
        if key[0] in taken:
            name, code = taken[str(key[0])]
            error = RowError(None, code, f"row {mention.row} of this file has it too.")
            errors.append(context.refusal(error, getattr(planned.change, name), row))
        else:
            what = "user on the same case" if planned.rule else str(key[0])
            errors.append(_conflict(what, mention.row))
    return tuple(dict.fromkeys(errors))


def _conflict(what: str, number: int) -> ErrorDetail:
    return ErrorDetail(
        code="CONFLICTS_WITH_ROW",
        message=f"The row says something else of the same {what} than row {number};"
        " keep one of them.",
        value=str(number),
    )
