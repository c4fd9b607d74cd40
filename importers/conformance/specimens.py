"""Specimens: rows that pass, made of the sample row and of what the world holds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.sdk.formatted_columns import Date, Email, Locale, TimeZone
from importers.sdk.node_id import encode_node_id
from importers.sdk.references import CaseRef, UserRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Cells, File, Outcome, Subject
    from importers.sdk.columns import Column
    from importers.testkit.fixture_app import World

_MOST_CELLS = 6
_MIXED_ROWS = 60


class Specimens(NamedTuple):
    """Rows, and what becomes of each alone."""

    file: File
    alone: dict[int, Outcome]


def specimens(subject: Subject) -> Specimens:
    """Make rows that ask for something: the sample row with one other cell, then with several."""
    cells = {name: _good_cells(subject, name) for name in subject.names}
    rows = [subject.sample]
    rows += [subject.with_cell(name, cell) for name in subject.names for cell in cells[name]]
    chance = random.Random(0)  # noqa: S311 - the same rows every time
    rows += [
        tuple(
            chance.choice([present, *cells[name]])
            for name, present in zip(subject.names, subject.sample, strict=True)
        )
        for _ in range(_MIXED_ROWS)
    ]
    file = dict(enumerate(dict.fromkeys(rows), 2))
    ran = subject.run_each({number: row} for number, row in file.items())
    alone = {number: each.only for number, each in zip(file, ran, strict=True)}
    return Specimens(file, alone)


def _good_cells(subject: Subject, name: str) -> list[str]:
    """Return other cells for a column, with which the sample row asks for something or passes."""
    present = subject.sample[subject.names.index(name)]
    tried = list(dict.fromkeys(cell for cell in _cells(subject, name) if cell != present))
    rows: list[Cells] = [subject.with_cell(name, cell) for cell in tried]
    ran = subject.run_each({2: row} for row in rows)
    good = [
        cell
        for cell, each in zip(tried, ran, strict=True)
        if each.only.asks or not each.only.errors
    ]
    return good[:_MOST_CELLS]


def _cells(subject: Subject, name: str) -> Iterator[str]:
    """Suggest cells: first what the kind of the column knows, then the example in other words."""
    columns = subject.importer.columns
    column, example = columns[name], columns[name].example or ""
    yield from _known_cells(column, subject.world)
    yield from column.choices_for([role.key for role in subject.world.roles]) or ()
    for other in columns.values():
        if type(other) is type(column):
            yield other.example or ""
    if example:
        yield from (example.upper(), example.lower(), example.title())
        yield from (f"{example}2", f"2{example}", f"0{example}", f"{example}.0")
    yield from ("1", "01", "2", "kit-1", "KIT-1", "Something else")


def _known_cells(column: Column[Any], world: World) -> Iterator[str]:
    if isinstance(column, CaseRef):
        cases = [case for case in world.cases if case.is_active][:3]
        yield from (case.tag_id for case in cases if case.tag_id)
        yield from (encode_node_id("Case", case.id) for case in cases)
    elif isinstance(column, UserRef):
        users = [user for user in world.users if user.is_active][:3]
        yield from (user.tag_id for user in users if user.tag_id and column.by == "tag")
        yield from (encode_node_id("User", user.id) for user in users if column.by == "tag")
        yield from (user.email for user in users if column.by == "email")
        yield from (user.email.upper() for user in users if column.by == "email")
    elif isinstance(column, Email):
        yield from ("kit@example.org", "KIT@example.org", "other@example.org")
    elif isinstance(column, Date):
        yield from ("01/31/2026", "2026-01-31", "1/31/2026", "02/01/2026")
    elif isinstance(column, Locale):
        yield from ("en", "es", "sp")
    elif isinstance(column, TimeZone):
        yield from ("America/New_York", "Europe/Paris")
