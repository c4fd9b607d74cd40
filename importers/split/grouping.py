"""Grouping: rows that could speak of the same thing share a key, whatever they call it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.isolation.guard import UsedUpError, guarded, guarded_await, is_of_plugin
from importers.sdk.formatted_columns import TagId, quick_group_keys
from importers.sdk.references import CaseRef, Reference, RoleRef, UserRef, are_tags
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Collection

    from importers.rows.layout import Layout
    from importers.sdk.columns import Column
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer

Cells = Sequence[str]

GroupKeys = Sequence[int | None]
"""A key for each row; None for a row that can't meet others."""


class UngroupableError(Exception):
    """Nobody can tell which rows could speak of the same thing: all of them could."""


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
        rows: their cells.
        together: `case` or `user`, when rows about the same one are to be judged together.

    Raises:
        UngroupableError: the importer can't tell which rows belong together.
    """
    try:
        return await _group_rows(importer, layout, rows, directory, together)
    except UsedUpError as error:
        raise UngroupableError(str(error)) from error


async def _group_rows(
    importer: Importer,
    layout: Layout,
    rows: Sequence[Cells],
    directory: Directory,
    together: Collection[str],
) -> Groups:
    groups = [await _alone(column, layout, rows, directory) for column in _own_keys(importer)]
    if _references(importer):
        groups += [
            await _together(columns, layout, rows, directory)
            for columns in _column_groups(importer, together)
            if not any(column.is_key for column in columns)
        ]
    kinds = [kind for kind, _ in groups]
    return Groups(_unlike(kinds), groups[0][1] if groups else [])


def one_group(rows: Sequence[Cells]) -> Groups:
    """Return one key for all rows."""
    keys = [0] * len(rows)
    return Groups([keys], keys)


def _unlike(kinds: Sequence[GroupKeys]) -> list[GroupKeys]:
    """Leave out keys that a row has already by a kind before: it does not meet itself."""
    unlike: list[GroupKeys] = []
    for kind in kinds:
        unlike.append(reduce(_without, unlike, kind))
    return unlike


def _without(kind: GroupKeys, before: GroupKeys) -> GroupKeys:
    return [None if key == other else key for key, other in zip(kind, before, strict=True)]


def _column_groups(importer: Importer, together: Collection[str]) -> list[list[Reference[Any]]]:
    """Return the columns whose cells make a key, for each kind of key.

    Rows about one case are told by the one column of cases, and include those about one pair.
    """
    wanted = [kind for noun, kind in (("case", CaseRef), ("user", UserRef)) if noun in together]
    references = _references(importer)
    by_kind: list[list[Reference[Any]]] = [
        [each for each in references if isinstance(each, kind)] for kind in wanted
    ]
    # A look-up of a plugin's own may find cases or users as well.
    others = [each for each in references if not isinstance(each, CaseRef | UserRef)]
    named = [
        columns if len(columns) == 1 and not others else []
        for columns in by_kind
        if columns or others
    ]
    return named or [key_columns(importer)]


async def _together(
    columns: Sequence[Reference[Any]],
    layout: Layout,
    rows: Sequence[Cells],
    directory: Directory,
) -> tuple[GroupKeys, GroupKeys]:
    """Return one key for the columns' cells of a row, and one for the first column's alone.

    Without columns, all rows have the same.
    """
    names = [
        await _group_keys(_texts(column, layout, rows), column, directory) for column in columns
    ]
    if not names:
        return [0] * len(rows), [0] * len(rows)
    return list(map(hash, zip(*names, strict=True))), list(map(hash, names[0]))


async def _alone(
    column: Column[Any], layout: Layout, rows: Sequence[Cells], directory: Directory
) -> tuple[GroupKeys, GroupKeys]:
    """Return a key for each row's cell of the column, twice; a blank cell meets no others."""
    if isinstance(column, Reference):
        names = await _group_keys(_texts(column, layout, rows), column, directory)
    else:
        names = _names(column, layout, rows)
    space = _space(column)
    keys = [hash((space, name)) if name else None for name in names]
    return keys, keys


def _space(column: Column[Any]) -> str:
    """Say what the column's keys are names of.

    A row can name by its Tag ID what another row of the file gives that Tag ID to.
    """
    return "Tag ID" if isinstance(column, CaseRef | UserRef | TagId) else column.name


def _names(column: Column[Any], layout: Layout, rows: Sequence[Cells]) -> list[str]:
    """Return the group key of each row's value; rows that can't be read meet no others."""
    position = layout.positions.get(column.name)
    if position is None:
        return [""] * len(rows)
    cells = _column(rows, position)
    distinct = set(cells)
    if len(distinct) == len(cells) and (quick := quick_group_keys(column, cells)):
        return quick
    names = {cell: _name(column, cell) for cell in distinct}
    return [names[cell] for cell in cells]


def _name(column: Column[Any], cell: str) -> str:
    try:
        value = guarded(column.read, cell)
        return "" if value is None else guarded(column.group_key, value)
    except UsedUpError:
        raise
    except Exception:
        return ""


def _own_keys(importer: Importer) -> list[Column[Any]]:
    return [column for column in importer.columns.values() if column.is_key]


def key_columns(importer: Importer) -> list[Reference[Any]]:
    """Return the columns that say which pair a row is about.

    One case and one user: both. Several of one kind: the other alone. Several of both: none, and
    all rows form one group.
    """
    references = _references(importer)
    cases = [column for column in references if isinstance(column, CaseRef)]
    users = [column for column in references if isinstance(column, UserRef)]
    return [*(cases if len(cases) == 1 else ()), *(users if len(users) == 1 else ())]


def _references(importer: Importer) -> list[Reference[Any]]:
    """Return the columns that could name a case or a user; a plugin's own kinds could as well."""
    return [
        column
        for column in importer.columns.values()
        if isinstance(column, Reference) and not isinstance(column, RoleRef)
    ]


def _column(rows: Sequence[Cells], position: int) -> list[str]:
    """Return a cell of each row; blank where a row has too few."""
    try:
        return [cells[position] for cells in rows]
    except IndexError:
        return [cells[position] if position < len(cells) else "" for cells in rows]


def _texts(column: Reference[Any], layout: Layout, rows: Sequence[Cells]) -> list[str]:
    """Return each row's cell as the column reads it."""
    blank = column.default if isinstance(column.default, str) else ""
    position = layout.positions.get(column.name)
    if position is None:
        return [blank] * len(rows)
    texts = list(map(str.strip, _column(rows, position)))
    if type(column).parse is Reference.parse:
        return [text or blank for text in texts] if blank else texts
    read = {text: _parsed(column, text) if text else blank for text in set(texts)}
    return [read[text] for text in texts]


def _parsed(column: Reference[Any], text: str) -> str:
    """Parse a text as reading does; rows that can't be read meet no others."""
    try:
        return str(guarded(column.parse, text))
    except UsedUpError:
        raise
    except Exception:
        return text


async def _group_keys(texts: list[str], column: Reference[Any], directory: Directory) -> list[str]:
    """Replace IDs and addresses, which are other names of something with a Tag ID."""
    if are_tags(column, texts):
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
