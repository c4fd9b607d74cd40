"""Each end of an import is told to each webhook, at least once, and never before the commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest

from importers.webhook_sender import PAUSES, NotDeliveredError
from models.audit import COMMAND_LINE, Actor
from models.db import connection, transaction
from models.progress import request_cancel
from models.webhook import (
    OutgoingDelivery,
    WebhookEvent,
    enqueue_deliveries,
    mark_delivered,
    put_off,
    remove_webhook,
    take_delivery,
)
from tests.importers.engine_fixture import EngineFixture, make_world

ROW = "trv-001,jack-001,,staff,0"
CLOSED = "trv-002,jack-001,,staff,0"
AWAY = NotDeliveredError("no answer", status=503)


@dataclass
class FakeWebhooks:
    """Keeps the messages, or raises the next of `failures`; those to `hanging` URLs take longer."""

    sent: list[OutgoingDelivery] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    hanging: dict[str, asyncio.Event] = field(default_factory=dict)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def send(self, delivery: OutgoingDelivery) -> int:
        """Take a message, or fail."""
        self.begun.put_nowait(delivery.url)
        if delivery.url in self.hanging:
            await self.hanging[delivery.url].wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(delivery)
        return 204


@dataclass
class Site:
    """A world whose engine sends to webhooks."""

    world: EngineFixture
    transport: FakeWebhooks

    async def add(self, url: str = "https://a", *, app_id: int = 0, **columns: Any) -> int:
        """Add a webhook."""
        values = {"events": ["IMPORT_FINISHED"], "disabled_at": None, **columns}
        row = await self.world.fetchrow(
            "INSERT INTO webhooks (app_id, url, description, secret, events, disabled_at)"
            " VALUES ($1, $2, '', 'whsec_', $3, $4) RETURNING id",
            app_id or self.world.app_id,
            url,
            *values.values(),
        )
        return int(row["id"])

    async def upload(self, *rows: str) -> int:
        """Let an import end, without a message being sent."""
        import_id = await self.world.upload("assign", *(rows or (ROW,)))
        await self.world.engine.split(import_id, is_to_run=True)
        return import_id

    async def send(self) -> None:
        """Send what is due, and wait for what came of it."""
        await self.world.engine.send_webhooks()
        await self.sent()

    async def sent(self) -> None:
        """Wait until nothing is under way."""
        while tasks := self.world.engine._webhooks._tasks:
            await asyncio.wait(tasks)

    async def run(self, type_: str, *rows: str, **options: Any) -> int:
        """Do all that there is to do for a file."""
        import_id = await self.world.run(type_, *rows, **options)
        await self.sent()
        return import_id

    async def send_later(self) -> None:
        """Send what is due after some time."""
        await self.world.execute("UPDATE webhook_deliveries SET next_attempt_at = now()")
        await self.send()

    async def deliveries(self) -> Sequence[Any]:
        """Read the outbox."""
        return await self.world.fetch(
            "SELECT *, next_attempt_at - now() AS pause FROM webhook_deliveries ORDER BY id"
        )

    async def statuses(self) -> list[str]:
        """Read what became of the messages."""
        return [each["status"] for each in await self.deliveries()]

    async def is_disabled(self) -> list[bool]:
        """Tell of each webhook whether it is disabled."""
        rows = await self.world.fetch("SELECT disabled_at FROM webhooks ORDER BY id")
        return [row["disabled_at"] is not None for row in rows]


@pytest.fixture
def site(world: EngineFixture) -> Site:
    """A world with a transport for messages to webhooks."""
    transport = FakeWebhooks()
    return Site(
        replace(world, engine=replace(world.engine, webhook_transport=transport)), transport
    )


async def test_a_message(site: Site) -> None:
    """The end of an import asks for its message to be sent, with the state that it then has."""
    webhook = await site.add()
    import_id = await site.upload(ROW, CLOSED)
    enqueued = list(site.world.queue.messages)
    await site.send()
    [sent] = site.transport.sent
    [row] = await site.deliveries()
    finished_at = (await site.world.fetchrow("SELECT finished_at FROM imports"))["finished_at"]
    counts = (await site.world.counts(import_id))._asdict()

    assert enqueued == [("send_webhooks", ())]
    assert (sent.webhook_id, sent.import_id, sent.app_id) == (
        webhook, import_id, site.world.app_id,
    )  # fmt: skip
    assert (sent.url, sent.secret, sent.attempts) == ("https://a", "whsec_", 1)
    assert sent.event is WebhookEvent.IMPORT_FINISHED
    assert {name: sent.state[name] for name in counts} == counts
    assert sent.state["finished_at"][:22] == finished_at.isoformat()[:22]
    assert (sent.state["type"], sent.state["is_dry_run"]) == ("assign", False)
    assert (row["status"], row["response_status"], row["error"]) == ("DELIVERED", 204, None)
    assert row["delivered_at"]


async def test_each_end_has_one(site: Site) -> None:
    """Every way in which an import ends is told, once to each webhook; nothing else is."""
    for url in ("https://a", "https://b"):
        await site.add(url)
    world = site.world
    await site.run("assign", ROW, is_dry_run=True)
    await site.run("assign", data=b"")
    cancelled = await world.split("assign", ROW)
    async with transaction() as db:
        await request_cancel(db, world.app_id, cancelled, by=COMMAND_LINE)
    before = len(await site.deliveries())
    await world.queue.enqueue_run(cancelled)
    await world.drain()
    await site.sent()
    told = [(each.url, each.state["status"]) for each in site.transport.sent]

    assert before == 4
    assert sorted(told) == [
        (url, status)
        for url in ("https://a", "https://b")
        for status in ("CANCELLED", "FAILED", "PROCESSED")
    ]


async def test_a_retry_ends_again(site: Site) -> None:
    """Each end has a message of its own, which says what was so at that end."""
    await site.add()
    import_id = await site.upload(ROW, CLOSED)
    await site.world.set_active("cases", "trv-002", is_active=True)
    await site.world.retry(import_id)
    await site.send()

    assert [each.state["failed"] for each in site.transport.sent] == [1, 0]
    assert len({each.id for each in site.transport.sent}) == 2


async def test_who_is_told(site: Site) -> None:
    """Not webhooks of other events or apps, nor those that are disabled."""
    other = await make_world(slug="other")
    await site.add("https://held", events=["IMPORT_HELD"])
    await site.add("https://other", app_id=other.app_id)
    await site.add("https://off")
    await site.world.execute("UPDATE webhooks SET disabled_at = now() WHERE url = 'https://off'")
    import_id = await site.upload()
    async with connection() as db:
        is_told = await enqueue_deliveries(db, import_id, WebhookEvent.IMPORT_HELD)
    await site.send()

    assert is_told
    assert [each.url for each in site.transport.sent] == ["https://held"]
    assert [each.event for each in site.transport.sent] == [WebhookEvent.IMPORT_HELD]


async def test_an_import_that_is_held(site: Site) -> None:
    """An import that waits for its release is told as such, and told again when it has ended."""
    await site.add(events=["IMPORT_HELD", "IMPORT_FINISHED"])
    await site.world.execute("UPDATE apps SET requires_release = true")
    held = await site.world.run("assign", ROW)
    await site.send()
    first = [(each.event, each.state["status"]) for each in site.transport.sent]
    await site.world.release(held, Actor("another", 7))
    await site.sent()

    later = [(each.event, each.state["status"]) for each in site.transport.sent[1:]]

    assert first == [("IMPORT_HELD", "HELD")]
    assert later == [("IMPORT_FINISHED", "PROCESSED")]


@pytest.mark.parametrize("how", ["applied", "nothing left to apply", "all or nothing"])
async def test_plans(site: Site, how: str) -> None:
    """Ends of plans that are applied, or not, are told as those of other imports."""
    await site.add()
    world = site.world
    if how == "all or nothing":
        await site.run("assign", ROW, CLOSED, is_atomic=True)
    else:
        plan = await site.run("assign", ROW, is_dry_run=True)
        if how == "nothing left to apply":
            await world.execute("DELETE FROM import_rows")
        await world.apply_plan(plan)
        await site.sent()
    told = [(each.state["status"], each.state["is_dry_run"]) for each in site.transport.sent]

    assert (
        told
        == {
            "applied": [("PROCESSED", True), ("PROCESSED", False)],
            "nothing left to apply": [("PROCESSED", True), ("FAILED", False)],
            "all or nothing": [("FAILED", False)],
        }[how]
    )


async def test_without_webhooks(site: Site) -> None:
    """An app without webhooks has no message to send."""
    await site.upload()

    assert list(site.world.queue.messages) == []
    assert await site.deliveries() == []


async def test_never_before_the_commit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that is undone is told to no one; the one that counts is told once."""
    await site.add()
    faults = [asyncpg.DeadlockDetectedError("deadlock")]

    async def enqueue(*arguments: Any) -> bool:
        done = await enqueue_deliveries(*arguments)
        if faults:
            raise faults.pop()
        return done

    monkeypatch.setattr("models.import_end.enqueue_deliveries", enqueue)
    import_id = await site.world.split("assign", ROW)
    await site.world.queue.enqueue_run(import_id)
    await site.world.drain()
    await site.sent()

    assert (await site.world.counts(import_id)).status == "PROCESSED"
    assert len(site.transport.sent) == 1


