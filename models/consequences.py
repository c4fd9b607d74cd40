"""What an import comes to as a whole: what an admin should know before a dry run is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.described_enum import DescribedStrEnum
from models.row import row_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection

MOST_EXAMPLES = 5
# Sets of a million rows are hashed and joined. Sessions of the API would rather walk indexes.
_LIMITS = """
SELECT set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true),
  set_config('work_mem', '64MB', true), set_config('statement_timeout', '10s', true)
"""


class ConsequenceCode(DescribedStrEnum):
    """What the changes of an import may lead to."""

    CASES_WITHOUT_USERS = "CASES_WITHOUT_USERS", "Cases lose the last of their users."
    CASES_WITHOUT_ROLE = "CASES_WITHOUT_ROLE", "Cases lose their last user in the required role."
    USERS_WITHOUT_CASES = "USERS_WITHOUT_CASES", "Users lose the last of their cases."
    USERS_ON_MANY_CASES = "USERS_ON_MANY_CASES", "Users get more cases than one person should."
    ROLE_TO_STAFF = "ROLE_TO_STAFF", "Clients become staff."
    MAILS = "MAILS", "Users get a mail."
    REVERSALS = "REVERSALS", "Changes take back what another import did within a day."
    DISABLED_USERS_ON_CASES = "DISABLED_USERS_ON_CASES", "Users are disabled who are on cases."
    CLOSED_CASES_WITH_USERS = "CLOSED_CASES_WITH_USERS", "Cases are closed that have users."


class Finding(NamedTuple):
    """One kind of consequence, and the primary keys of the first few that it concerns."""

    code: ConsequenceCode
    number: int
    cases: Sequence[int]
    users: Sequence[int]


# The assignments that the rows change, with packed sides.
_STORED = """
    SELECT case_id, user_id, before, after FROM import_rows
    WHERE id > $2 AND id < $3 AND app_id = $1 AND (before IS NOT NULL OR after IS NOT NULL) {0}
    UNION ALL
    SELECT (edit ->> 0)::bigint, (edit ->> 1)::bigint, (edit ->> 2)::int, (edit ->> 3)::int
    FROM import_rows, json_array_elements(edits::json -> 'assignments') AS edit
    WHERE id > $2 AND id < $3 AND app_id = $1 AND edit_count IS NOT NULL {0}
"""
# What imports have changed since the plan was begun, and how it is now. Nothing else changes
# assignments, so that the others need not be compared.
_TOUCHED = """
    SELECT DISTINCT h.case_id, h.user_id, a.role_id * 2 + a.notify::int AS present
    FROM imports t, imports i JOIN assignment_history h ON h.import_id = i.id
    LEFT JOIN assignments a ON a.case_id = h.case_id AND a.user_id = h.user_id
    WHERE t.id = $4 AND i.app_id = $1 AND NOT i.is_dry_run AND i.changed_at >= t.started_at
      AND h.changed_at >= t.started_at
"""
_SIDES = "case_id, user_id, before >> 1 AS role, after >> 1 AS new_role, after & 1 AS mail"
# A row of a plan that found something else than is stored now would not be carried out.
_PLANNED = f"""
    SELECT {_SIDES} FROM stored s WHERE NOT EXISTS (SELECT FROM touched t
      WHERE t.case_id = s.case_id AND t.user_id = s.user_id
        AND t.present IS DISTINCT FROM s.before)
"""
_MADE = f"SELECT {_SIDES} FROM stored"
_OF_CASE = """
    SELECT case_id, count(new_role) - count(role) AS growth,
      count(*) FILTER (WHERE new_role = $5) - count(*) FILTER (WHERE role = $5) AS growth_of_role,
      bool_or(new_role IS NULL) AS loses,
      bool_or(role = $5 AND new_role IS DISTINCT FROM $5) AS loses_role
    FROM change GROUP BY case_id
