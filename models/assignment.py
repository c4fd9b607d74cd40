"""Who is on which case in which role, and every change of it."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
from tortoise import fields
from tortoise.fields.db_defaults import Now, SqlDefault
from tortoise.models import Model

from models.app import App, Role
from models.case import Case, CaseRecord
from models.db import RaceError
from models.foreign_keys import checked_at_once, refuse_references
from models.user import User, UserRecord
from models.write_one import SIDES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asyncpg import Connection

    from models.write_one import Side, Table

Pair = tuple[int, int]


class Assignment(Model):
    """One user on one case.

    Role and import carry no database constraint: a foreign key costs one row trigger for each
    assignment, and that of a role makes all workers lock the same few rows. Roles and imports are
    never deleted.
    """

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, db_constraint=False, on_delete=fields.RESTRICT
    )
    app_id: int
    case: fields.ForeignKeyRelation[Case] = fields.ForeignKeyField(
        "models.Case", related_name=False, on_delete=fields.RESTRICT
    )
    case_id: int
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name=False, on_delete=fields.RESTRICT
    )
    user_id: int
    role: fields.ForeignKeyRelation[Role] = fields.ForeignKeyField(
        "models.Role", related_name=False, db_constraint=False, on_delete=fields.RESTRICT
    )
    role_id: int
    notify = fields.BooleanField(db_default=False)
    created_at = fields.DatetimeField(db_default=Now())
    updated_at = fields.DatetimeField(db_default=Now())
    created_import_id = fields.BigIntField(null=True)
    created_row = fields.IntField(null=True)
    updated_import_id = fields.BigIntField(null=True)
    updated_row = fields.IntField(null=True)

    class Meta:
        table = "assignments"
        # In this order the pages of a case's users come from the unique index; the other index is
        # for the pages of a user's cases.
        unique_together = (("case", "user"),)
        indexes = (("user_id", "case_id"),)


class AssignmentHistory(Model):
    """One change of one assignment: both sides, when, and which row of which import did it.

    `before_role_id` is None when the change created the assignment, `after_role_id` when it
    removed it. Who did it is the import's token.

    It is dated when it is written. By `now()`, when the transaction began, a change that had to
    wait for a lock would be dated before the one that it follows.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    case_id = fields.BigIntField()
    user_id = fields.BigIntField()
    import_id = fields.BigIntField()
    row = fields.IntField()
    before_role_id = fields.BigIntField(null=True)
    before_notify = fields.BooleanField(null=True)
    after_role_id = fields.BigIntField(null=True)
    after_notify = fields.BooleanField(null=True)
    changed_at = fields.DatetimeField(db_default=SqlDefault("clock_timestamp()"))

    class Meta:
        table = "assignment_history"


class Present(NamedTuple):
    """How a user is on a case."""

    role_id: int
    notify: bool

    @property
    def packed(self) -> int:
        """Both in one number, as rows store it."""
        return self.role_id * 2 + self.notify

    @classmethod
    def unpacked(cls, packed: int | None) -> Present | None:
        return None if packed is None else cls(packed >> 1, bool(packed & 1))


class Edit(NamedTuple):
    """One change of one assignment, as written: `before` None creates, `after` None removes."""

    case_id: int
    user_id: int
    row: int
    before: Present | None
    after: Present | None


