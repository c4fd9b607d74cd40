"""How long an importer computes for a row, compared with one that comes with Caseroll."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from importers.builtin.assign import AssignUsers
from importers.conformance.problem import Problem
from importers.conformance.subject import Subject
from importers.sdk.errors import RowError
from importers.testkit.fixture_app import World

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ROWS = 2_000
_TRIES = 3


def check_speed(subject: Subject, count: int, budget: float) -> Iterator[Problem]:
    """Compare the computing time for a row with that of `assign`."""
    count = min(count, _MOST_ROWS)
    assign = Subject(AssignUsers("assign"), World(), ())
    # In turns, and the best of several times, so that a slow machine makes no difference.
    times = [(_seconds(subject, count), _seconds(assign, count)) for _ in range(_TRIES)]
    own, usual = (min(each) / count for each in zip(*times, strict=True))
    if own > budget * usual:
        yield Problem(
            f"a file of {count:,} rows",
            f"it computes {own * 1e6:,.0f} µs for a row, `assign` {usual * 1e6:,.0f} µs on this"
            f" machine: {own / usual:.1f} times as much, where the budget is {budget:g} times",
            "Do once, in the class or in `resolve`, what is the same for all rows; and raise"
            " budget= if every row really needs that much.",
        )


def _seconds(subject: Subject, count: int) -> float:
    file = dict.fromkeys(range(2, count + 2), subject.sample)
    columns = list(zip(subject.importer.columns.values(), subject.sample, strict=True))
    # Computing time, not time: other processes on the machine must not make a test fail.
    since = time.process_time()
    # The engine reads equal cells once; those of real files are not equal.
    for column, cell in columns:
        for _ in range(count):
            try:
                column.read(cell)
            except RowError:
                break
    subject.run(file)
    return time.process_time() - since
