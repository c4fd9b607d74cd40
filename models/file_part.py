"""File parts: the uploaded file of an import, stored and read in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.models import Model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import BinaryIO

    from asyncpg import Connection

PART_BYTES = 1024 * 1024


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
    """Write the file, from its current position to its end, in parts of `PART_BYTES`.

    Not by a COPY, which PostgreSQL refuses for tables with row-level security.
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
    # A statement for each part: a worker holds a mebibyte of the file, however large that is.
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
