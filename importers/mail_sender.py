"""Sending what imports have left in the outbox, each mail at most once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from importers.isolation.attempts import PATIENCE_SECONDS
from importers.sdk.errors import CaserollError, RetryableError
from models.db import connection, persist
from models.mail import mark_sent, mark_uncertain, mark_unsent, take_mail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg import Connection

    from models.mail import Letter

logger = logging.getLogger(__name__)

_MOST_ATTEMPTS = 10
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3_600.0


class NotSentError(CaserollError):
    """The mail was certainly not accepted.

    Args:
        reason: what the mail server said.
        is_final: whether another attempt would end in the same way.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        self.reason = reason
        self.is_final = is_final
        super().__init__(reason)


class Carrier(Protocol):
    """Something that sends mails."""

    def send(self, letter: Letter) -> None:
        """Send a mail; runs in a thread.

        Raises:
            NotSentError: it was not accepted. Any other exception leaves that open.
        """


class NoCarrier:
    """Sends nothing: mails wait for another carrier.

    Args:
        reason: why.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def send(self, letter: Letter) -> None:
        """Refuse for now."""
        raise NotSentError(self._reason)


async def send_mails(carrier: Carrier, *, most: int) -> bool:
    """Send mails that are due, one after the other.

    Args:
        most: how many before others get their turn.

    Returns:
        Whether more may be due.
    """
    for _ in range(most):
        async with connection() as db:
            letter = await take_mail(db)
        if letter is None:
            return False
        await _send(carrier, letter)
    return True


async def _send(carrier: Carrier, letter: Letter) -> None:
    try:
        await asyncio.to_thread(carrier.send, letter)
    except NotSentError as error:
        await _not_sent(letter, error)
    except Exception as error:
        reason = str(error)
        logger.exception("mail %d may or may not have been sent; it is left alone", letter.id)
        await _record(letter, lambda db: mark_uncertain(db, letter.id, reason))
    else:
        await _record(letter, lambda db: mark_sent(db, letter.id))


async def _not_sent(letter: Letter, error: NotSentError) -> None:
    is_final = error.is_final or letter.attempts >= _MOST_ATTEMPTS
    pause = min(_FIRST_PAUSE * 2 ** (letter.attempts - 1), _LONGEST_PAUSE)
    logger.warning(
        "mail %d was not sent (%s); %s",
        letter.id,
        error.reason,
        "it is given up" if is_final else f"next attempt in {pause:.0f} s",
    )
    after = None if is_final else pause
    await _record(letter, lambda db: mark_unsent(db, letter.id, error.reason, retry_after=after))


async def _record(letter: Letter, write: Callable[[Connection], Awaitable[None]]) -> None:
    """Record what became of a mail, also when the database is away for a while."""
    if not await persist(write, seconds=PATIENCE_SECONDS):
        raise RetryableError(f"what became of mail {letter.id} could not be put on record")
