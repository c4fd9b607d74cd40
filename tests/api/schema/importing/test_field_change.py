"""Fields before and after a change, as clients see them."""

from __future__ import annotations

import pytest

from api.batch.row_type import RowType
from api.schema.entities import CASE_ROW, USER_ROW
from api.schema.importing.field_change import FieldChange, field_changes


@pytest.mark.parametrize(
    ("before", "after", "row_type", "expected"),
    [
        ('{"about": "x"}', '{"about": "y"}', CASE_ROW, ("about", "x", "y")),
        (None, '{"date_opened": "2026-01-02"}', CASE_ROW, ("dateOpened", None, "2026-01-02")),
        ('{"is_active": true}', '{"is_active": false}', CASE_ROW, ("status", "ACTIVE", "CLOSED")),
        ('{"is_active": false}', None, USER_ROW, ("status", "DISABLED", None)),
        ('{"is_active": true}', '{"is_active": null}', None, ("is_active", "true", None)),
        ('{"is_active": "maybe"}', None, CASE_ROW, ("status", "maybe", None)),
        ('{"rate": 1.5}', '{"rate": 2}', CASE_ROW, ("rate", "1.5", "2")),
        ('{"tag_id": null}', '{"tag_id": "a-1"}', USER_ROW, ("tagId", None, "a-1")),
    ],
)
def test_one_field(
    before: str | None,
    after: str | None,
    row_type: RowType[object] | None,
    expected: tuple[str, str | None, str | None],
) -> None:
    """A field has the API's name and values, or those that a plugin gave it."""
    name, old, new = expected

    assert field_changes(before, after, row_type) == [FieldChange(name=name, before=old, after=new)]


def test_order() -> None:
    """Fields are in the order of their names, from whichever side they are."""
    found = field_changes('{"b": 1, "c": 2}', '{"a": 3, "b": 1}', None)

    assert [each.name for each in found] == ["a", "b", "c"]
    assert field_changes(None, None, CASE_ROW) == []
