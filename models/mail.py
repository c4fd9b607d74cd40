"""The outbox of mails: to users, about their assignments, and about the ends of imports."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tortoise import fields
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.imports import STATE_AS_JSON
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


class MailState(StrEnum):
    """Where a mail stands.

    A worker commits `SENDING` before it connects to the mail server. If it dies in the middle, the
    sweeper turns that into `UNKNOWN`, and no worker sends the mail a second time. Mails about the
    end of an import are sent again: two of them do less harm than none.
    """

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class Mail(Model):
    """One mail to one user about one assignment that an import created or updated.

    Or one to any `recipient` about the end of an import: then `import_state` is the import's state
    at that end (`STATE_AS_JSON`), and the columns about an assignment are null.
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    import_id = fields.BigIntField()
    row = fields.IntField(null=True)
    case_id = fields.BigIntField(null=True)
    user_id = fields.BigIntField(null=True)
    role_id = fields.BigIntField(null=True)
    outcome = fields.IntEnumField(RowOutcome, null=True)
    recipient = fields.CharField(max_length=254, null=True)
    import_state: dict[str, Any] | None = fields.JSONField(null=True)
    state = fields.CharEnumField(MailState, max_length=10, db_default=MailState.PENDING)
    attempts = fields.SmallIntField(db_default=0)
    next_attempt_at = fields.DatetimeField(db_default=Now())
    sent_at = fields.DatetimeField(null=True)
    error = fields.TextField(null=True)
    created_at = fields.DatetimeField(db_default=Now())

    class Meta:
        table = "mails"
        # However often a row is run, it leaves one mail at most.
        unique_together = (("import_id", "row"),)


class Notification(NamedTuple):
    """What a row asks the outbox to tell a user."""

    row: int
    case_id: int
    user_id: int
    role_id: int
    outcome: RowOutcome


class OutgoingMail(NamedTuple):
    """A mail about an assignment, taken from the outbox, with what its text says."""

    id: int
    attempts: int
    recipient: str
    given_name: str
    case_tag: str | None
    case_about: str
    role_label: str
    outcome: RowOutcome
    app_name: str
    locale: str | None = None


class EndMail(NamedTuple):
    """A mail about the end of an import, taken from the outbox, with what its text says."""

    id: int
    attempts: int
    recipient: str
    app_name: str
    import_id: int
    import_state: dict[str, Any]


class MailCounts(NamedTuple):
    """How many mails of an import stand where; of `MOST_COUNTED`, if it has more."""

    waiting: int
    sent: int
    failed: int
    unknown: int
    is_complete: bool


MOST_COUNTED = 100_000
"""Mails of one import that are counted, which takes a few hundredths of a second."""

TakenMail: TypeAlias = OutgoingMail | EndMail


async def enqueue_mails(
    db: Connection, app_id: int, import_id: int, notifications: Sequence[Notification]
) -> None:
    """Put mails into the outbox, in the transaction of the rows that ask for them."""
    await db.copy_records_to_table(
        "mails",
        columns=("app_id", "import_id", "row", "case_id", "user_id", "role_id", "outcome"),
        records=((app_id, import_id, *each) for each in notifications),
    )


async def enqueue_end_mails(db: Connection, import_id: int) -> None:
    """Put a mail to each address that its upload named into the outbox, in the transaction that
    ends the import."""
    sql = f"""
        INSERT INTO mails (app_id, import_id, recipient, import_state)
        SELECT i.app_id, i.id, unnest(i.notify), {STATE_AS_JSON} FROM imports i WHERE i.id = $1
    """
    await db.execute(sql, import_id)


async def count_mails(db: Connection, app_id: int, import_id: int) -> MailCounts:
    """Count the mails of an import by where they stand."""
    sql = """
        SELECT count(*) FILTER (WHERE state IN ('PENDING', 'SENDING')),
          count(*) FILTER (WHERE state = 'SENT'), count(*) FILTER (WHERE state = 'FAILED'),
          count(*) FILTER (WHERE state = 'UNKNOWN'), count(*) <= $3::int
        FROM (
          SELECT state FROM mails WHERE app_id = $1 AND import_id = $2 LIMIT $3::int + 1) counted
    """
    row = await db.fetchrow(sql, app_id, import_id, MOST_COUNTED)
    return MailCounts(*row)


async def take_mail(db: Connection) -> TakenMail | None:
    """Mark the next mail that is due as `SENDING`, and return it.

    The caller commits before it connects to the mail server.
    """
    # From now on `next_attempt_at` says since when the mail is SENDING, for `sweep_mails`. The
    # order is that of the index `mails_due`.
    sql = """
        WITH taken AS (
          UPDATE mails SET state = 'SENDING', attempts = attempts + 1, next_attempt_at = now()
          WHERE id = (
            SELECT id FROM mails WHERE state = 'PENDING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
          RETURNING *)
        SELECT m.id, m.attempts, coalesce(m.recipient, u.email) AS recipient, u.given_name,
          c.tag_id AS case_tag, c.about AS case_about, r.label AS role_label, m.outcome,
          p.name AS app_name, u.locale, m.import_id, m.import_state
        FROM taken m JOIN apps p ON p.id = m.app_id LEFT JOIN users u ON u.id = m.user_id
          LEFT JOIN cases c ON c.id = m.case_id LEFT JOIN roles r ON r.id = m.role_id
    """
    row = await db.fetchrow(sql)
    if row is None:
        return None
    if row["import_state"] is None:
        mail = OutgoingMail(**{name: row[name] for name in OutgoingMail._fields})
        return mail._replace(outcome=RowOutcome(mail.outcome))
    about_end = EndMail(**{name: row[name] for name in EndMail._fields})
    return about_end._replace(import_state=json.loads(row["import_state"]))


async def mark_sent(db: Connection, mail_id: int) -> None:
    await db.execute(
        "UPDATE mails SET state = 'SENT', sent_at = now(), error = NULL WHERE id = $1", mail_id
    )


async def mark_unsent(
    db: Connection, mail_id: int, error: str, *, retry_after: float | None
) -> None:
    """Record that the mail was not accepted.

    Args:
        retry_after: seconds until the next attempt; None to give the mail up.
    """
    sql = """
        UPDATE mails SET error = $2,
          state = CASE WHEN $3::float IS NULL THEN 'FAILED' ELSE 'PENDING' END,
          next_attempt_at = now() + coalesce($3::float, 0) * interval '1 second'
        WHERE id = $1
    """
    await db.execute(sql, mail_id, error, retry_after)


async def mark_uncertain(db: Connection, mail_id: int, error: str) -> None:
    """Record that the mail may or may not have been accepted; it is not sent again."""
    await db.execute("UPDATE mails SET state = 'UNKNOWN', error = $2 WHERE id = $1", mail_id, error)


async def sweep_mails(db: Connection, *, abandoned_after: float) -> bool:
    """Give up mails whose sender died in the middle, but for those about the end of an import,
    which are sent again; tell whether any mail is due.

    Args:
        abandoned_after: seconds after which a mail in `SENDING` counts as abandoned.
    """
    sql = """
        UPDATE mails SET error = 'the sender stopped while it was sending',
          state = CASE WHEN import_state IS NULL THEN 'UNKNOWN' ELSE 'PENDING' END
        WHERE state = 'SENDING' AND next_attempt_at < now() - $1::float * interval '1 second'
    """
    await db.execute(sql, abandoned_after)
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT 1 FROM mails"
            " WHERE state = 'PENDING' AND next_attempt_at <= now())"
        )
    )