async def present_assignments(
    db: Connection, pairs: Collection[Pair], *, lock: bool
) -> dict[Pair, Present]:
    """Read the present state of (case, user) pairs.

    With a lock, for the pairs (1, 7) and (2, 9):

        SELECT a.case_id, a.user_id, a.role_id, a.notify
        FROM unnest('{1,2}'::bigint[], '{7,9}'::bigint[]) AS p(case_id, user_id)
        JOIN assignments a USING (case_id, user_id)
        ORDER BY a.case_id, a.user_id FOR NO KEY UPDATE OF a

    Args:
        lock: lock the rows until the transaction ends, in (case, user) order so that two imports
            over the same cases can't deadlock.
    """
    # Without the app: primary keys belong to one app each, and the look-up of the cells found only
    # those of this app.
    # Ordered only with a lock: sessions of the API would rather walk all pairs than sort a few.
    sql = f"""
        SELECT a.case_id, a.user_id, a.role_id, a.notify
        FROM unnest($1::bigint[], $2::bigint[]) AS p(case_id, user_id)
        JOIN assignments a USING (case_id, user_id)
        {"ORDER BY a.case_id, a.user_id FOR NO KEY UPDATE OF a" if lock else ""}
    """
    rows = await db.fetch(sql, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return {(row[0], row[1]): Present(row[2], row[3]) for row in rows}


class AssignmentRecord(NamedTuple):
    """An assignment, with what an import needs to know of its case and its user."""

    case: CaseRecord
    user: UserRecord
    role_id: int
    notify: bool


async def assignments_of(
    db: Connection, app_id: int, column: Side, ids: Collection[int], *, most: int
) -> list[AssignmentRecord]:
    """Read the assignments of users, or to cases, by primary key.

    For the column `user_id`:

        SELECT c.id, c.tag_id, c.is_active, u.id, u.tag_id, u.email, u.is_active, a.role_id,
          a.notify
        FROM unnest('{1,2}'::bigint[]) AS k(id) JOIN assignments a ON a.user_id = k.id
        JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id
        WHERE c.app_id = 1 LIMIT 100

    Args:
        most: how many to read; which of more, is not known.
    """
    # The app of the case: given that of the assignment, PostgreSQL would read all of the app's
    # while the table has no statistics.
    names = [f"c.{name}" for name in CaseRecord._fields]
    names += [f"u.{name}" for name in UserRecord._fields]
    sql = f"""
        SELECT {", ".join(names)}, a.role_id, a.notify
        FROM unnest($2::bigint[]) AS k(id) JOIN assignments a ON a.{column} = k.id
        JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id
        WHERE c.app_id = $1 LIMIT $3
    """
    rows = await db.fetch(sql, app_id, list(set(ids)), most)
    end = len(CaseRecord._fields)
    return [
        AssignmentRecord(CaseRecord(*row[:end]), UserRecord(*row[end:-2]), *row[-2:])
        for row in rows
    ]


async def hold_pairs(
    db: Connection, app_id: int, table: Table, ids: Collection[int], *, lock: bool
) -> set[Pair]:
    """Return the (case, user) pairs of users, or of cases, by primary key.

        SELECT a.case_id, a.user_id FROM unnest('{1,2}'::bigint[]) AS k(id)
        JOIN assignments a ON a.user_id = k.id

    Args:
        lock: let no other transaction assign these users, or to these cases, until this one ends.
    """
    keys = list(set(ids))
    if lock:
        await refuse_references(db, app_id, table, keys)
    # A statement of its own: it sees what was committed while the locks were waited for. Without
    # the app, as in `present_assignments`.
    sql = f"""
        SELECT a.case_id, a.user_id FROM unnest($1::bigint[]) AS k(id)
        JOIN assignments a ON a.{SIDES[table]} = k.id
    """
    return {(row[0], row[1]) for row in await db.fetch(sql, keys)}


async def count_assignments(
    db: Connection, app_id: int, column: Side, ids: Collection[int]
) -> dict[tuple[int, str], int]:
    """Count assignments of cases, or of users, by primary key and the role's key.

    For the column `case_id`:

        SELECT a.case_id, r.key, count(*) FROM unnest('{1,2}'::bigint[]) AS k(id)
        JOIN assignments a ON a.case_id = k.id JOIN roles r ON r.id = a.role_id
        WHERE a.app_id = 1 GROUP BY a.case_id, r.key
    """
    sql = f"""
        SELECT a.{column}, r.key, count(*) FROM unnest($2::bigint[]) AS k(id)
        JOIN assignments a ON a.{column} = k.id JOIN roles r ON r.id = a.role_id
        WHERE a.app_id = $1 GROUP BY a.{column}, r.key
    """
    rows = await db.fetch(sql, app_id, list(set(ids)))
    return {(row[0], row[1]): row[2] for row in rows}


async def write_edits(db: Connection, app_id: int, import_id: int, edits: Sequence[Edit]) -> None:
    """Apply edits and write their history in at most four statements, whatever their number.

    Raises:
        RaceError: the state is no longer what `before` says; nothing may be kept.
    """
    # In the order in which every transaction locks (case, user) pairs.
    ordered = sorted(edits, key=itemgetter(0, 1))
    if created := [edit for edit in ordered if edit.before is None]:
        await _insert(db, app_id, import_id, created)
    await _update(db, import_id, [edit for edit in ordered if edit.before and edit.after])
    await _delete(db, [edit for edit in ordered if edit.after is None])
    await _write_history(db, app_id, import_id, ordered)


async def _insert(db: Connection, app_id: int, import_id: int, edits: list[Edit]) -> None:
    """Insert with a COPY, which takes a tenth less time than an INSERT.

        COPY assignments(app_id, case_id, user_id, role_id, notify, created_import_id, created_row)
        FROM STDIN WITH (FORMAT binary)

    No conflict is skipped: a pair that another transaction has added meanwhile ends the attempt.
    """
    references = {
        "cases": [edit.case_id for edit in edits],
        "users": [edit.user_id for edit in edits],
    }
    try:
        async with checked_at_once(db, "assignments", len(edits), references):
            await db.copy_records_to_table(
                "assignments",
                columns=(
                    "app_id",
                    "case_id",
                    "user_id",
                    "role_id",
                    "notify",
                    "created_import_id",
                    "created_row",
                ),
                records=(
                    (app_id, case_id, user_id, role_id, notify, import_id, row)
                    for case_id, user_id, row, _, after in edits
                    if after
                    for role_id, notify in [after]
                ),
            )
    except asyncpg.UniqueViolationError as error:
        raise RaceError from error


async def _update(db: Connection, import_id: int, edits: list[Edit]) -> None:
    if not edits:
        return
    sql = """
        UPDATE assignments a SET role_id = r, notify = n, updated_at = clock_timestamp(),
          updated_import_id = $1, updated_row = w
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bool[], $6::int[])
          AS t(c, u, r, n, w)
        WHERE a.case_id = c AND a.user_id = u
    """
    status = await db.execute(
        sql,
        import_id,
        [edit.case_id for edit in edits],
        [edit.user_id for edit in edits],
        [edit.after.role_id for edit in edits if edit.after],
        [edit.after.notify for edit in edits if edit.after],
        [edit.row for edit in edits],
    )
    _check_count(status, len(edits))


async def _delete(db: Connection, edits: list[Edit]) -> None:
    if not edits:
        return
    sql = """
        DELETE FROM assignments a USING unnest($1::bigint[], $2::bigint[]) AS t(c, u)
        WHERE a.case_id = c AND a.user_id = u
    """
    status = await db.execute(
        sql, [edit.case_id for edit in edits], [edit.user_id for edit in edits]
    )
    _check_count(status, len(edits))


async def _write_history(db: Connection, app_id: int, import_id: int, edits: list[Edit]) -> None:
    nothing = (None, None)
    await db.copy_records_to_table(
        "assignment_history",
        columns=(
            "app_id",
            "import_id",
            "case_id",
            "user_id",
            "row",
            "before_role_id",
            "before_notify",
            "after_role_id",
            "after_notify",
        ),
        records=(
            (app_id, import_id, case_id, user_id, row, old_role, old_notify, role, notify)
            for case_id, user_id, row, before, after in edits
            for old_role, old_notify in [before or nothing]
            for role, notify in [after or nothing]
        ),
    )


def _check_count(status: str, count: int) -> None:
    """Compare the number in a command tag such as `UPDATE 5` with the number of edits."""
    if int(status.rpartition(" ")[2]) != count:
        raise RaceError
