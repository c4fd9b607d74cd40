"""Sending the mails of the outbox: those to users at most once, those about ends at least once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from importers.isolation.attempts import PATIENCE_SECONDS
from importers.sdk.errors import CaserollError, RetryableError
from models.db import connection, persist
from models.mail import EndMail, mark_sent, mark_uncertain, mark_unsent, take_mail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg import Connection

    from models.mail import TakenMail

logger = logging.getLogger(__name__)

# Ten attempts, with pauses that double, take an hour and a half.
_MOST_ATTEMPTS = 10
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3_600.0


class NotSentError(CaserollError):
    """The mail server certainly did not accept the mail.

    Args:
        reason: what the mail server said.
        is_final: whether another attempt would end in the same way.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        self.reason = reason
        self.is_final = is_final
        super().__init__(reason)


class MailTransport(Protocol):
    """A way for mails to leave."""

    def send(self, mail: TakenMail) -> None:
        """Send a mail; runs in a thread.

        Raises:
            NotSentError: it was not accepted. After any other exception it may have been.
        """


class NoTransport(NamedTuple):
    """Sends nothing: mails wait in the outbox for a worker that has a transport."""

    reason: str

    def send(self, mail: TakenMail) -> None:
        """Refuse for now."""
        raise NotSentError(self.reason)


class MailSender:
    """Sends the mails that are due, one after another, beside imports.

    A mail server may take 20 seconds for each of its replies, and a worker takes one message of the
    broker at a time: that for mails is done when the sending has begun.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def begin(self, transport: MailTransport) -> None:
        """Begin to send what is due."""
        task = asyncio.create_task(self._send_and_log(transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_due(self, transport: MailTransport) -> None:
        """Send what is due, unless that is under way."""
        if self._lock.locked():
            return
        async with self._lock:
            while not self._is_closed:
                # `SENDING` is committed before the mail server is asked: if this process dies in
                # between, the mail is not sent a second time.
                async with connection() as db:
                    mail = await take_mail(db)
                if mail is None:
                    return
                await _send(transport, mail)

    async def close(self) -> None:
        """Wait for the mail that is under way, and send no others."""
        self._is_closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _send_and_log(self, transport: MailTransport) -> None:
        try:
            await self.send_due(transport)
        except Exception as error:
            # The sweeper looks again.
            logger.warning("the next mails have to wait: %s", error)


async def _send(transport: MailTransport, mail: TakenMail) -> None:
    try:
        await asyncio.to_thread(transport.send, mail)
    except NotSentError as error:
        await _record_failure(mail, error)
    except Exception as error:
        if isinstance(mail, EndMail):
            await _record_failure(mail, NotSentError(str(error) or repr(error)))
            return
        # A dialogue that breaks off does not say whether the server has taken the mail.
        reason = str(error)
        logger.exception("mail %d may or may not have been sent; it is left alone", mail.id)
        await _record_end(mail, lambda db: mark_uncertain(db, mail.id, reason))
    else:
        await _record_end(mail, lambda db: mark_sent(db, mail.id))


async def _record_failure(mail: TakenMail, error: NotSentError) -> None:
    is_final = error.is_final or mail.attempts >= _MOST_ATTEMPTS
    pause = min(_FIRST_PAUSE * 2 ** (mail.attempts - 1), _LONGEST_PAUSE)
    logger.warning(
        "mail %d was not sent (%s); %s",
        mail.id,
        error.reason,
        "it is given up" if is_final else f"next attempt in {pause:.0f} s",
    )
    after = None if is_final else pause
    await _record_end(mail, lambda db: mark_unsent(db, mail.id, error.reason, retry_after=after))


async def _record_end(mail: TakenMail, write: Callable[[Connection], Awaitable[None]]) -> None:
    """Record a mail's end; retry for some seconds while the database is out of reach."""
    if not await persist(write, seconds=PATIENCE_SECONDS):
        raise RetryableError(f"what became of mail {mail.id} could not be put on record")
