"""Sessions whose clients hang in the middle of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from asyncpg import Connection

# The process, and when its statement began.
_Statement: TypeAlias = "tuple[int, datetime]"

# As long as PostgreSQL leaves an idle transaction alone.
_BLOCKED_SECONDS = 15.0


class BlockedSessions:
    """Ends sessions that wait for their client in the middle of a statement, as that hangs.

    Such a transaction is not idle. While PostgreSQL sends what a client does not read, it heeds no
    time-out at all; while it waits for the rest of a message, it heeds those that a cut prolongs.
    Until then, all locks stay, such as that of an import which is being cut.

    Args:
        clock: returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[_Statement, float] = {}

    async def end(self, db: Connection) -> int:
        """End those that have waited at each call for some seconds; return how many.

        All are sessions of this program, on this database: others have their own reasons.
        """
        sql = """
            SELECT pid, query_start FROM pg_stat_activity
            WHERE datname = current_database() AND usename = session_user
              AND application_name = current_setting('application_name')
              AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
        """
        now = self._clock()
        rows = await db.fetch(sql)
        self._since = {(row[0], row[1]): self._since.get((row[0], row[1]), now) for row in rows}
        hung = [pid for (pid, _), since in self._since.items() if now - since > _BLOCKED_SECONDS]
        if hung:
            end = "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS p(pid)"
            await db.execute(end, hung)
        return len(hung)
