"""What has changed assignments, cases and users since a plan was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Connection

Touched = tuple[int | None, int | None]
"""The case and the user that a row is about, by primary key."""


class LastChange(NamedTuple):
    """The last change of an assignment, a case or a user.

    Args:
        what: `assignment`, `case` or `user`.
        import_name: the import that changed it, if it was one.
        row: the import's row.
        actor: the token's name, if it was a mutation.
    """

    what: str
    import_name: str | None
    row: int | None
    actor: str | None
    changed_at: datetime

    @property
    def shown_time(self) -> str:
        return f"{self.changed_at:%Y-%m-%d %H:%M}"


class LastChanges(NamedTuple):
    """The last changes, by the case and the user; None stands for any."""

    known: Mapping[Touched, LastChange]

    def of(self, touched: Touched) -> LastChange | None:
        """Return what has changed the assignment, or else its case, or else its user."""
        case_id, user_id = touched
        for key in ((case_id, user_id), (case_id, None), (None, user_id)):
            if key in self.known:
                return self.known[key]
        return None


async def find_last_changes(
    db: Connection, plan_id: int, touched: Collection[Touched]
) -> LastChanges:
    """Find the last change of each, if there is one since an import was begun.

    Args:
        plan_id: the import that is the plan.
    """
    pairs = [pair for pair in touched if None not in pair]
    sql = """
        WITH since AS MATERIALIZED (SELECT started_at FROM imports WHERE id = $1),
        changes AS (
          SELECT 'assignment' AS what, h.case_id, h.user_id, h.import_id, h.row,
            NULL AS actor, h.changed_at
          FROM unnest($2::bigint[], $3::bigint[]) AS k(case_id, user_id)
          JOIN assignment_history h USING (case_id, user_id)
          UNION ALL
          SELECT 'case', h.case_id, NULL, h.import_id, h.row, h.actor, h.changed_at
          FROM unnest($4::bigint[]) AS k(case_id) JOIN entity_history h USING (case_id)
          UNION ALL
          SELECT 'user', NULL, h.user_id, h.import_id, h.row, h.actor, h.changed_at
          FROM unnest($5::bigint[]) AS k(user_id) JOIN entity_history h USING (user_id))
        SELECT DISTINCT ON (c.case_id, c.user_id)
          c.case_id, c.user_id, c.what, i.name, c.row, c.actor, c.changed_at
        FROM changes c LEFT JOIN imports i ON i.id = c.import_id, since
        WHERE c.changed_at > since.started_at AND c.import_id IS DISTINCT FROM $1
        ORDER BY c.case_id, c.user_id, c.changed_at DESC
    """
    rows = await db.fetch(
        sql,
        plan_id,
        [case for case, _ in pairs],
        [user for _, user in pairs],
        list({case for case, _ in touched if case is not None}),
        list({user for _, user in touched if user is not None}),
    )
    return LastChanges({(row[0], row[1]): LastChange(*row[2:]) for row in rows})
