"""Tests of the payload of chunks: what a plan says of rows comes back beside their cells."""

from __future__ import annotations

from importers.rows.payload import pack, unpack_rows
from models.plan import unpack_plans

CELLS = b'["trv-001","tab\\there"]'
PLANS = [
    b"[1, 7, 6, null, 3]",
    b'[2, null, 6, null, null, "[{\\"locale\\":\\"en\\"},{\\"locale\\":\\"es\\"}]", null]',
]


def test_planned_rows() -> None:
    """Each row has its own cells and its own plan; one that has failed in the plan has none."""
    lines = [CELLS + b"\t" + plan for plan in PLANS]

    rows = unpack_rows(pack([(2, lines[0], 0), (3, lines[1], 0), (-4, CELLS, 0)]))

    assert [(row.number, row.cells, row.text) for row in rows] == [
        (number, ["trv-001", "tab\there"], CELLS) for number in (2, 3, 4)
    ]
    assert [row.plan for row in rows] == [*PLANS, b""]


def test_signatures() -> None:
    """What rows come to is read as it was stored: one assignment, or one thing of another kind."""
    assert unpack_plans(PLANS) == [
        (1, 7, 6, None, 3),
        (2, None, 6, {"locale": "en"}, {"locale": "es"}),
    ]
    assert unpack_plans([]) == []
