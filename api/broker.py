"""The broker: Dramatiq on Redis or Valkey, its one queue of work, and a channel for changes."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name
from dramatiq.errors import DecodeError
from dramatiq.middleware import AsyncIO, Retries
from redis.backoff import NoBackoff
from redis.retry import Retry

from importers.sdk.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from importers.engine import Engine
    from models.imports import ImportEnd

logger = logging.getLogger(__name__)

SPLIT, RUN, MAIL, WEBHOOK = "split_import", "run_chunk", "send_mails", "send_webhooks"
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
# The keys of imports that a message of each kind names.
_KEYS = {SPLIT: 1, RUN: 1, MAIL: 0, WEBHOOK: 0}
_LARGEST_KEY = 2**63 - 1
_SAY_SECONDS = 60.0
_ASIDE = (
    "put %d messages aside that are none of Caseroll's; for a week they are in Redis, in the hash "
    f"{_NAMESPACE}:{QUEUE}.XQ.msgs"
)
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
    broker = WorkBroker(
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
    methods: dict[str, Callable[..., Awaitable[None]]] = {
        SPLIT: split,
        RUN: engine.run,
        MAIL: engine.begin_mails,
        WEBHOOK: engine.send_webhooks,
    }
    for name, method in methods.items():
        declare = dramatiq.actor(actor_name=name, queue_name=QUEUE, broker=broker, **_RETRIES)
        declare(_retried(method))


def _retried(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Let Dramatiq try again without the traceback that it logs of any other exception."""

    async def work(*keys: int) -> None:
        try:
            await method(*keys)
        except RetryableError as error:
            logger.info("%s", error)
            raise dramatiq.Retry(str(error)) from None

    return work


class WorkBroker(RedisBroker):
    """A broker that puts messages aside that are none of Caseroll's.

    Dramatiq would fetch nothing for three seconds after each that it can't decode, and lose a
    thread to some others. They go to its dead-letter queue, which keeps them for a week.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self._unsaid = 0
        self._say_at = 0.0

    def _dispatch(self, command: str) -> Callable[..., Any]:
        """Send a command; whatever Redis answers but a result counts as a lost connection.

        Dramatiq tries again after those alone. It would log a traceback, ask for a report and leave
        the message where it is if Redis is full, read-only, late or of another password.
        """
        dispatch = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def send(*arguments: object) -> object:
            try:
                return dispatch(*arguments)
            except redis.RedisError as error:
                raise redis.ConnectionError(str(error)) from error

        return send

    def do_fetch(self, queue_name: str, most: int) -> list[bytes]:
        """Fetch messages; Dramatiq pauses when there are none."""
        found: list[bytes] = []
        count = 0
        while not found and (fetched := self._dispatch("fetch")(queue_name, most)):
            found = [message for message in fetched if _is_ours(message, queue_name)]
            if len(found) < len(fetched):
                count += self._put_aside(queue_name)
        self._say(count)
        return found

    def _put_aside(self, queue_name: str) -> int:
        """Reject messages that were fetched and are none of ours; return how many.

        A message comes without its ID in Redis, by which it is rejected. So this looks through all
        that the process has fetched and not acknowledged, which are few.
        """
        fetched = f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}"
        ids = list(self.client.smembers(fetched))
        messages = self.client.hmget(f"{self.namespace}:{queue_name}.msgs", ids) if ids else []
        count = 0
        for message_id, message in zip(ids, messages, strict=True):
            if message is None:  # or acknowledged just now
                count += self.client.srem(fetched, message_id)
            elif not _is_ours(message, queue_name):
                self.do_nack(queue_name, message_id)
                count += 1
        return count

    def _say(self, count: int) -> None:
        """Log how many messages were put aside, at most once a minute."""
        # Two threads fetch: one the messages that are due, one those that are due later.
        with self._lock:
            self._unsaid += count
            count, now = self._unsaid, time.monotonic()
            if not count or now < self._say_at:
                return
            self._unsaid, self._say_at = 0, now + _SAY_SECONDS
        logger.warning(_ASIDE, count)


def _is_ours(data: bytes | None, queue_name: str) -> bool:
    """Tell whether a message of this queue is as `BrokerQueue` sends it, or as Dramatiq returns it.

    {"queue_name": "caseroll", "actor_name": "run_chunk", "args": [7], "kwargs": {},
     "options": {"redis_message_id": "0198…"}, "message_id": "3f29…", "message_timestamp": 1}
    """
    try:
        message: dramatiq.Message[None] = dramatiq.Message.decode(data or b"")
    except DecodeError:
        return False
    options, is_delayed = message.options, queue_name == dq_name(QUEUE)
    return (
        message.queue_name == queue_name
        and isinstance(message.actor_name, str)
        and len(message.args) == _KEYS.get(message.actor_name)
        and all(type(key) is int and 0 < key <= _LARGEST_KEY for key in message.args)
        and message.kwargs == {}
        and isinstance(message.message_id, str)
        and isinstance(options, dict)
        and isinstance(options.get("redis_message_id"), str)
        and type(options.get("eta")) is (int if is_delayed else type(None))
    )


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

    async def enqueue_send_webhooks(self) -> None:
        await self._send(WEBHOOK)

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
