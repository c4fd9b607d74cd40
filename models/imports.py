"""Imports: an uploaded file, its options, its counters, how far it has come, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from models.app import ApiToken, App
from models.described_enum import DescribedStrEnum

if TYPE_CHECKING:
    from datetime import datetime


class ImportStatus(DescribedStrEnum):
    """How far an import has come; the last three are final."""

    QUEUED = "QUEUED", "Uploaded; no worker has begun."
    PROCESSING = "PROCESSING", "Rows are being run."
    HELD = "HELD", "Planned; nothing is applied before `releaseImport`. `hold` says why."
    PROCESSED = "PROCESSED", "Finished; some rows may have failed, as the counts say."
    FAILED = "FAILED", "The file was refused, or every row has failed."
    CANCELLED = "CANCELLED", "Cancelled; what was applied before that stays."

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen without a retry."""
        return self in (ImportStatus.PROCESSED, ImportStatus.FAILED, ImportStatus.CANCELLED)


class Stage(StrEnum):
    """Where an import stands that is planned before anything of it is applied."""

    PLAN = "PLAN"
    """Its rows are run as those of a dry run."""
    PLANNED = "PLANNED"
    """They have been; a worker decides whether the plan is applied or held, or it is held."""
    APPLY = "APPLY"
    """The rows that have passed are run once more, and must come to the same."""


class DateOrder(DescribedStrEnum):
    """The order of day and month in a file's dates."""

    MDY = "MDY", "The month first, as in 01/31/2026."
    DMY = "DMY", "The day first, as in 31/01/2026."


