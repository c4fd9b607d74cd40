"""Tests of the payload of chunks: what a plan says of rows comes back beside their cells."""

from __future__ import annotations

from importers.rows.payload import pack, planned_line, unpack_rows
from models.plan import packed_plan, unpack_plans

CELLS = '["trv-001","tab\\there"]'
ONE_ASSIGNMENT = (1, 7, 6, None, 3, None, None)
ONE_USER = (2, None, 6, None, None, '[{"locale":"en"},{"locale":"es"}]', None)


def test_planned_rows() -> None:
    """Each row has its own cells and its own plan; one that has failed in the plan has none."""
    plans = [packed_plan(ONE_ASSIGNMENT), packed_plan(ONE_USER)]
    lines = [planned_line(CELLS, plan) for plan in plans]

    rows = unpack_rows(pack([(2, lines[0], 0), (3, lines[1], 0), (-4, CELLS.encode(), 0)]))

    assert [(row.number, row.cells, row.text) for row in rows] == [
        (number, ["trv-001", "tab\there"], CELLS.encode()) for number in (2, 3, 4)
    ]
    assert [row.plan for row in rows] == [*plans, b""]


def test_signatures() -> None:
    """What rows come to is read as it was stored: one assignment, or one thing of another kind."""
    packed = [packed_plan(ONE_ASSIGNMENT), packed_plan(ONE_USER)]

    assert unpack_plans(packed) == [
        (1, 7, 6, None, 3),
        (2, None, 6, {"locale": "en"}, {"locale": "es"}),
    ]
    assert unpack_plans([]) == []
