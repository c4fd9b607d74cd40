"""Specimens: rows that pass, made of the sample row, the columns and what the world holds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import File, Outcome, Subject

_MOST_CELLS = 6
_MIXED_ROWS = 60
_MOST_NAMED = 3


class Specimens(NamedTuple):
    """Rows, and the outcome of each alone."""

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
    # Without repeats, which would be UNCHANGED in a file and not alone.
    file = dict(enumerate(dict.fromkeys(rows), 2))
    ran = subject.run_each({number: row} for number, row in file.items())
    alone = {number: each.only for number, each in zip(file, ran, strict=True)}
    return Specimens(file, alone)


def _good_cells(subject: Subject, name: str) -> list[str]:
    """Return other cells for a column, with which the sample row asks for something or passes."""
    present = subject.sample[subject.names.index(name)]
    tried = list(dict.fromkeys(cell for cell in _suggested_cells(subject, name) if cell != present))
    ran = subject.run_each({2: subject.with_cell(name, cell)} for cell in tried)
    ends = [(cell, each.only) for cell, each in zip(tried, ran, strict=True)]
    return [cell for cell, end in ends if end.asks or not end.errors][:_MOST_CELLS]


def _suggested_cells(subject: Subject, name: str) -> Iterator[str]:
    """Suggest cells: first what the kind of the column knows, then variants of the example."""
    columns = subject.importer.columns
    column, example = columns[name], columns[name].example or ""
    world = subject.world
    cases = [case for case in world.cases if case.is_active][:_MOST_NAMED]
    users = [user for user in world.users if user.is_active][:_MOST_NAMED]
    yield from column._specimens(cases, users)
    yield from column.choices_for([role.key for role in world.roles]) or ()
    for other in columns.values():
        if type(other) is type(column):
            yield other.example or ""
    if example:
        yield from (example.upper(), example.lower(), example.title())
        yield from (f"{example}2", f"2{example}", f"0{example}", f"{example}.0")
    yield from ("1", "01", "2", "kit-1", "KIT-1", "Something else")