class Import(Model):
    """One upload.

    `pending` counts the rows that no chunk has finished yet: the chunk that brings it to zero, and
    no other, ends the import. `version` grows with every change, so that a reader can tell a newer
    state from an older one. `notified_at` is when workers last got a message about the import.

    `split_at` is empty while a worker still has to cut the rows into chunks: those of the file, or,
    when `retry` is set, the failed rows that it selects:
    `{"rows": [3, 7], "cells": {"7": {"2": "…"}}}`, with null for all rows, and with the new cells
    by their row's number and their column's position. A retry that is planned first keeps it until
    it has ended. `split_attempts` counts the workers that have begun to cut and neither finished
    nor failed.

    `observed` is what the columns have shown in the file as a whole, by their names: that days come
    before months, for example. Rows are read with it, those of a retry as well.

    `header_mapping` is what the upload says of the file's header:
    `{"columns": {"E-Mail": "username"}, "ignored": ["Notes"]}`; null if it says nothing.

    `group_removals` counts removals that belong to groups of rows and to no row, beyond those that
    the rows' outcomes tell of. Clients see the sum of both as `removed`.

    `rows_per_second` is the speed of the last chunks that have run.

    `stage` is set while it is planned before it is applied: because it is to be applied as a whole
    or not at all (`is_atomic`), because it may remove too much, or because it is to be released.
    `hold` says why it is HELD: `{"code": …, "message": …, "since": …}`.

    `applied_from_id` is the dry run whose plan it carries out, `undo_of_id` the import whose
    changes it takes back.

    `grouped_at` is the `finished_at` of the end whose failed rows `error_groups` has.

    From `purged_at` on, its file and its row results count as gone; while `is_purging`, some of
    them are still to be deleted.

    `notify` are addresses that get a mail at each end of the import; null for none.
    """

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    token: fields.ForeignKeyNullableRelation[ApiToken] = fields.ForeignKeyField(
        "models.ApiToken", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    token_id: int | None
    type = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    source = fields.CharField(max_length=50)
    status = fields.CharEnumField(ImportStatus, max_length=10, db_default=ImportStatus.QUEUED)
    is_dry_run = fields.BooleanField(db_default=False)
    idempotency_key = fields.CharField(max_length=200, null=True)
    declared_encoding = fields.CharField(max_length=40, null=True)
    date_order = fields.CharField(max_length=3, null=True)
    notify: list[str] | None = ArrayField(element_type="text", null=True)

    file_name = fields.CharField(max_length=255)
    file_size = fields.BigIntField()
    file_sha256 = fields.CharField(max_length=64)
    encoding = fields.CharField(max_length=40, null=True)
    delimiter = fields.CharField(max_length=1, null=True)
    header: list[str] | None = ArrayField(element_type="text", null=True)
    header_mapping: dict[str, Any] | None = fields.JSONField(null=True)
    errors: list[dict[str, Any]] = fields.JSONField(db_default=[])
    warnings: list[dict[str, Any]] = fields.JSONField(db_default=[])
    observed: dict[str, list[str]] = fields.JSONField(db_default={})

    total = fields.IntField(null=True)
    pending = fields.IntField(db_default=0)
    passed = fields.IntField(db_default=0)
    failed = fields.IntField(db_default=0)
    cancelled = fields.IntField(db_default=0)
    created = fields.IntField(db_default=0)
    updated = fields.IntField(db_default=0)
    removed = fields.IntField(db_default=0)
    unchanged = fields.IntField(db_default=0)
    group_removals = fields.IntField(db_default=0)

    rows_per_second = fields.FloatField(null=True)

    retry: dict[str, Any] | None = fields.JSONField(null=True)
    # Without a description Tortoise would list the stages.
    stage: Stage | None = fields.CharEnumField(Stage, description="", max_length=8, null=True)  # type: ignore[assignment]
    is_atomic = fields.BooleanField(db_default=False)
    hold: dict[str, Any] | None = fields.JSONField(null=True)
    released_at = fields.DatetimeField(null=True)
    applied_from_id = fields.BigIntField(null=True)
    undo_of_id = fields.BigIntField(null=True)
    cancel_requested_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(db_default=Now())
    started_at = fields.DatetimeField(null=True)
    split_at = fields.DatetimeField(null=True)
    split_attempts = fields.SmallIntField(db_default=0)
    finished_at = fields.DatetimeField(null=True)
    grouped_at = fields.DatetimeField(null=True)
    notified_at = fields.DatetimeField(db_default=Now())
    changed_at = fields.DatetimeField(db_default=Now())
    purged_at = fields.DatetimeField(null=True)
    is_purging = fields.BooleanField(db_default=False)
    version = fields.IntField(db_default=1)

    class Meta:
        table = "imports"
        # Both are for lists, the second also for `recent_changes`.
        indexes = (("app_id", "id"), ("app_id", "changed_at", "id"))
        # Tortoise leaves them out when it creates a table; migration 0002 makes the indexes.
        constraints = (
            UniqueConstraint(
                fields=("app_id", "name"),
                name="imports_name_in_use",
                condition="status IN ('QUEUED', 'PROCESSING', 'HELD')",
            ),
            UniqueConstraint(
                fields=("app_id", "idempotency_key"),
                name="imports_idempotency_key",
                condition="idempotency_key IS NOT NULL",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEnd:
    """An import that has just ended, for all who want to hear of it.

    An import that is retried ends again, with a later `finished_at`: id and `finished_at` together
    name an end.

    Args:
        status: one of the final ones.
        source: the name that the client gave for itself, or `api`.
        token_id: the token that created it; None if the command line did.
        notify: the addresses that get a mail, which waits in the outbox.
        has_deliveries: whether messages to webhooks wait in the outbox.
    """

    id: int
    app_id: int
    type: str
    name: str
    source: str
    token_id: int | None
    is_dry_run: bool
    status: ImportStatus
    finished_at: datetime
    total: int
    passed: int
    failed: int
    cancelled: int
    created: int
    updated: int
    removed: int
    unchanged: int
    notify: list[str] | None
    has_deliveries: bool = False


END_COLUMNS = [each.name for each in fields_of(ImportEnd) if each.name != "has_deliveries"]
# RETURNING id, app_id, type, …, removed + group_removals AS removed, …, notify
RETURNING_END = "RETURNING " + ", ".join(
    "removed + group_removals AS removed" if each == "removed" else each for each in END_COLUMNS
)
# Of an import that carries out a plan: ended, as one that was held and then cancelled, or refused
# since its plugin is off. Its plan is as good as before.
HAS_DONE_NOTHING = "passed = 0 AND (status = 'CANCELLED' OR status = 'FAILED' AND failed = 0)"
# jsonb_build_object('type', i.type, …, 'unchanged', i.unchanged): what messages say of an import at
# a moment, however much later they are sent.
_STATE = [
    f"'{each}', i.{each}" + (" + i.group_removals" if each == "removed" else "")
    for each in END_COLUMNS
    if each not in ("id", "app_id", "notify")
]
STATE_AS_JSON = f"jsonb_build_object({', '.join(_STATE)})"
