"""Rows taken apart into columns, of which objects are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from api.batch import row_type
from api.batch.objects import Objects
from api.batch.row_type import Part, RowColumn, RowType
from importers.sdk.node_id import encode_node_id
from tests.api.api_fixture import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from tests.api.api_fixture import Api


@dataclass
class Street:
    """Made of columns that begin with a prefix."""

    name: str


@dataclass
class House:
    """Made of a row."""

    number: int
    label: str
    street: Street


STREET_ROW = RowType(Street)
HOUSE_ROW = RowType(
    House,
    label=RowColumn(("number", "suffix"), lambda number, suffix: f"{number}{suffix or ''}"),
    street=Part(STREET_ROW, "street_"),
)
_ROWS = """
    SELECT number, suffix, 'Row ' || number AS street_name
    FROM (VALUES (1, 'a'), (2, NULL)) AS houses(number, suffix) WHERE number <= $1
"""


async def rows(most: int) -> list[Record]:
    """Read a row for each house up to a number."""
    found: list[Record] = await sql("fetch", _ROWS, most)
    return found


async def test_objects(api: Api) -> None:
    """Objects are made of a column, of several, and of the columns with a prefix."""
    assert list(HOUSE_ROW.objects(await rows(2))) == [
        House(number=1, label="1a", street=Street(name="Row 1")),
        House(number=2, label="2", street=Street(name="Row 2")),
    ]
    assert HOUSE_ROW.object((await rows(1))[0]).street == Street(name="Row 1")


async def test_attributes(api: Api) -> None:
    """Attributes are read for all objects together, those of parts as well."""
    houses = HOUSE_ROW.objects(await rows(2))
    streets = houses.read("street")

    assert houses.read("label") == ["1a", "2"]
    assert isinstance(streets, Objects)
    assert (len(streets), streets.read("name")) == (2, ["Row 1", "Row 2"])


@pytest.mark.parametrize("attribute", ["number", "label"])
async def test_no_rows(attribute: str, api: Api) -> None:
    """Without rows, no attribute has values, and no object is made."""
    houses: Any = HOUSE_ROW.objects(await rows(0))

    assert (len(houses), list(houses), houses.read(attribute)) == (0, [], [])
    assert houses.read("street").read("name") == []


def test_node_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """IDs are kept, up to a number, after which they are made again."""
    monkeypatch.setattr(row_type, "_IDS_KEPT", 2)
    make_id = row_type.node_id("Case").convert
    assert make_id is not None

    assert [make_id(key) for key in (1, 2, 3, 1)] == [
        encode_node_id("Case", n) for n in (1, 2, 3, 1)
    ]
    assert make_id(3) is make_id(3)