"""
_OF_USER = """
    SELECT user_id, count(new_role) - count(role) AS growth, bool_or(new_role IS NULL) AS loses,
      bool_or(role IS NULL) AS gains, bool_or(mail = 1) AS is_notified
    FROM change GROUP BY user_id
"""
# How many assignments there are now, where that matters.
_CASE_SIZE = """
    SELECT g.case_id, count(*) AS size, count(*) FILTER (WHERE a.role_id = $5) AS size_of_role
    FROM of_case g JOIN assignments a ON a.case_id = g.case_id
    WHERE g.loses OR g.loses_role GROUP BY g.case_id
"""
_USER_SIZE = """
    SELECT g.user_id, count(*) AS size FROM of_user g JOIN assignments a ON a.user_id = g.user_id
    WHERE g.loses OR g.gains GROUP BY g.user_id
"""
# Cases that are closed, users that are disabled; UNION leaves out repeated ones. A plugin's own
# records may have such a field as well, and have what tells them from others behind both sides.
_OTHERS = """
    SELECT case_id, user_id FROM import_rows
    WHERE id > $2 AND id < $3 AND app_id = $1 AND outcome = 2 AND edit_count IS NULL {0}
      AND edits LIKE '[%"is_active":true%,%"is_active":false%]' AND edits::json -> 2 IS NULL
    UNION
    SELECT (edit ->> 0)::bigint, (edit ->> 1)::bigint
    FROM import_rows, json_array_elements(edits::json -> 'others') AS edit
    WHERE id > $2 AND id < $3 AND app_id = $1 AND edit_count IS NOT NULL {0}
      AND edit -> 2 ->> 'is_active' = 'true' AND edit -> 3 ->> 'is_active' = 'false'
      AND edit -> 4 IS NULL
"""
# What other imports did within a day before this one, or before now if it is only planned.
_RECENT = """
    SELECT h.case_id, h.user_id, h.before_role_id, h.after_role_id
    FROM imports t, imports i JOIN assignment_history h ON h.import_id = i.id
    WHERE t.id = $4 AND i.app_id = $1 AND i.id <> $4 AND NOT i.is_dry_run
      AND i.changed_at >= {0} - interval '1 day'
      AND h.changed_at >= {0} - interval '1 day' AND h.changed_at <= {0}
