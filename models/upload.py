"""Imports: an uploaded file, what it asks for, and how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from models.app import ApiToken, App

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import BinaryIO

    from asyncpg import Connection

PART_BYTES = 1024 * 1024


class ImportStatus(StrEnum):
    """How far an import has come; the last three are final."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen unless somebody retries."""
        return self not in (ImportStatus.QUEUED, ImportStatus.PROCESSING)


class Import(Model):
    """One upload.

    `pending` counts the rows that no chunk has finished yet: the chunk that brings it to zero, and
    no other, ends the import. `version` grows with every change, so that a reader can tell a newer
    state from an older one.

    `split_at` is empty while a worker still has to cut the rows into chunks: those of the file, or,
    when `retry` is set, the failed rows that it selects:
    `{"rows": [3, 7], "cells": {"7": {"2": "…"}}}`, with null for all rows, and with the new cells
    by their row's number and their column's position. `split_attempts` counts the workers that have
    begun with that and not come to an end.

    From `purged_at` on, its file and its row results count as gone; while `is_purging`, some of
    them are yet to be deleted.
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

    file_name = fields.CharField(max_length=255)
    file_size = fields.BigIntField()
    file_sha256 = fields.CharField(max_length=64)
    encoding = fields.CharField(max_length=40, null=True)
    delimiter = fields.CharField(max_length=1, null=True)
    header: list[str] | None = ArrayField(element_type="text", null=True)
    errors: list[dict[str, Any]] = fields.JSONField(db_default=[])

    total = fields.IntField(null=True)
    pending = fields.IntField(db_default=0)
    passed = fields.IntField(db_default=0)
    failed = fields.IntField(db_default=0)
    cancelled = fields.IntField(db_default=0)
    created = fields.IntField(db_default=0)
    updated = fields.IntField(db_default=0)
    removed = fields.IntField(db_default=0)
    unchanged = fields.IntField(db_default=0)

    retry: dict[str, Any] | None = fields.JSONField(null=True)
    cancel_requested_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(db_default=Now())
    started_at = fields.DatetimeField(null=True)
    split_at = fields.DatetimeField(null=True)
    split_attempts = fields.SmallIntField(db_default=0)
    finished_at = fields.DatetimeField(null=True)
    rung_at = fields.DatetimeField(db_default=Now())
    changed_at = fields.DatetimeField(db_default=Now())
    purged_at = fields.DatetimeField(null=True)
    is_purging = fields.BooleanField(db_default=False)
    version = fields.IntField(db_default=1)

    class Meta:
        table = "imports"
        indexes = (("app_id", "id"), ("app_id", "changed_at"))
        constraints = (
            UniqueConstraint(
                fields=("app_id", "name"),
                name="imports_name_in_use",
                condition="status IN ('QUEUED', 'PROCESSING')",
            ),
            UniqueConstraint(
                fields=("app_id", "idempotency_key"),
                name="imports_idempotency_key",
                condition="idempotency_key IS NOT NULL",
            ),
        )


class ImportFilePart(Model):
    """One mebibyte of the uploaded file, so that any worker on any host can read it."""

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    import_id = fields.BigIntField()
    number = fields.IntField()
    data = fields.BinaryField()

    class Meta:
        table = "import_file_parts"
        unique_together = (("import_id", "number"),)


async def store_file(db: Connection, app_id: int, import_id: int, file: BinaryIO) -> None:
    """Write the file, from where it stands to its end, in parts of `PART_BYTES`.

    Not by a COPY, which PostgreSQL refuses where row-level security holds.
    """

    def parts() -> Iterator[tuple[int, int, int, bytes]]:
        number = 0
        while data := file.read(PART_BYTES):
            yield app_id, import_id, number, data
            number += 1

    await db.executemany(
        "INSERT INTO import_file_parts (app_id, import_id, number, data) VALUES ($1, $2, $3, $4)",
        parts(),
    )


async def read_file(db: Connection, import_id: int) -> AsyncIterator[bytes]:
    """Yield the parts of an import's file in order; nothing when retention has removed them."""
    number = 0
    while True:
        data = await db.fetchval(
            "SELECT data FROM import_file_parts WHERE import_id = $1 AND number = $2",
            import_id,
            number,
        )
        if data is None:
            return
        yield data
        number += 1


async def read_part(db: Connection, app_id: int, import_id: int, number: int) -> bytes | None:
    """Read one part of the file of an app's import; None after the last."""
    data: bytes | None = await db.fetchval(
        "SELECT data FROM import_file_parts WHERE import_id = $2 AND number = $3 AND app_id = $1",
        app_id,
        import_id,
        number,
    )
    return data
