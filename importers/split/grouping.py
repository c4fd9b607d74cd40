"""Grouping: rows that could be about the same thing share a key, whatever they call it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.isolation.guard import (
    UsedUpError,
    guard_of,
    guarded,
    guarded_await,
    guarding,
    is_of_plugin,
)
from importers.sdk.references import Reference
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Collection

    from importers.rows.layout import Layout
    from importers.rows.stored_directory import StoredDirectory
    from importers.sdk.columns import Column
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer

Cells = Sequence[str]

GroupKeys = Sequence[int | None]
"""A key for each row; None for a row that can't meet others."""


class UngroupableError(Exception):
    """The importer can't tell which rows are about the same thing: all of them could be."""


class Groups(NamedTuple):
    """The keys of some rows, valid within this process.

    Args:
        kinds: for each kind of key that there is. Two rows whose changes can meet share a key, be
            it of one kind or of two; the converse need not hold.
        wide: where there is one kind, keys that rows with the same key of that kind share as well:
            those of the case, say, where the one kind is that of the pair.
    """

    kinds: list[GroupKeys]
    wide: GroupKeys


Grouping = Callable[[Sequence[Cells]], Awaitable[Groups]]
"""Finds out which rows have to stay together, given their cells."""


def grouping_by_keys(
    importer: Importer, layout: Layout, directory: StoredDirectory, together: Collection[str]
) -> Grouping:
    """Let rows that could be about the same thing share a key, as `group_rows` finds it."""

    async def group(rows: Sequence[Cells]) -> Groups:
        # A guard for each batch: as much time as the importer has for a chunk. Files may be large.
        with guarding(guard_of(importer, directory.keep_alive)):
            return await group_rows(importer, layout, rows, directory, together)

    return group


async def group_as_one(rows: Sequence[Cells]) -> Groups:
    """Let all rows share one key, so that they run one after another."""
    keys = [0] * len(rows)
    return Groups([keys], keys)


async def group_rows(
    importer: Importer,
    layout: Layout,
    rows: Sequence[Cells],
    directory: Directory,
    together: Collection[str] = (),
) -> Groups:
    """Return the rows' keys.

    A kind that a key column is part of is left out: its rows share that column's key.

    Args:
        together: `case` or `user`, when rows about the same one are to be judged together; `app`,
            when all rows are, in the order of the file.

    Raises:
        UngroupableError: the importer can't tell which rows belong together.
    """
    if "app" in together:
        return await group_as_one(rows)
    keys = [column for column in layout.columns(importer).values() if column.is_key]
    try:
        groups = [await _by_one_column(column, layout, rows, directory) for column in keys]
        if _references(importer):
            groups += [
                await _by_references(columns, layout, rows, directory)
                for columns in _column_groups(importer, together)
                if not any(column.is_key for column in columns)
            ]
    except UsedUpError as error:
        raise UngroupableError(str(error)) from error
    kinds: list[GroupKeys] = []
    for kind, _ in groups:
        # Without keys that a row has already by a kind before: it does not meet itself.
        kinds.append(reduce(_without, kinds, kind))
    return Groups(kinds, groups[0][1] if groups else [])


def _without(kind: GroupKeys, before: GroupKeys) -> GroupKeys:
    return [None if key == other else key for key, other in zip(kind, before, strict=True)]


def _references(importer: Importer) -> list[Reference[Any]]:
    columns = importer.columns.values()
    return [each for each in columns if isinstance(each, Reference) and each._may_name]


def key_columns(importer: Importer) -> list[Reference[Any]]:
    """Return the columns that say which pair a row is about.

    One case and one user: both. Several of one kind: the other alone. Several of both: none, and
    all rows form one group.
    """
    references = _references(importer)
    by_noun = [
        [column for column in references if column._may_name == {noun}] for noun in ("case", "user")
    ]
    return [column for columns in by_noun if len(columns) == 1 for column in columns]


def _column_groups(importer: Importer, together: Collection[str]) -> list[list[Reference[Any]]]:
    """Return the columns whose cells make a key, for each kind of key.

    Rows about one case are known by the one column of cases, and include those about one pair.
    """
    groups: list[list[Reference[Any]]] = []
    for noun in sorted(together):
        columns = [column for column in _references(importer) if noun in column._may_name]
        if columns:
            # Which of several columns names the case can't be seen, nor whether a look-up of a
            # plugin's own finds a case or a user: all rows are one group.
            is_sure = len(columns) == 1 and columns[0]._may_name == {noun}
            groups.append(columns if is_sure else [])
    return groups or [key_columns(importer)]