"""


def _hits(*, is_ahead: bool) -> dict[ConsequenceCode, str]:
    """Return, for each code, a query of what is concerned: a case, a user, or both."""
    # What was really done is counted among what is stored.
    growth, of_role = ("growth", "growth_of_role") if is_ahead else ("0", "0")
    only_case, only_user = "case_id, NULL::bigint AS user_id", "NULL::bigint AS case_id, user_id"
    of_case = f"SELECT {only_case} FROM of_case LEFT JOIN case_size USING (case_id)"
    of_user = f"SELECT {only_user} FROM of_user LEFT JOIN user_size USING (user_id)"
    role = "SELECT id FROM roles WHERE app_id = $1 AND key = '{}'"
    assigned = "EXISTS (SELECT FROM assignments a WHERE a.{0} = o.{0})"
    code = ConsequenceCode
    return {
        code.CASES_WITHOUT_USERS: f"{of_case} WHERE loses AND coalesce(size, 0) + {growth} = 0",
        code.CASES_WITHOUT_ROLE: f"{of_case}"
        f" WHERE loses_role AND coalesce(size_of_role, 0) + {of_role} = 0",
        code.USERS_WITHOUT_CASES: f"{of_user} WHERE loses AND coalesce(size, 0) + {growth} = 0",
        code.USERS_ON_MANY_CASES: f"{of_user} WHERE gains AND coalesce(size, 0) + {growth} > $6",
        code.ROLE_TO_STAFF: f"SELECT case_id, user_id FROM change"
        f" WHERE role = ({role.format('clients')}) AND new_role = ({role.format('staff')})",
        code.MAILS: f"SELECT {only_user} FROM of_user WHERE is_notified",
        code.REVERSALS: """
            SELECT case_id, user_id FROM change c WHERE role IS DISTINCT FROM new_role
              AND EXISTS (SELECT FROM recent r WHERE r.case_id = c.case_id
                AND r.user_id = c.user_id AND r.after_role_id IS NOT DISTINCT FROM c.role
                AND r.before_role_id IS NOT DISTINCT FROM c.new_role)""",
        code.DISABLED_USERS_ON_CASES: f"SELECT {only_user} FROM others o"
        f" WHERE case_id IS NULL AND {assigned.format('user_id')}",
        code.CLOSED_CASES_WITH_USERS: f"SELECT {only_case} FROM others o"
        f" WHERE user_id IS NULL AND {assigned.format('case_id')}",
    }


def _statement(*, is_ahead: bool, planned: str) -> str:
    """Return one statement for all kinds, so that all are of the same moment.

    WITH stored AS (…), change AS (…), of_case AS (…), …, cases_without_users AS (…), …
    SELECT 'CASES_WITHOUT_USERS' AS code, (SELECT count(*) FROM cases_without_users) AS number,
      ARRAY(SELECT DISTINCT case_id FROM cases_without_users … LIMIT 5) AS cases, …
    UNION ALL …
    """
    hits = _hits(is_ahead=is_ahead)
    parts = {
        "touched": _TOUCHED,
        "change": _PLANNED if is_ahead else _MADE,
        "of_case": _OF_CASE,
        "of_user": _OF_USER,
        "case_size": _CASE_SIZE,
        "user_size": _USER_SIZE,
        "others": _OTHERS.format(planned),
        "recent": _RECENT.format("now()" if is_ahead else "t.started_at"),
        **{code.lower(): query for code, query in hits.items()},
    }
    few = "ARRAY(SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} LIMIT {2})"
    found = " UNION ALL ".join(
        f"SELECT '{code}' AS code, (SELECT count(*) FROM {code.lower()}) AS number,"
        f" {few.format('case_id', code.lower(), MOST_EXAMPLES)} AS cases,"
        f" {few.format('user_id', code.lower(), MOST_EXAMPLES)} AS users"
        for code in hits
    )
    named = ", ".join(f"{name} AS MATERIALIZED ({query})" for name, query in parts.items())
    return f"WITH stored AS ({_STORED.format(planned)}), {named} {found}"


async def find_consequences(
    db: Connection,
    app_id: int,
    import_id: int,
    *,
    is_ahead: bool,
    is_own: bool = False,
    many_cases: int,
) -> list[Finding]:
    """Find what an import has led to, or what its plan would lead to; only what there is.

    Args:
        is_ahead: whether the changes are still to be made.
        is_own: whether they are the plan of the import itself, of which other rows may have been
            applied before.
        many_cases: a user on more cases than these is on many.

    Raises:
        asyncpg.QueryCanceledError: it takes too long.
    """
    limits = row_key(import_id, 0), row_key(import_id + 1, 0)
    statement = _statement(is_ahead=is_ahead, planned="AND is_planned" if is_own else "")
    async with db.transaction(readonly=True):
        await db.execute(_LIMITS)
        role = await db.fetchval("SELECT required_role_id FROM apps WHERE id = $1", app_id)
        rows = await db.fetch(statement, app_id, *limits, import_id, role, many_cases)
    return [
        Finding(ConsequenceCode(row["code"]), row["number"], row["cases"], row["users"])
        for row in rows
        if row["number"]
    ]


async def read_required_role(db: Connection, app_id: int) -> str | None:
    """Return the key of the role in which each case of the app should have a user."""
    sql = "SELECT r.key FROM apps a JOIN roles r ON r.id = a.required_role_id WHERE a.id = $1"
    key: str | None = await db.fetchval(sql, app_id)
    return key
