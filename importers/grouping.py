"""Grouping: rows that could speak of the same thing share a key, whatever they call it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from importers.references import CaseRef, Reference, RoleRef, UserRef
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.base import Importer
    from importers.columns import Column
    from importers.directory import Directory
    from importers.read import Layout, ReadRow

logger = logging.getLogger(__name__)


GroupKeys = list[int | None]
"""A key for each row; None for a row that can't meet others."""


async def group_rows(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], directory: Directory
) -> list[GroupKeys]:
    """Return the rows' keys, valid within this process, for each kind of key that there is.

    Two rows whose changes can meet share a key of some kind; the converse need not hold.
    """
    kinds = [await _alone(column, layout, rows, directory) for column in _own_keys(importer)]
    if _references(importer) and not _is_about_one(importer):
        kinds.append(await _together(key_columns(importer), layout, rows, directory))
    return kinds


async def _together(
    columns: Sequence[Reference[Any]],
    layout: Layout,
    rows: Sequence[ReadRow],
    directory: Directory,
) -> GroupKeys:
    """Return one key for the columns' cells of a row; without columns, all rows have the same."""
    names = [
        await _group_keys(_texts(column, layout, rows), column, directory) for column in columns
    ]
    return list(map(hash, zip(*names, strict=True))) if names else [0] * len(rows)


async def _alone(
    column: Column[Any], layout: Layout, rows: Sequence[ReadRow], directory: Directory
) -> GroupKeys:
    """Return a key for each row's cell of the column; a blank cell meets no others."""
    if isinstance(column, Reference):
        names = await _group_keys(_texts(column, layout, rows), column, directory)
    else:
        names = _names(column, layout, rows)
    return [hash((column.name, name)) if name else None for name in names]


def _names(column: Column[Any], layout: Layout, rows: Sequence[ReadRow]) -> list[str]:
    """Return the group key of each row's value; rows that can't be read meet no others."""
    position = layout.positions.get(column.name)
    if position is None:
        return [""] * len(rows)
    cells = [row.cells[position] if position < len(row.cells) else "" for row in rows]
    names = {cell: _name(column, cell) for cell in set(cells)}
    return [names[cell] for cell in cells]


def _name(column: Column[Any], cell: str) -> str:
    try:
        value = column.read(cell)
        return "" if value is None else column.group_key(value)
    except Exception:
        return ""


def _own_keys(importer: Importer) -> list[Column[Any]]:
    return [column for column in importer.columns.values() if column.is_key]


def _is_about_one(importer: Importer) -> bool:
    """Tell whether the one column that tells rows apart is a key anyway."""
    columns = key_columns(importer)
    return len(columns) == 1 and columns[0].is_key


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


def _texts(column: Reference[Any], layout: Layout, rows: Sequence[ReadRow]) -> list[str]:
    """Return each row's cell as the column reads it."""
    blank = column.default if isinstance(column.default, str) else ""
    position = layout.positions.get(column.name)
    if position is None:
        return [blank] * len(rows)
    texts = [row.cells[position].strip() if position < len(row.cells) else "" for row in rows]
    if type(column).parse is Reference.parse:
        return [text or blank for text in texts] if blank else texts
    read = {text: _parsed(column, text) if text else blank for text in set(texts)}
    return [read[text] for text in texts]


def _parsed(column: Reference[Any], text: str) -> str:
    """Parse a text as reading does; rows that can't be read meet no others."""
    try:
        return str(column.parse(text))
    except Exception:
        return text


async def _group_keys(texts: list[str], column: Reference[Any], directory: Directory) -> list[str]:
    """Replace IDs and addresses, which are other names of something with a Tag ID."""
    others = {text for text in set(texts) if text and not column.is_plain(text)}
    if not others:
        return texts
    try:
        found = await column.resolve(directory, others)
        names = {text: column.group_key(entity) for text, entity in found.items()}
    except Exception as error:
        if is_passing(error):
            raise
        logger.warning("column %r failed (%r); its rows are kept together", column.name, error)
        names = dict.fromkeys(others, "")
    return [names.get(text, text) for text in texts]
