"""What is none of Caseroll's in its queue is put aside, and what is done again is no error."""

from __future__ import annotations

import json
import logging
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.common import dq_name

from api.broker import MAIL, QUEUE, RUN, SPLIT, BrokerQueue, _is_ours, _retried, make_broker
from importers.sdk.errors import RetryableError

MESSAGE: dict[str, Any] = {
    "queue_name": QUEUE,
    "actor_name": RUN,
    "args": [7],
    "kwargs": {},
    "options": {"redis_message_id": "r-7"},
    "message_id": "m-7",
    "message_timestamp": 1,
}
DELAYED = {
    "queue_name": dq_name(QUEUE),
    "options": {"redis_message_id": "r-7", "eta": 1_800_000_000_000, "retries": 1},
}
# Each of these stopped a consumer, ended a thread, or came back for ever.
WRONG: dict[str, bytes | dict[str, Any]] = {
    "nothing": b"",
    "text": b"\xff\xfeno JSON",
    "deep": b"[" * 100_000,
    "number": b"7",
    "list": b"[]",
    "no-message": b"{}",
    "more-fields": {"priority": 1},
    "other-queue": {"queue_name": "default"},
    "delayed-queue": {"queue_name": dq_name(QUEUE)},
    "queue-list": {"queue_name": [QUEUE]},
    "other-actor": {"actor_name": "run_everything"},
    "actor-list": {"actor_name": [RUN]},
    "no-args": {"args": []},
    "more-args": {"args": [7, 8]},
    "args-text": {"args": "7"},
    "arg-text": {"args": ["7"]},
    "arg-truth": {"args": [True]},
    "arg-zero": {"args": [0]},
    "arg-huge": {"args": [2**63]},
    "args-of-another": {"actor_name": MAIL},
    "kwargs": {"kwargs": {"import_id": 7}},
    "kwargs-list": {"kwargs": []},
    "id-list": {"message_id": [7]},
    "options-number": {"options": 5},
    "no-redis-id": {"options": {}},
    "due-later": {"options": {"redis_message_id": "r-7", "eta": 2**60}},
}


def encoded(message: bytes | dict[str, Any]) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(MESSAGE | message).encode()


@pytest.mark.parametrize("message", WRONG.values(), ids=WRONG)
def test_not_ours(message: bytes | dict[str, Any]) -> None:
    """A message that no queue of Caseroll's sends is told by its form."""
    assert not _is_ours(encoded(message), QUEUE)


@pytest.mark.parametrize("actor", [{}, {"actor_name": SPLIT}, {"actor_name": MAIL, "args": []}])
def test_ours(actor: dict[str, Any]) -> None:
    """Messages are known as they are sent, and as Dramatiq sends them again."""
    assert _is_ours(encoded(actor), QUEUE)
    assert _is_ours(encoded(actor | DELAYED), dq_name(QUEUE))


@pytest.mark.parametrize("queue", [QUEUE, dq_name(QUEUE)])
async def test_put_aside(redis_url: str, caplog: pytest.LogCaptureFixture, queue: str) -> None:
    """Thousands of them are passed over in one fetch, kept, counted and said once."""
    broker = make_broker(redis_url)
    ours = encoded({} if queue == QUEUE else DELAYED)
    with redis.Redis.from_url(redis_url) as client:
        for number in range(1_000):
            wrong = list(WRONG.values())[number % len(WRONG)]
            client.hset(f"caseroll:{queue}.msgs", f"w-{number}", encoded(wrong))
            client.rpush(f"caseroll:{queue}", f"w-{number}")
        client.rpush(f"caseroll:{queue}", "without a message")
        client.hset(f"caseroll:{queue}.msgs", "r-7", ours)
        client.rpush(f"caseroll:{queue}", "r-7")
        fetched = broker.do_fetch(queue, 1), broker.do_fetch(queue, 1)
        left = client.hgetall(f"caseroll:{queue}.msgs")
        aside = client.hgetall(f"caseroll:{QUEUE}.XQ.msgs")
        unacknowledged = client.smembers(f"caseroll:__acks__.{broker.broker_id}.{queue}")
    broker.close()

    assert fetched == ([ours], [])
    assert left == {b"r-7": ours}
    assert len(aside) == 1_000
    assert aside[b"w-1"] == b"\xff\xfeno JSON"
    assert unacknowledged == {b"r-7"}
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "put 1001 messages aside that are none of Caseroll's"
    ]


async def test_a_message_of_ours(redis_url: str) -> None:
    """What the queue sends is fetched as it was sent."""
    broker = make_broker(redis_url)
    await BrokerQueue(broker).enqueue_split(7)
    (fetched,) = broker.do_fetch(QUEUE, 1)
    broker.close()

    assert json.loads(fetched)["args"] == [7]


def test_a_full_redis(full_redis_url: str) -> None:
    """Dramatiq tries again after a lost connection; it would report anything else as a bug."""
    broker = make_broker(full_redis_url)
    for command in ("fetch", "ack", "nack", "requeue"):
        with pytest.raises(redis.ConnectionError, match="maxmemory"):
            broker._dispatch(command)(QUEUE, "r-7")
    broker.close()


async def test_work_that_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    """Dramatiq hears of it in a way that it does not log, and the log has one line."""

    async def run(import_id: int) -> None:
        raise RetryableError(f"chunk {import_id} is to be run again") from OSError("lost")

    caplog.set_level(logging.INFO, "api.broker")
    with pytest.raises(dramatiq.Retry) as caught:
        await _retried(run)(7)

    assert caught.value.__cause__ is None
    assert [
        (record.levelname, record.getMessage(), record.exc_info) for record in caplog.records
    ] == [("INFO", "chunk 7 is to be run again", None)]
