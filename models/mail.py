"""The outbox: mails that imports ask for, each sent at most once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from tortoise import fields
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Connection


class MailState(StrEnum):
    """Where a mail stands.

    A worker commits `SENDING` before it connects to the mail server. If it dies in the middle, the
    sweeper turns that into `UNKNOWN`, and no worker sends the mail a second time.
    """

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class Mail(Model):
    """One mail to one user about one assignment that an import created or updated."""

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    import_id = fields.BigIntField()
    row = fields.IntField()
    case_id = fields.BigIntField()
    user_id = fields.BigIntField()
    role_id = fields.BigIntField()
    outcome = fields.IntEnumField(RowOutcome)
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
    """A mail taken from the outbox, with what its text says."""

    id: int
    attempts: int
    recipient: str
    given_name: str
    case_tag: str | None
    case_about: str
    role_label: str
    outcome: RowOutcome
    app_name: str


async def enqueue_mails(
    db: Connection, app_id: int, import_id: int, notifications: Sequence[Notification]
) -> None:
    """Put mails into the outbox, in the transaction of the rows that ask for them."""
    await db.copy_records_to_table(
        "mails",
        columns=("app_id", "import_id", "row", "case_id", "user_id", "role_id", "outcome"),
        records=((app_id, import_id, *each) for each in notifications),
    )


async def take_mail(db: Connection) -> OutgoingMail | None:
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
        SELECT m.id, m.attempts, u.email, u.given_name, c.tag_id, c.about, r.label, m.outcome,
          p.name
        FROM taken m JOIN users u ON u.id = m.user_id JOIN cases c ON c.id = m.case_id
          JOIN roles r ON r.id = m.role_id JOIN apps p ON p.id = m.app_id
    """
    row = await db.fetchrow(sql)
    return OutgoingMail(*row)._replace(outcome=RowOutcome(row["outcome"])) if row else None


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
    """Give up mails whose sender died in the middle; tell whether any mail is due.

    Args:
        abandoned_after: seconds after which a mail in `SENDING` counts as abandoned.
    """
    sql = """
        UPDATE mails SET state = 'UNKNOWN', error = 'the sender stopped while it was sending'
        WHERE state = 'SENDING' AND next_attempt_at < now() - $1::float * interval '1 second'
    """
    await db.execute(sql, abandoned_after)
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT 1 FROM mails"
            " WHERE state = 'PENDING' AND next_attempt_at <= now())"
        )
    )
