"""Faults of Valkey, and of the messages that go through it."""

from __future__ import annotations

import asyncio
import os
import signal

from redis.asyncio import Redis

from api.broker import BrokerQueue, make_broker
from tests.chaos.fault import Fault
from tests.chaos.run import Run

_TIMES = 20


async def _kill(run: Run) -> None:
    await run.begin()
    await run.moment()
    pid = run.site.valkey.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    run.strike()
    await run.moment(1.0)
    run.site.valkey.start()
    run.over()
    await run.finish()


async def _flush(run: Run) -> None:
    await run.begin()
    async with Redis.from_url(run.site.valkey.url) as client:
        for _ in range(5):
            await run.moment(0.3)
            await client.flushall()
            run.strike()
    run.over()
    await run.finish()


async def _pause(run: Run) -> None:
    await run.begin()
    await run.moment()
    seconds = 4.0 if run.is_short else run.random.uniform(1, 20)
    run.strike()
    if run.random.random() < 0.5:
        async with Redis.from_url(run.site.valkey.url) as client:
            await client.client_pause(int(seconds * 1_000))
        await asyncio.sleep(seconds)
    else:
        pid = run.site.valkey.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
    run.over()
    await run.finish()


async def _ring(run: Run) -> None:
    """Deliver every message many times, and once more when all has ended."""
    await run.begin()
    broker = make_broker(run.site.valkey.url)
    queue = BrokerQueue(broker)
    keys = [each.key for each in run.imports]
    try:
        for _ in range(_TIMES):
            await run.moment(0.05)
            for key in keys:
                await queue.enqueue_split(key)
                await queue.enqueue_run(key)
            await queue.enqueue_send_mails()
            run.strike()
        run.over()
        await run.ended()
        for key in keys:
            await queue.enqueue_split(key)
            await queue.enqueue_run(key)
        await queue.enqueue_send_mails()
        await asyncio.sleep(1)
    finally:
        broker.close()
    await run.finish()


async def _litter(run: Run) -> None:
    """Put messages of other programs before all of Caseroll's, from before the upload on."""
    async with Redis.from_url(run.site.valkey.url) as client:
        begun = asyncio.create_task(run.begin("split"))
        for round_ in range(_TIMES):
            for number in range(100):
                key, text = f"litter-{round_}-{number}", ("no JSON", "{}", "[7]")[number % 3]
                await client.hset("caseroll:caseroll.msgs", key, text)
                await client.lpush("caseroll:caseroll", key)
            run.strike()
        await begun
    run.over()
    await run.finish()


async def _drop(run: Run) -> None:
    """Lose every message for a while, from before the upload on."""
    async with Redis.from_url(run.site.valkey.url) as client:
        begun = asyncio.create_task(run.begin("split"))
        for _ in range(100):
            await client.flushall()
            await asyncio.sleep(0.01)
        await begun
        run.strike()
    run.over()
    await run.finish()


FAULTS = [
    Fault(
        name="valkey-killed",
        promise="Valkey comes back empty after a crash; imports go on by themselves.",
        stage=_kill,
    ),
    Fault(
        name="valkey-flushed",
        promise="When messages vanish in the middle of imports, the sweeper sends them again.",
        stage=_flush,
    ),
    Fault(
        name="valkey-paused",
        promise="While Valkey does not answer imports may wait; then they go on.",
        stage=_pause,
    ),
    Fault(
        name="messages-of-others",
        promise="Messages of other programs in the queue are put aside, and delay nothing.",
        stage=_litter,
    ),
    Fault(
        name="messages-lost",
        promise="An import whose messages are lost is found and run.",
        stage=_drop,
    ),
    Fault(
        name="messages-doubled",
        promise="Messages that come several times, together or late, have no second effect.",
        stage=_ring,
    ),
]
