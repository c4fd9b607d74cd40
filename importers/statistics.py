"""Statistics of tables that an import has just filled, so that the next import is planned well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.db import connection
from models.statistics import analyze_changed

if TYPE_CHECKING:
    from models.imports import ImportEnd

# Smaller imports change no table by much, and spare themselves the look.
_FEWEST_ROWS = 1_000


async def analyze_after(end: ImportEnd) -> None:
    """Analyse tables that have become much larger, once the import's end is reported.

    Autovacuum does so too, a minute later or more.
    """
    if end.total >= _FEWEST_ROWS:
        async with connection() as db:
            await analyze_changed(db)
