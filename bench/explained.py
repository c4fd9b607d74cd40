"""A connection that lets PostgreSQL time its statements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncpg import Connection

_EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "


class ExplainingConnection:
    """A connection that sums the time of its statements, to plan and to run."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.milliseconds = 0.0

    async def fetch(self, sql: str, *values: Any) -> Any:
        """Time a statement, then run it for its rows."""
        [plan] = json.loads(await self._db.fetchval(_EXPLAIN + sql, *values))
        self.milliseconds += plan["Planning Time"] + plan["Execution Time"]
        return await self._db.fetch(sql, *values)
