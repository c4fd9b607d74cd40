"""Sending the messages to webhooks, each at least once, for a day."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from importers.isolation.attempts import PATIENCE_SECONDS
from importers.sdk.errors import CaserollError
from models.db import connection, persist
from models.webhook import give_up, mark_delivered, put_off, take_delivery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg import Connection

    from models.webhook import OutgoingDelivery

logger = logging.getLogger(__name__)

_MINUTE, _HOUR = 60.0, 3_600.0
# A day, less a quarter of an hour.
PAUSES = (
    *(5.0, 30.0, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
    *(1 * _HOUR, 2 * _HOUR, 4 * _HOUR, 6 * _HOUR, 10 * _HOUR),
)
"""Seconds between the attempts to send a message."""

# Longer than the transport takes at the most, and the database to record what came of it.
_LEASE_SECONDS = 60.0
_AT_A_TIME = 8


class NotDeliveredError(CaserollError):
    """The receiver has not accepted the message, as far as is known.

    Args:
        reason: what went wrong.
        status: the HTTP status of the answer, if there was one.
        is_gone: whether the receiver wants no more messages.
    """

    def __init__(self, reason: str, *, status: int | None = None, is_gone: bool = False) -> None:
        self.reason = reason
        self.status = status
        self.is_gone = is_gone
        super().__init__(reason)


class WebhookTransport(Protocol):
    """A way for messages to get to webhooks."""

    async def send(self, delivery: OutgoingDelivery) -> int:
        """Send a message, in less than `_LEASE_SECONDS`; return the HTTP status of the answer.

        Raises:
            NotDeliveredError: it was not accepted.
        """


class WebhookSender:
    """Sends the messages that are due, several at a time, but one to each webhook.

    So a receiver that hangs delays no messages but its own.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        # A message has become due while others are sent.
        self._hint = asyncio.Event()
        self._sending: dict[asyncio.Task[None], int] = {}

    async def send_due(self, transport: WebhookTransport, *, most: int) -> bool:
        """Send up to `most` messages that are due; tell whether more may be due.

        A call that comes while another one is at work only gives it a hint.
        """
        self._hint.set()
        if self._lock.locked():
            return False
        left = most
        async with self._lock:
            while True:
                self._hint.clear()
                left -= await self._start(transport, most=left)
                if not self._sending and not (left and self._hint.is_set()):
                    return not left
                await self._wait()

    async def _start(self, transport: WebhookTransport, *, most: int) -> int:
        """Begin to send messages that are due; return how many."""
        for number in range(most):
            if len(self._sending) >= _AT_A_TIME:
                return number
            async with connection() as db:
                delivery = await take_delivery(
                    db, lease=_LEASE_SECONDS, except_of=self._sending.values()
                )
            if delivery is None:
                return number
            # In a task of its own, as a task keeps a connection that has died.
            task = asyncio.create_task(_deliver(transport, delivery))
            self._sending[task] = delivery.webhook_id
        return most

    async def _wait(self) -> None:
        """Wait until a message is sent, or another one may be due."""
        hint = asyncio.create_task(self._hint.wait())
        await asyncio.wait([*self._sending, hint], return_when=asyncio.FIRST_COMPLETED)
        hint.cancel()
        for task in [each for each in self._sending if each.done()]:
            del self._sending[task]


async def _deliver(transport: WebhookTransport, delivery: OutgoingDelivery) -> None:
    """Send one message, and record what came of it; never raises."""
    try:
        status = await transport.send(delivery)
    except NotDeliveredError as error:
        await _keep(delivery, _failure(delivery, error))
    except Exception as error:
        logger.exception("delivery %d failed by a fault of Caseroll", delivery.id)
        await _keep(delivery, _failure(delivery, NotDeliveredError(type(error).__name__)))
    else:
        await _keep(delivery, lambda db: mark_delivered(db, delivery.id, status))


def _failure(
    delivery: OutgoingDelivery, error: NotDeliveredError
) -> Callable[[Connection], Awaitable[None]]:
    """Return what records that a message was not delivered."""
    result = delivery.id, error.reason, error.status
    if error.is_gone or delivery.attempts > len(PAUSES):
        logger.warning("delivery %d is given up: %s", delivery.id, error.reason)
        return lambda db: give_up(db, *result, is_gone=error.is_gone)
    pause = PAUSES[delivery.attempts - 1]
    logger.info("delivery %d failed (%s); next attempt in %.0f s", delivery.id, error.reason, pause)
    return lambda db: put_off(db, *result, pause=pause)


async def _keep(delivery: OutgoingDelivery, write: Callable[[Connection], Awaitable[None]]) -> None:
    """Record what came of a delivery; where that fails, it is sent again after its lease."""
    try:
        is_kept = await persist(write, seconds=PATIENCE_SECONDS)
    except Exception:
        logger.exception("what became of delivery %d could not be recorded", delivery.id)
        return
    if not is_kept:
        logger.warning("the database is out of reach; delivery %d is sent again", delivery.id)
