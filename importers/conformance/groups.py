"""Whether an importer that takes groups as a whole copes with any rows that a group may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.conformance.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Cells, Subject

# No column reads it.
_WRONG_CELL = "\x01"
_COPE = (
    "A group has `failed_rows` beside its `rows`, or the same row twice: let `change_group` expect"
    " any of these."
)


def check_groups(subject: Subject) -> Iterator[Problem]:
    """Put the sample row into a group with itself, and with a row that has a wrong cell."""
    group_by = subject.importer.group_by
    if group_by is None:
        return
    others: dict[str, Cells] = {"itself": subject.sample}
    for name in subject.names:
        if name != group_by:
            others[f"a row with a wrong {name!r}"] = subject.with_cell(name, _WRONG_CELL)
    for what, other in others.items():
        for file in ({2: subject.sample, 3: other}, {2: other, 3: subject.sample}):
            ran = subject.run(file)
            if any(row.crashes for row in ran.rows.values()):
                where = f"the sample row, in a group with {what}"
                yield Problem(where, f"the importer fails: {ran.cause}", _COPE)
                break
