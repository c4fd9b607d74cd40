"""Groups of a large import's failed rows, made at its end so that they are there when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.db import allow_long, transaction
from models.error_group import group_errors

if TYPE_CHECKING:
    from models.imports import ImportEnd

# Fewer are grouped in a few milliseconds, by the request that asks for them.
_FEWEST_ROWS = 1_000
_MOST_SECONDS = 300


async def group_after(end: ImportEnd) -> None:
    """Group the failed rows of an import that has ended.

    If the worker dies here, the first request for the groups makes them.
    """
    if end.failed >= _FEWEST_ROWS:
        async with transaction() as db:
            await allow_long(db, _MOST_SECONDS)
            await group_errors(db, end.app_id, end.id)