async def test_a_webhook_that_is_deleted_meanwhile(site: Site) -> None:
    """The end of an import waits for the deletion, and is not undone by it."""
    key = await site.add()
    import_id = await site.world.split("assign", ROW)
    async with connection() as db, db.transaction():
        await remove_webhook(db, site.world.app_id, key, by=COMMAND_LINE)
        running = asyncio.create_task(site.world.engine.run(import_id))
        waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
        while not await db.fetchval(waiting):
            assert not running.done()
    await running

    assert (await site.world.counts(import_id)).status == "PROCESSED"
    assert await site.deliveries() == []


@pytest.mark.parametrize("attempts", [1, 2, len(PAUSES)])
async def test_not_accepted(site: Site, attempts: int) -> None:
    """A message that was not accepted waits, each time for longer, and is sent again."""
    await site.add()
    await site.upload()
    await site.world.execute("UPDATE webhook_deliveries SET attempts = $1", attempts - 1)
    site.transport.failures.append(AWAY)
    await site.send()
    await site.send()
    [row] = await site.deliveries()
    early = list(site.transport.sent)
    await site.send_later()
    [later] = await site.deliveries()

    assert (row["status"], row["attempts"]) == ("PENDING", attempts)
    assert (row["response_status"], row["error"]) == (503, "no answer")
    assert PAUSES[attempts - 1] - 5 < row["pause"].total_seconds() <= PAUSES[attempts - 1]
    assert early == []
    assert (later["status"], later["error"], later["attempts"]) == ("DELIVERED", None, attempts + 1)


