"""The connection that plugins' changes are written by: its transaction is not theirs to end."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncpg import Connection

_STATEMENTS = frozenset(
    {
        "copy_from_query",
        "copy_from_table",
        "copy_records_to_table",
        "copy_to_table",
        "execute",
        "executemany",
        "fetch",
        "fetchmany",
        "fetchrow",
        "fetchval",
        "prepare",
    }
)
_REFUSED = frozenset({"close", "reset", "terminate"})
# Not `ROLLBACK TO` a savepoint, which is a plugin's own.
_END = re.compile(
    r"\s*(?:COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b))\b",
    re.IGNORECASE,
)


def refuse_end(query: object) -> None:
    """Refuse a statement that ends the transaction, which has more than the plugin's part.

    Raises:
        ValueError: it does.
    """
    if isinstance(query, str) and _END.match(query):
        raise ValueError(f"the transaction is Caseroll's to end, not by {query!r:.80}")


class PluginConnection:
    """A connection that `OwnChange.apply` has for as long as it runs.

    Statements are sent one after another, also below `asyncio.gather`. Those of tasks that a plugin
    has left running are sent no more, as they would meet Caseroll's own.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._turn = asyncio.Lock()
        self._is_open = True

    def __getattr__(self, name: str) -> Any:
        if name in _REFUSED:
            raise RuntimeError(f"the connection is Caseroll's: db.{name}() is not for plugins")
        found = getattr(self._db, name)
        if name not in _STATEMENTS:
            return found

        async def send(*args: Any, **kwargs: Any) -> Any:
            for each in args[:1]:
                refuse_end(each)
            async with self._turn:
                if not self._is_open:
                    raise RuntimeError(f"db.{name}() comes after apply() has returned")
                return await found(*args, **kwargs)

        return send

    async def end(self) -> None:
        """Send no more, and wait for a statement that is on its way."""
        self._is_open = False
        async with self._turn:
            pass