async def _by_references(
    columns: Sequence[Reference[Any]], layout: Layout, rows: Sequence[Cells], directory: Directory
) -> tuple[GroupKeys, GroupKeys]:
    """Return one key for the columns' cells of a row, and one for the first column's alone.

    Without columns, all rows have the same.
    """
    names = [await _names_of(column, layout, rows, directory) for column in columns]
    if not names:
        return [0] * len(rows), [0] * len(rows)
    # A hash of eight bytes takes the place of a text; where two texts share one, their rows merely
    # stay together. The keys are random for each process: no file can be made to collide.
    return list(map(hash, zip(*names, strict=True))), list(map(hash, names[0]))


async def _by_one_column(
    column: Column[Any], layout: Layout, rows: Sequence[Cells], directory: Directory
) -> tuple[GroupKeys, GroupKeys]:
    """Return a key for each row's cell of the column, twice; a blank cell meets no others."""
    if isinstance(column, Reference):
        names = await _names_of(column, layout, rows, directory)
    else:
        names = _value_keys(column, layout, rows)
    space = column._key_space or column.name
    keys = [hash((space, name)) if name else None for name in names]
    return keys, keys


def _value_keys(column: Column[Any], layout: Layout, rows: Sequence[Cells]) -> list[str]:
    """Return the group key of each row's value; rows that can't be read meet no others."""
    position = layout.positions.get(column.name)
    if position is None:
        return [""] * len(rows)
    cells = _cells_at(position, rows)
    distinct = set(cells)
    # Where no cell repeats, as in a list of new users, checking each first would part no more rows.
    if len(distinct) == len(cells) and (quick := column._quick_group_keys(cells)):
        return quick
    keys = {cell: _value_key(column, cell) for cell in distinct}
    return [keys[cell] for cell in cells]


def _value_key(column: Column[Any], cell: str) -> str:
    try:
        value = guarded(column.read, cell)
        return "" if value is None else guarded(column.group_key, value)
    except UsedUpError:
        raise
    except Exception:
        return ""


def _cells_at(position: int, rows: Sequence[Cells]) -> list[str]:
    """Return a cell of each row; blank where a row has too few."""
    # Hardly any file has short rows: no test of a length for each row.
    try:
        return [cells[position] for cells in rows]
    except IndexError:
        return [cells[position] if position < len(cells) else "" for cells in rows]


async def _names_of(
    column: Reference[Any], layout: Layout, rows: Sequence[Cells], directory: Directory
) -> list[str]:
    """Name what each row's cell refers to in one way only.

    IDs and addresses, which are other names of something with a Tag ID, are replaced by it.
    """
    texts = _parsed_texts(column, layout, rows)
    # Nearly all files name things by Tag IDs alone, which one search in all texts tells.
    if column._are_plain(texts):
        return texts
    others = {text for text in set(texts) if text and not column.is_plain(text)}
    if not others:
        return texts
    try:
        found = await guarded_await(column.resolve(directory, others))
        names = {text: guarded(column.group_key, entity) for text, entity in found.items()}
    except Exception as error:
        if isinstance(error, UsedUpError) or (is_passing(error) and not is_of_plugin(error)):
            raise
        raise UngroupableError(f"column {column.name!r} failed: {error!r}") from error
    return [names.get(text, text) for text in texts]


def _parsed_texts(column: Reference[Any], layout: Layout, rows: Sequence[Cells]) -> list[str]:
    blank = column.default if isinstance(column.default, str) else ""
    position = layout.positions.get(column.name)
    if position is None:
        return [blank] * len(rows)
    texts = list(map(str.strip, _cells_at(position, rows)))
    if column._only_trims():
        return [text or blank for text in texts] if blank else texts
    parsed = {text: _parsed_text(column, text) if text else blank for text in set(texts)}
    return [parsed[text] for text in texts]


def _parsed_text(column: Reference[Any], text: str) -> str:
    """Parse a text as reading does; rows that can't be read meet no others."""
    try:
        return str(guarded(column.parse, text))
    except UsedUpError:
        raise
    except Exception:
        return text