def test_pauses() -> None:
    """They grow, and take a day."""
    assert list(PAUSES) == sorted(PAUSES)
    assert 0.95 < sum(PAUSES) / (24 * 3_600) < 1


async def test_a_day_of_failures(site: Site) -> None:
    """A webhook that has accepted nothing for a day is disabled, and what waits is given up."""
    await site.add()
    await site.add("https://b")
    await site.upload()
    await site.upload("trv-003,jack-001,,staff,0")
    await site.world.execute("UPDATE webhook_deliveries SET attempts = $1", len(PAUSES))
    # The first is given up, and with it the others of the same webhook.
    site.transport.failures.append(AWAY)
    await site.send()
    rows = await site.deliveries()
    await site.upload("trv-004,jack-001,,staff,0")

    assert await site.is_disabled() == [True, False]
    assert {each["webhook_id"]: [] for each in rows}.keys() == {1 + rows[0]["webhook_id"],
                                                              rows[0]["webhook_id"]}  # fmt: skip
    assert [each["error"] for each in rows if each["status"] == "FAILED"] == [
        "no answer",
        "the webhook was disabled",
    ]
    assert await site.statuses() == ["FAILED", "DELIVERED", "FAILED", "DELIVERED", "PENDING"]


async def test_not_all_have_failed(site: Site) -> None:
    """A webhook that has accepted a later message only misses the one that is given up."""
    await site.add()
    await site.upload()
    await site.world.execute("UPDATE webhook_deliveries SET attempts = $1", len(PAUSES))
    await site.world.execute("UPDATE webhook_deliveries SET next_attempt_at = 'infinity'")
    await site.upload("trv-003,jack-001,,staff,0")
    await site.send()
    site.transport.failures.append(AWAY)
    await site.send_later()

    assert await site.statuses() == ["FAILED", "DELIVERED"]
    assert await site.is_disabled() == [False]


async def test_the_receiver_is_gone(site: Site) -> None:
    """A receiver that wants no more messages gets none."""
    await site.add()
    await site.upload()
    site.transport.failures.append(NotDeliveredError("410", status=410, is_gone=True))
    await site.send()
    [row] = await site.deliveries()

    assert (row["status"], row["response_status"], row["attempts"]) == ("FAILED", 410, 1)
    assert await site.is_disabled() == [True]


async def test_the_sender_dies(site: Site) -> None:
    """What a worker had taken when it died is sent by another one, word for word."""
    await site.add()
    await site.upload()
    async with connection() as db:
        taken = await take_delivery(db, lease=60, except_of=())
        while_it_lives = await take_delivery(db, lease=60, except_of=())
    await site.world.engine.sweep()
    early = list(site.world.queue.messages)
    await site.world.execute("UPDATE webhook_deliveries SET next_attempt_at = now()")
    site.world.queue.messages.clear()
    await site.world.engine.sweep()
    late = list(site.world.queue.messages)
    await site.send()

    assert taken is not None
    assert while_it_lives is None
    assert [name for name, _ in early] == ["send_webhooks"]  # of the end itself
    assert [name for name, _ in late] == ["send_webhooks"]
    assert site.transport.sent == [taken._replace(attempts=2)]


