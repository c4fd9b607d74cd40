"""The broker: Dramatiq on Redis or Valkey, its one queue of work, and a channel for changes."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Retries
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from importers.engine import Engine
    from models.imports import ImportEnd

logger = logging.getLogger(__name__)

SPLIT, RUN, MAIL = "split_import", "run_chunk", "send_mails"
# One queue for everything: Dramatiq polls each queue with threads of its own, fifty times a second.
# Order matters little, as an import and the outbox have one message each in the queue at a time.
QUEUE = "caseroll"
IMPORTS_TOPIC = "imports"
# How long an upload may take longer if Redis does not answer.
_SOCKET_SECONDS = 3.0
# Out of a million. Messages of a dead worker return to the queue in Dramatiq's maintenance, which
# by default goes with one command in a thousand; a quiet service sends too few for that.
_EVERY_COMMAND = 1_000_000
_NAMESPACE = "caseroll"
_RETRIES: dict[str, Any] = {"max_retries": 5, "min_backoff": 200, "max_backoff": 5_000}


def events_channel(app_id: int | str, topic: str = IMPORTS_TOPIC) -> str:
    """Return the channel of an app's changed keys; `*` stands for all apps, or topics."""
    return f"caseroll:{topic}:{app_id}"


def make_broker(redis_url: str) -> RedisBroker:
    """Make a broker; it connects with the first message.

    It has no `TimeLimit` middleware: a coroutine that is cancelled in the middle of a transaction
    leaks its connection, so PostgreSQL enforces the time limits. Retries are few, as the sweeper
    enqueues what is left.
    """
    client = redis.Redis.from_url(
        redis_url,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        # By default, redis-py tries several times, each with the full time-out.
        retry=Retry(NoBackoff(), 0),
    )
    broker: RedisBroker = RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        namespace=_NAMESPACE,
        maintenance_chance=_EVERY_COMMAND,
        middleware=[Retries(), AsyncIO()],
    )
    broker.declare_queue(QUEUE)
    return broker


def register(broker: RedisBroker, engine: Engine) -> None:
    """Declare the engine's methods as actors of the broker."""
    split = partial(engine.split, is_to_run=True)
    for name, method in ((SPLIT, split), (RUN, engine.run), (MAIL, engine.send_mails)):
        declare = dramatiq.actor(actor_name=name, queue_name=QUEUE, broker=broker, **_RETRIES)
        declare(method)


class BrokerQueue:
    """A `WorkQueue` on the broker; never raises, as the sweeper replaces lost messages."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    async def enqueue_split(self, import_id: int) -> None:
        await self._send(SPLIT, import_id)

    async def enqueue_run(self, import_id: int) -> None:
        await self._send(RUN, import_id)

    async def enqueue_send_mails(self) -> None:
        await self._send(MAIL)

    async def notify_changed(self, app_id: int, import_id: int) -> None:
        await self._try(self._broker.client.publish, events_channel(app_id), str(import_id))

    async def notify_ended(self, end: ImportEnd) -> None:
        await self.notify_changed(end.app_id, end.id)

    async def _send(self, actor: str, *ids: int) -> None:
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=QUEUE, actor_name=actor, args=ids, kwargs={}, options={}
        )
        await self._try(self._broker.enqueue, message)

    async def _try(self, send: object, *arguments: object) -> None:
        try:
            # Dramatiq's client is synchronous; in the event loop it would block all requests.
            await asyncio.to_thread(send, *arguments)  # type: ignore[arg-type]
        except (redis.RedisError, OSError, dramatiq.errors.BrokerConnectionError) as error:
            logger.warning("Redis is out of reach (%s); the sweeper will enqueue it again", error)
