"""What has changed assignments, cases, users and records of plugins since a plan was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from models.entity_history import noun_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from asyncpg import Connection


class Touched(NamedTuple):
    """What a row is about: a case and a user, by primary key, or a plugin's own record."""

    case_id: int | None = None
    user_id: int | None = None
    record: str | None = None


class LastChange(NamedTuple):
    """The last change of an assignment, a case, a user or a record.

    Args:
        what: `assignment`, `case` or `user`, or what the plugin calls the record.
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
    """The last changes, by what they are about; None stands for any."""

    known: Mapping[Touched, LastChange]

    def of(self, touched: Touched) -> LastChange | None:
        """Return what has changed the record or assignment, or else its case, or else its user."""
        case_id, user_id, record = touched
        first = Touched(record=record) if record else Touched(case_id, user_id)
        for key in (first, Touched(case_id), Touched(user_id=user_id)):
            if key in self.known:
                return self.known[key]
        return None


async def find_namesakes(
    db: Connection, plan_id: int, created: Mapping[int, Mapping[str, Any]]
) -> dict[int, Touched]:
    """Find who has by now what is unique of cases and users that rows of a plan would create.

    Args:
        created: the fields that they would have, by the rows' numbers.
    """
    users = {number: fields for number, fields in created.items() if "email" in fields}
    cases = {number: fields for number, fields in created.items() if number not in users}
    sql = """
        SELECT k.number, c.id AS case_id, NULL::bigint AS user_id
        FROM unnest($2::int[], $3::text[]) AS k(number, tag)
        JOIN imports i ON i.id = $1 JOIN cases c ON c.app_id = i.app_id AND c.tag_id = k.tag
        UNION ALL
        SELECT k.number, NULL, u.id FROM unnest($4::int[], $5::text[]) AS k(number, tag)
        JOIN imports i ON i.id = $1 JOIN users u ON u.app_id = i.app_id AND u.tag_id = k.tag
        UNION ALL
        SELECT k.number, NULL, u.id FROM unnest($4::int[], $6::text[]) AS k(number, email)
        JOIN imports i ON i.id = $1
        JOIN users u ON u.app_id = i.app_id AND lower(u.email) = lower(k.email)
    """
    rows = await db.fetch(
        sql,
        plan_id,
        list(cases),
        [fields.get("tag_id") for fields in cases.values()],
        list(users),
        [fields.get("tag_id") for fields in users.values()],
        [fields["email"] for fields in users.values()],
    )
    return {row["number"]: Touched(row["case_id"], row["user_id"]) for row in rows}


async def find_last_changes(
    db: Connection, plan_id: int, touched: Collection[Touched]
) -> LastChanges:
    """Find the last change of each, if there is one since an import was begun.

    Args:
        plan_id: the import that is the plan.
    """
    pairs = [(case, user) for case, user, _ in touched if None not in (case, user)]
    sql = """
        WITH since AS MATERIALIZED (SELECT started_at FROM imports WHERE id = $1),
        changes AS (
          SELECT 'assignment' AS what, h.case_id, h.user_id, NULL AS record, h.import_id, h.row,
            NULL AS actor, h.changed_at
          FROM unnest($2::bigint[], $3::bigint[]) AS k(case_id, user_id)
          JOIN assignment_history h USING (case_id, user_id)
          UNION ALL
          SELECT 'case', h.case_id, NULL, NULL, h.import_id, h.row, h.actor, h.changed_at
          FROM unnest($4::bigint[]) AS k(case_id) JOIN entity_history h USING (case_id)
          WHERE h.record IS NULL
          UNION ALL
          SELECT 'user', NULL, h.user_id, NULL, h.import_id, h.row, h.actor, h.changed_at
          FROM unnest($5::bigint[]) AS k(user_id) JOIN entity_history h USING (user_id)
          WHERE h.record IS NULL
          UNION ALL
          SELECT 'record', NULL, NULL, h.record, h.import_id, h.row, h.actor, h.changed_at
          FROM unnest($6::text[]) AS k(record) JOIN entity_history h USING (record)
          WHERE h.app_id = (SELECT app_id FROM imports WHERE id = $1))
        SELECT DISTINCT ON (c.case_id, c.user_id, c.record)
          c.case_id, c.user_id, c.record, c.what, i.name, c.row, c.actor, c.changed_at
        FROM changes c LEFT JOIN imports i ON i.id = c.import_id, since
        WHERE c.changed_at > since.started_at AND c.import_id IS DISTINCT FROM $1
        ORDER BY c.case_id, c.user_id, c.record, c.changed_at DESC
    """
    rows = await db.fetch(
        sql,
        plan_id,
        [case for case, _ in pairs],
        [user for _, user in pairs],
        list({case for case, _, _ in touched if case is not None}),
        list({user for _, user, _ in touched if user is not None}),
        list({record for _, _, record in touched if record is not None}),
    )
    known = {Touched(*row[:3]): LastChange(*row[3:]) for row in rows}
    return LastChanges(
        {
            touched: change._replace(what=noun_of(touched.record) or change.what)
            for touched, change in known.items()
        }
    )
