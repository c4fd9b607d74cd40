"""Grouping: rows that could be about the same thing share a key, whatever they call it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from importers.isolation.guard import (
    UsedUpError,
    guard_of,
    guarded,
    guarded_await,
    guarding,
    is_of_plugin,
)
from importers.sdk.errors import ErrorDetail, FileRefusedError
from importers.sdk.references import Reference
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Collection

    from importers.rows.layout import Layout
    from importers.rows.stored_directory import StoredDirectory
    from importers.sdk.columns import Column
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer

logger = logging.getLogger(__name__)

Cells = Sequence[str]
_NO_GROUPS = ErrorDetail(
    code="IMPORTER_ERROR",
    message="The importer can't tell which rows are one group; the worker's log says why.",
)

GroupKeys = Sequence[int | None]
"""A key for each row; None for a row that can't meet others."""

_KeysAndWide = tuple[GroupKeys, GroupKeys]


class UngroupableError(Exception):
    """The importer can't tell which rows are about the same thing: all of them could be."""


class GroupColumn(NamedTuple):
    """The column that makes rows a group which is never parted.

    Args:
        name: as errors name it.
        label: as messages name it.
        position: of its cell in a row.
    """

    name: str
    label: str
    position: int


class Groups(NamedTuple):
    """The keys of some rows, valid within this process.

    Args:
        kinds: for each kind of key that there is. Two rows whose changes can meet share a key, be
            it of one kind or of two; the converse need not hold.
        wide: where there is one kind, keys that rows with the same key of that kind share as well:
            those of the case, say, where the one kind is that of the pair.
        whole: the column that makes the first kind, if its rows are never to be parted; a row
            whose group can't be read has no key of this kind.
    """

    kinds: list[GroupKeys]
    wide: GroupKeys
    whole: GroupColumn | None = None


Grouping = Callable[[Sequence[Cells]], Awaitable[Groups]]
"""Finds out which rows have to stay together, given their cells."""


def grouping_by_keys(
    importer: Importer, layout: Layout, directory: StoredDirectory, together: Collection[str]
) -> Grouping:
    """Let rows that could be about the same thing share a key, as `group_rows` finds it."""

    async def group(rows: Sequence[Cells]) -> Groups:
        # A guard for each batch: as much time as the importer has for a chunk. Files may be large.
        with guarding(guard_of(importer, directory.keep_alive)):
            try:
                return await group_rows(importer, layout, rows, directory, together)
            except UngroupableError as error:
                if importer.group_by is None:
                    raise
                # In one chain, as other rows, groups could be parted.
                logger.exception("importer %r can't tell groups; its file is refused", importer.key)
                raise FileRefusedError([_NO_GROUPS]) from error

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
    columns, whole = layout.columns(importer), importer.group_by
    groups: list[_KeysAndWide] = []
    try:
        if whole:
            groups.append(await _by_whole_groups(columns[whole], layout, rows, directory))
        if "app" in together:
            one_chain = [0] * len(rows)
            groups.append((one_chain, one_chain))
        else:
            groups += await _by_keys(importer, layout, rows, directory, together)
    except UsedUpError as error:
        raise UngroupableError(str(error)) from error
    kinds: list[GroupKeys] = []
    for kind, _ in groups:
        # Without keys that a row has already by a kind before: it does not meet itself.
        kinds.append(reduce(_without, kinds, kind))
    column = _group_column(columns[whole], layout) if whole else None
    return Groups(kinds, groups[0][1] if groups else [], column)


async def _by_keys(
    importer: Importer,
    layout: Layout,
    rows: Sequence[Cells],
    directory: Directory,
    together: Collection[str],
) -> list[_KeysAndWide]:
    """Return a key of each kind for each row, but for the column that makes whole groups."""
    columns, whole = layout.columns(importer), importer.group_by
    first = {whole, *(importer._ordering or ())}
    keys = [
        each for name, each in columns.items() if name != whole and (each.is_key or name in first)
    ]
    groups = [await _by_one_column(column, layout, rows, directory) for column in keys]
    if _references(importer):
        groups += [
            await _by_references(references, layout, rows, directory)
            for references in _column_groups(importer, together)
            if not any(each.is_key or each.name in first for each in references)
        ]
    return groups


def _group_column(column: Column[Any], layout: Layout) -> GroupColumn:
    return GroupColumn(column.public_name, column.label, layout.positions[column.name])


async def _by_whole_groups(
    column: Column[Any], layout: Layout, rows: Sequence[Cells], directory: Directory
) -> tuple[GroupKeys, GroupKeys]:
    """Return a key for each row's group; None for a row whose group can't be read.

    All cells are looked up, as no other column can tell which rows name no group.
    """
    cells = _cells_at(layout.positions[column.name], rows)
    if isinstance(column, Reference):
        names = await _found_names(column, set(cells), directory)
    else:
        names = {cell: _value_key(column, cell) for cell in set(cells)}
    # In a row with more cells than the header, it can't be known which cell is which.
    width = layout.width
    keys = [
        hash(name) if name and not (len(row) > width and any(map(str.strip, row[width:]))) else None
        for name, row in zip(map(names.__getitem__, cells), rows, strict=True)
    ]
    return keys, keys


async def _found_names(
    column: Reference[Any], cells: Collection[str], directory: Directory
) -> dict[str, str]:
    """Name what each of some cells refers to; blank where it refers to nothing."""
    texts = {cell: _attempt(column.read, cell) for cell in cells}
    names = await _resolved_names(column, set(texts.values()) - {None}, directory)
    return {cell: names.get(text, "") for cell, text in texts.items()}


async def _resolved_names(
    column: Reference[Any], texts: Collection[Any], directory: Directory
) -> dict[str, str]:
    """Look texts up, and name what each refers to; those that refer to nothing are left out.

    Raises:
        UngroupableError: the column fails.
    """
    try:
        found = await guarded_await(column.resolve(directory, texts))
        return {text: guarded(column.group_key, entity) for text, entity in found.items()}
    except Exception as error:
        if isinstance(error, UsedUpError) or (is_passing(error) and not is_of_plugin(error)):
            raise
        raise UngroupableError(f"column {column.name!r} failed: {error!r}") from error


def _attempt(call: Callable[[Any], Any], value: object) -> Any:
    """Call a plugin's function; None if it fails, as rows that can't be read meet no others."""
    try:
        return guarded(call, value)
    except UsedUpError:
        raise
    except Exception:
        return None


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
    if importer._ordering is not None:
        # Rows can be about any case of a user, or any user of a case: validators that look at those
        # together have to see all rows in the order of the file.
        kept = [each._may_name for each in _references(importer) if each.name in importer._ordering]
        is_sure = kept and all(noun in kept[0] for noun in together)
        return [] if is_sure else [[]]
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
    value = _attempt(column.read, cell)
    return "" if value is None else _attempt(column.group_key, value) or ""


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
    names = await _resolved_names(column, others, directory)
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
    """Parse a text as reading does; one that can't be read stays."""
    parsed = _attempt(lambda each: str(column.parse(each)), text)
    return text if parsed is None else cast("str", parsed)
