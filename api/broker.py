"""The broker: Dramatiq on Redis or Valkey, and the bell that rings through it."""

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
    from collections.abc import Awaitable, Callable, Sequence

    from dramatiq.middleware import Middleware

    from importers.engine import Engine

logger = logging.getLogger(__name__)

SPLIT, RUN, MAIL = "split_import", "run_chunk", "send_mails"
# One queue for all: each queue is polled by threads of its own, fifty times a second. Order matters
# little, as an import and the outbox have one message each in it at a time.
QUEUE = "caseroll"
_SOCKET_SECONDS = 3.0
_EVERY_COMMAND = 1_000_000
_NAMESPACE = "caseroll"
_RETRIES: dict[str, Any] = {"max_retries": 5, "min_backoff": 200, "max_backoff": 5_000}


def events_channel(app_id: int | str) -> str:
    """Return the channel on which the ids of an app's changed imports are published."""
    return f"caseroll:imports:{app_id}"


def make_broker(redis_url: str, middleware: Sequence[Middleware] = ()) -> RedisBroker:
    """Make a broker; nothing is connected yet.

    Time limits are left to PostgreSQL: one that cancels a coroutine in the middle of a transaction
    leaks its connection. Retries are few, as the sweeper rings for whatever is left.
    """
    client = redis.Redis.from_url(
        redis_url,
        socket_timeout=_SOCKET_SECONDS,
        socket_connect_timeout=_SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    broker: RedisBroker = RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        namespace=_NAMESPACE,
        maintenance_chance=_EVERY_COMMAND,
        middleware=[Retries(), AsyncIO(), *middleware],
    )
    broker.declare_queue(QUEUE)
    return broker


def register(broker: RedisBroker, engine: Engine) -> None:
    """Declare the engine's methods as actors of the broker."""
    methods: dict[str, Callable[..., Awaitable[None]]] = {
        SPLIT: partial(engine.split, is_to_run=True),
        RUN: engine.run,
        MAIL: engine.send_mails,
    }
    for name, method in methods.items():
        declare = dramatiq.actor(actor_name=name, queue_name=QUEUE, broker=broker, **_RETRIES)
        declare(method)


class Doorbell:
    """Rings through the broker. Never raises: a hint that is lost is rung again by the sweeper."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    async def split(self, import_id: int) -> None:
        """Ask for an import to be cut into chunks."""
        await self._send(SPLIT, import_id)

    async def chunks(self, import_id: int) -> None:
        """Ask for the next chunk of an import to be run."""
        await self._send(RUN, import_id)

    async def mails(self) -> None:
        """Ask for the outbox to be emptied."""
        await self._send(MAIL)

    async def changed(self, app_id: int, import_id: int) -> None:
        """Tell subscribers that an import has changed."""
        await self._try(self._broker.client.publish, events_channel(app_id), str(import_id))

    async def _send(self, actor: str, *ids: int) -> None:
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=QUEUE, actor_name=actor, args=ids, kwargs={}, options={}
        )
        await self._try(self._broker.enqueue, message)

    async def _try(self, send: object, *arguments: object) -> None:
        try:
            await asyncio.to_thread(send, *arguments)  # type: ignore[arg-type]
        except (redis.RedisError, OSError, dramatiq.errors.BrokerConnectionError) as error:
            logger.warning("Redis is out of reach (%s); the sweeper will ring again", error)
