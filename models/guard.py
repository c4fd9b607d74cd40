"""The guards of an app: imports that would remove too much, or are to be released, are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.audit import Action, record
from models.plan import Hold
from models.row import row_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection

    from models.audit import Actor

TO_BE_RELEASED = Hold(
    "RELEASE_REQUIRED",
    "The import must be released by another token than the one that uploaded it.",
)
_REMOVALS = """
    SELECT case_id FROM import_rows
    WHERE id > $2 AND id < $3 AND status = 1 AND before IS NOT NULL AND after IS NULL {planned}
    UNION ALL
    SELECT (edit ->> 0)::bigint
    FROM import_rows, json_array_elements(edits::json -> 'assignments') AS edit
    WHERE id > $2 AND id < $3 AND status = 1 AND edit_count IS NOT NULL {planned}
      AND edit ->> 2 IS NOT NULL AND edit ->> 3 IS NULL
"""


class AppGuard(NamedTuple):
    """What an app lets imports do at once; the fields are columns of `App`."""

    remove_percent: int | None
    remove_at_least: int
    requires_release: bool
    release_types: Sequence[str]

    def requires_release_of(self, type_: str) -> bool:
        return self.requires_release or type_ in self.release_types


async def update_guard(
    db: Connection, app_id: int, changes: Mapping[str, object], *, by: Actor
) -> str:
    """Change columns of an app, and return its name. To be run in a transaction.

    Args:
        changes: by column; the names become SQL, so they are never a client's text.
    """
    if changes:
        sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(changes, 2))
        await db.execute(f"UPDATE apps SET {sets} WHERE id = $1", app_id, *changes.values())
        await record(db, app_id, by, Action.APP_UPDATED, app_id, changed=changes)
    return str(await db.fetchval("SELECT name FROM apps WHERE id = $1", app_id))


class Removals(NamedTuple):
    """What imports of the app have removed within the last hour.

    Args:
        rows: how many at most: some may have removed a part before.
        import_ids: the imports.
    """

    rows: int
    import_ids: Collection[int]


async def read_guard(db: Connection, app_id: int) -> AppGuard:
    row = await db.fetchrow(
        f"SELECT {', '.join(AppGuard._fields)} FROM apps WHERE id = $1",
        app_id,
    )
    return AppGuard(*row)


async def recent_removals(db: Connection, app_id: int) -> Removals:
    """Sum up what imports of the last hour have removed.

    Several small files together are one large one, and so are several retries of one file.
    """
    sql = """
        SELECT id, removed + group_removals AS removed FROM imports
        WHERE app_id = $1 AND changed_at > now() - interval '1 hour'
          AND (removed > 0 OR group_removals > 0) AND NOT is_dry_run
    """
    rows = await db.fetch(sql, app_id)
    return Removals(sum(row["removed"] for row in rows), [row["id"] for row in rows])


async def find_excess(
    db: Connection, app_id: int, plan_id: int, guard: AppGuard, recent: Removals, *, is_own: bool
) -> Hold | None:
    """Say why a plan removes more than the app allows at once; None if it does not.

    Args:
        is_own: whether the plan is that of the import itself (`models.plan.planned_page`).
    """
    if guard.remove_percent is None:
        return None
    removals = _REMOVALS.format(planned="AND is_planned" if is_own else "")
    # A case's people, and the app's assignments, are those before the removals of the last hour.
    sql = f"""
        WITH removals AS MATERIALIZED ({removals}),
        planned AS (SELECT case_id, count(*) AS number FROM removals GROUP BY case_id),
        earlier AS (
          SELECT case_id, count(*) AS number FROM assignment_history
          WHERE import_id = ANY($4::bigint[]) AND after_role_id IS NULL
            AND changed_at > now() - interval '1 hour'
          GROUP BY case_id),
        cases_hit AS (
          SELECT case_id, p.number + coalesce(e.number, 0) AS gone,
            coalesce(e.number, 0) + (
              SELECT count(*) FROM assignments a WHERE a.case_id = p.case_id) AS people
          FROM planned p LEFT JOIN earlier e USING (case_id))
        SELECT (SELECT count(*) FROM removals) AS planned,
          (SELECT coalesce(sum(number), 0) FROM earlier) AS earlier,
          (SELECT count(*) FROM assignments WHERE app_id = $1) AS present,
          worst.gone, worst.people, c.tag_id, c.about
        FROM (SELECT) one LEFT JOIN (
          SELECT * FROM cases_hit WHERE gone * 100 > people * $5::bigint
          ORDER BY gone DESC, case_id LIMIT 1) worst ON true
        LEFT JOIN cases c ON c.id = worst.case_id
    """
    first, end = row_key(plan_id, 0), row_key(plan_id + 1, 0)
    row = await db.fetchrow(sql, app_id, first, end, list(recent.import_ids), guard.remove_percent)
    gone, before = row["planned"] + row["earlier"], row["present"] + row["earlier"]
    if not row["planned"] or gone < guard.remove_at_least:
        return None
    limit = f"more than the {guard.remove_percent} % that may be removed at once"
    earlier = f", {row['earlier']:,} of them within the last hour" if row["earlier"] else ""
    if gone * 100 > before * guard.remove_percent:
        what = f"{gone:,} of the {before:,} assignments would be gone{earlier}"
        return Hold("REMOVES_MANY", f"{what}: {limit}.")
    if row["people"] is None:
        return None
    case = row["tag_id"] or row["about"]
    what = f"{gone:,} assignments would be gone{earlier}, and {row['gone']:,} of the"
    return Hold("REMOVES_MANY", f"{what} {row['people']:,} users of the case '{case}': {limit}.")
