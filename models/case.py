"""Cases, and how references in a file find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.app import App
from models.entity import find_referenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


class Case(Model):
    """A matter that users are assigned to."""

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    tag_id = fields.CharField(max_length=64, null=True)
    about = fields.TextField(db_default="")
    is_active = fields.BooleanField(db_default=True)
    date_opened = fields.DateField(null=True)
    created_at = fields.DatetimeField(db_default=Now())
    updated_at = fields.DatetimeField(db_default=Now())

    class Meta:
        table = "cases"
        unique_together = (("app", "tag_id"),)


class CaseRecord(NamedTuple):
    """What an import needs to know of a case; the fields are columns."""

    id: int
    tag_id: str | None
    is_active: bool


async def find_cases(
    db: Connection, app_id: int, *, tags: Sequence[str], ids: Sequence[int]
) -> list[CaseRecord]:
    """Find the app's cases that have one of the Tag IDs or one of the primary keys."""
    columns = CaseRecord._fields
    rows = await find_referenced(db, app_id, "cases", columns, tags=tags, ids=ids)
    return [CaseRecord(*row) for row in rows]