async def test_a_receiver_that_hangs(site: Site) -> None:
    """It gets one request at a time, and delays no other receiver, and no worker."""
    site.transport.hanging["https://slow"] = asyncio.Event()
    await site.add("https://slow")
    await site.upload()
    await site.upload("trv-003,jack-001,,staff,0")
    await site.world.engine.send_webhooks()
    first = await site.transport.begun.get()
    await site.add("https://quick")
    await site.upload("trv-004,jack-001,,staff,0")
    await site.world.engine.send_webhooks()
    second = await site.transport.begun.get()
    told, is_all = [each.url for each in site.transport.sent], site.transport.begun.empty()
    site.transport.hanging["https://slow"].set()
    await site.sent()

    assert told == ["https://quick"]
    assert (first, second, is_all) == ("https://slow", "https://quick", True)
    assert await site.statuses() == ["DELIVERED"] * 4


async def test_several_at_a_time(site: Site) -> None:
    """Receivers are served side by side, but no more than some."""
    event = asyncio.Event()
    for number in range(10):
        await site.add(f"https://{number}")
        site.transport.hanging[f"https://{number}"] = event
    await site.upload()
    for _ in range(3):
        await site.world.engine.send_webhooks()
    begun = [await site.transport.begun.get() for _ in range(8)]
    is_all = site.transport.begun.empty()
    event.set()
    await site.sent()

    assert len(begun) == 8
    assert is_all
    assert await site.statuses() == ["DELIVERED"] * 10


async def test_a_worker_stops(site: Site) -> None:
    """What is under way is finished, and nothing else begun."""
    event = asyncio.Event()
    site.transport.hanging["https://a"] = event
    await site.add()
    await site.upload()
    await site.upload("trv-003,jack-001,,staff,0")
    await site.world.engine.send_webhooks()
    await site.transport.begun.get()
    closing = asyncio.create_task(site.world.engine.close())
    await asyncio.sleep(0)
    event.set()
    await closing

    assert await site.statuses() == ["DELIVERED", "PENDING"]


async def test_the_database_goes_away_in_between(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no more can be looked up, the sweeper looks again."""
    await site.add()
    await site.upload()
    await site.upload("trv-003,jack-001,,staff,0")
    faults = [None, OSError("refused")]

    async def take(*arguments: Any, **options: Any) -> OutgoingDelivery | None:
        if faults and (fault := faults.pop(0)):
            raise fault
        return await take_delivery(*arguments, **options)

    monkeypatch.setattr("importers.webhook_sender.take_delivery", take)
    monkeypatch.setattr("importers.webhook_sender._AT_A_TIME", 1)
    await site.send()
    before = await site.statuses()
    await site.send()

    assert before == ["DELIVERED", "PENDING"]
    assert "refused" in caplog.text
    assert await site.statuses() == ["DELIVERED", "DELIVERED"]


@pytest.mark.parametrize("failures", [[], [AWAY]], ids=["accepted", "not accepted"])
async def test_the_database_goes_away_meanwhile(
    site: Site, monkeypatch: pytest.MonkeyPatch, failures: list[Exception]
) -> None:
    """What came of a message is recorded as soon as the database is back."""
    faults = [asyncpg.ConnectionDoesNotExistError("gone"), OSError("refused")]

    def failing(write: Any) -> Any:
        async def mark(*arguments: Any, **options: Any) -> None:
            if faults:
                raise faults.pop()
            await write(*arguments, **options)

        return mark

    for write in (mark_delivered, put_off):
        monkeypatch.setattr(f"importers.webhook_sender.{write.__name__}", failing(write))
    await site.add()
    await site.upload()
    site.transport.failures += failures
    await site.send()

    assert await site.statuses() == ["PENDING" if failures else "DELIVERED"]
    assert faults == []


async def test_a_bug(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A message that a bug keeps from being sent is logged, and tried again."""
    await site.add()
    await site.upload()
    site.transport.failures.append(LookupError("no such field"))
    await site.send()
    [row] = await site.deliveries()
    await site.send_later()

    assert (row["status"], row["error"]) == ("PENDING", "LookupError")
    assert "no such field" in caplog.text
    assert await site.statuses() == ["DELIVERED"]


async def test_what_a_message_keeps(site: Site) -> None:
    """A name with any characters survives, and nothing of the rows is kept."""
    await site.add()
    import_id = await site.world.upload("assign", ROW, name='Mai "é" \\ 1')
    await site.world.engine.split(import_id, is_to_run=True)
    [row] = await site.deliveries()

    assert json.loads(row["state"])["name"] == 'Mai "é" \\ 1'
    assert "jack-001" not in row["state"]
