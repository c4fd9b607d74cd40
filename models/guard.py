"""The guards of an app: imports that would remove too much, or are to be released, are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.audit import Action, record
from models.plan import Hold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Connection, Record

    from models.audit import Actor

TO_BE_RELEASED = Hold(
    "RELEASE_REQUIRED",
    "The import must be released by another token than the one that uploaded it.",
)
_LOCK = "caseroll guard"
_PATIENCE = "5min"
# The assignments that the rows of plans remove.
_REMOVALS = """
    SELECT r.case_id, r.user_id FROM {plans} JOIN import_rows r ON {own}
    WHERE status = 1 AND before IS NOT NULL AND after IS NULL
    UNION ALL
    SELECT (edit ->> 0)::bigint, (edit ->> 1)::bigint
    FROM {plans} JOIN import_rows r ON {own},
      json_array_elements(edits::json -> 'assignments') AS edit
    WHERE status = 1 AND edit_count IS NOT NULL AND edit ->> 2 IS NOT NULL AND edit ->> 3 IS NULL
"""
_OWN_ROWS = """
    r.id > p.id << 32 AND r.id < (p.id + 1) << 32 AND (r.is_planned OR NOT p.is_own)
"""
# Plans that are being carried out, those of dry runs and those of the imports themselves.
_UNDER_WAY = """
    SELECT CASE stage WHEN 'APPLY' THEN id ELSE applied_from_id END AS id,
      stage IS NOT NULL AS is_own
    FROM imports
    WHERE app_id = $1 AND status = 'PROCESSING' AND split_at IS NOT NULL
      AND cancel_requested_at IS NULL AND NOT is_dry_run
      AND (stage = 'APPLY' OR stage IS NULL AND retry IS NULL AND applied_from_id IS NOT NULL)
"""


# A case's people, and the app's assignments, are those before the removals of the last hour. What
# plans that are being carried out have not removed yet is still assigned.
_EXCESS = """
    WITH removals AS MATERIALIZED ({removals}),
    planned AS (SELECT case_id, count(*) AS number FROM removals GROUP BY case_id),
    others AS MATERIALIZED (
      SELECT DISTINCT case_id, user_id FROM ({under_way}) u
      WHERE EXISTS (SELECT FROM assignments a
          WHERE a.case_id = u.case_id AND a.user_id = u.user_id)
        AND NOT EXISTS (SELECT FROM removals n
          WHERE n.case_id = u.case_id AND n.user_id = u.user_id)),
    coming AS (SELECT case_id, count(*) AS number FROM others GROUP BY case_id),
    earlier AS (
      SELECT case_id, count(*) AS number FROM assignment_history
      WHERE import_id = ANY($4::bigint[]) AND after_role_id IS NULL
        AND changed_at > now() - interval '1 hour'
      GROUP BY case_id),
    cases_hit AS (
      SELECT case_id,
        p.number + coalesce(e.number, 0) + coalesce(o.number, 0) AS gone,
        coalesce(e.number, 0) + (
          SELECT count(*) FROM assignments a WHERE a.case_id = p.case_id) AS people
      FROM planned p LEFT JOIN earlier e USING (case_id) LEFT JOIN coming o USING (case_id))
    SELECT (SELECT count(*) FROM removals) AS planned,
      (SELECT coalesce(sum(number), 0) FROM earlier) AS earlier,
      (SELECT count(*) FROM others) AS coming,
      (SELECT count(*) FROM assignments WHERE app_id = $1) AS present,
      worst.gone, worst.people, c.tag_id, c.about
    FROM (SELECT) one LEFT JOIN (
      SELECT * FROM cases_hit WHERE gone * 100 > people * $5::bigint
      ORDER BY gone DESC, case_id LIMIT 1) worst ON true
    LEFT JOIN cases c ON c.id = worst.case_id
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
        rows: how many at most, those included that running imports may remove yet.
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

    Several small files together are one large one, and so are several retries of one file. Until
    the transaction ends, no other import of the app is judged: of two at the same moment, the
    second counts the first.
    """
    # One that stores a million rows of a plan has the lock for some seconds.
    await db.execute("SELECT set_config('lock_timeout', $1, true)", _PATIENCE)
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", _LOCK, app_id)
    sql = """
        SELECT id, removed + group_removals AS removed,
          CASE WHEN split_at IS NOT NULL AND status = 'PROCESSING' THEN pending ELSE 0 END AS rest
        FROM imports
        WHERE app_id = $1 AND NOT is_dry_run AND (status = 'PROCESSING'
          OR changed_at > now() - interval '1 hour' AND (removed > 0 OR group_removals > 0))
    """
    rows = await db.fetch(sql, app_id)
    return Removals(sum(row["removed"] + row["rest"] for row in rows), [row["id"] for row in rows])


async def find_excess(
    db: Connection, app_id: int, plan_id: int, guard: AppGuard, *, is_own: bool
) -> Hold | None:
    """Say why a plan removes more than the app allows at once; None if it does not.

    Args:
        is_own: whether the plan is that of the import itself (`models.plan.planned_page`).
    """
    if guard.remove_percent is None:
        return None
    own = "(SELECT $2::bigint AS id, $3::boolean AS is_own) p"
    sql = _EXCESS.format(
        removals=_REMOVALS.format(plans=own, own=_OWN_ROWS),
        under_way=_REMOVALS.format(plans=f"({_UNDER_WAY}) p", own=_OWN_ROWS),
    )
    recent = await recent_removals(db, app_id)
    row = await db.fetchrow(sql, app_id, plan_id, is_own, recent.import_ids, guard.remove_percent)
    return _excess(row, guard)


def _excess(row: Record, guard: AppGuard) -> Hold | None:
    """Say what is too much of what `_EXCESS` has counted."""
    others = row["earlier"] + row["coming"]
    gone, before = row["planned"] + others, row["present"] + row["earlier"]
    if not row["planned"] or gone < guard.remove_at_least:
        return None
    limit = f"more than the {guard.remove_percent} % that may be removed at once"
    earlier = f", {others:,} of them within the last hour" if others else ""
    if gone * 100 > before * guard.remove_percent:
        what = f"{gone:,} of the {before:,} assignments would be gone{earlier}"
        return Hold("REMOVES_MANY", f"{what}: {limit}.")
    if row["people"] is None:
        return None
    case = row["tag_id"] or row["about"]
    what = f"{gone:,} assignments would be gone{earlier}, and {row['gone']:,} of the"
    return Hold("REMOVES_MANY", f"{what} {row['people']:,} users of the case '{case}': {limit}.")
