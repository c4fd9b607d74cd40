"""Every change of cases and users themselves, and what other changes of plugins say of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from tortoise import fields
from tortoise.fields.db_defaults import SqlDefault
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncpg import Connection

    from models.audit import Actor


class EntityHistory(Model):
    """One change: the changed fields on both sides, when, and what did it.

    `before` is None when the change created something, `after` when it removed something; a custom
    change that does not say what it has changed has neither. A change by an import names the import
    and its row, one by a mutation the token, by the name that it had then.

    Of a plugin's own records, `record` tells one from others: the module, and the change's keys as
    JSON. `kind` names the class that says how to take the change back, if there is one.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    case_id = fields.BigIntField(null=True)
    user_id = fields.BigIntField(null=True)
    import_id = fields.BigIntField(null=True)
    row = fields.IntField(null=True)
    token_id = fields.BigIntField(null=True)
    actor = fields.CharField(max_length=200, null=True)
    before: dict[str, Any] | None = fields.JSONField(null=True)
    after: dict[str, Any] | None = fields.JSONField(null=True)
    changed_at = fields.DatetimeField(db_default=SqlDefault("clock_timestamp()"))
    record = fields.TextField(null=True)
    kind = fields.TextField(null=True)

    class Meta:
        table = "entity_history"


class EntityEdit(NamedTuple):
    """What a custom change has made of a case, of a user, or of something else, by a row.

    Args:
        before: the changed fields as they were; None if it was created.
        after: the same fields as they are now; None if it was removed. With neither, the change
            does not say what it has changed.
        record: what tells a plugin's own record from others; None for a case or a user itself.
        kind: where the class is that takes the change back, such as `acme_rates:Rate`.
    """

    row: int
    case_id: int | None = None
    user_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    record: str | None = None
    kind: str | None = None


async def write_entity_history(
    db: Connection, app_id: int, import_id: int, edits: Iterable[EntityEdit]
) -> None:
    """Write down what an import's rows have changed, with one COPY."""
    await db.copy_records_to_table(
        "entity_history",
        columns=(
            *("app_id", "import_id", "row", "case_id", "user_id", "before", "after"),
            *("record", "kind"),
        ),
        records=(
            (
                app_id,
                import_id,
                edit.row,
                edit.case_id,
                edit.user_id,
                to_json(edit.before),
                to_json(edit.after),
                edit.record,
                edit.kind,
            )
            for edit in edits
        ),
    )


async def write_entity_change(
    db: Connection,
    app_id: int,
    by: Actor,
    *,
    case_id: int | None = None,
    user_id: int | None = None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> None:
    """Write down what an actor has changed, in the transaction that does it."""
    sql = """
        INSERT INTO entity_history (app_id, actor, token_id, case_id, user_id, before, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
    await db.execute(sql, app_id, *by, case_id, user_id, to_json(before), to_json(after))


def to_json(values: Mapping[str, Any] | None) -> str | None:
    """Write fields down; days as ISO dates."""
    return None if values is None else orjson.dumps(values).decode()


def noun_of(record: str | None) -> str | None:
    """Return what a plugin calls a record: `rate` of `acme_rates [["rate",7]]`."""
    return None if record is None else str(orjson.loads(record.partition(" ")[2])[0][0])
