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

    So a receiver that hangs delays no messages but its own. It delays no imports either: a worker
    takes one message of the broker at a time, and that for webhooks is done when the requests have
    begun.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def send_due(self, transport: WebhookTransport) -> None:
        """Begin to send the messages that are due, as many as may be under way."""
        async with self._lock:
            while len(self._busy) < _AT_A_TIME and not self._is_closed:
                async with connection() as db:
                    found = await take_delivery(db, lease=_LEASE_SECONDS, except_of=self._busy)
                if found is None:
                    return
                self._busy.add(found.webhook_id)
                # Each has a task of its own, as a task keeps a connection that has died.
                task = asyncio.create_task(self._send(transport, found))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _send(self, transport: WebhookTransport, delivery: OutgoingDelivery) -> None:
        """Send one message, and those that could not begin before."""
        await _deliver(transport, delivery)
        self._busy.discard(delivery.webhook_id)
        try:
            await self.send_due(transport)
        except Exception as error:
            # The sweeper looks again.
            logger.warning("the next messages to webhooks have to wait: %r", error)

    async def close(self) -> None:
        """Wait for the messages that are under way, and send no others."""
        self._is_closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)


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
