"""Each mail is sent at most once, and what became of it is known."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncpg
import pytest

from importers.mail_sender import NotSentError
from models.db import connection
from models.mail import EndMail, mark_sent, mark_unsent, sweep_mails, take_mail
from tests.importers.engine_fixture import EngineFixture


async def with_mail(world: EngineFixture, rows: int = 1) -> None:
    """Let an import leave mails."""
    users = ["jack-001", "jones-001", "jill-001"][:rows]
    import_id = await world.split("assign", *[f"trv-001,{user},,staff,1" for user in users])
    await world.engine.run(import_id)
    world.queue.messages.clear()


async def with_end(world: EngineFixture, *recipients: str) -> int:
    """Let an import end of which these addresses are to be told."""
    import_id = await world.upload("assign", "trv-001,jack-001,,staff,0", "trv-002,gone-001,,x,0")
    await world.execute(
        "UPDATE imports SET notify = $2 WHERE id = $1", import_id, recipients or ["boss@x.org"]
    )
    await world.engine.split(import_id, is_to_run=True)
    return import_id


async def mail(world: EngineFixture) -> Any:
    return await world.fetchrow("SELECT *, next_attempt_at - now() AS pause FROM mails")


async def test_what_a_mail_has(world: EngineFixture) -> None:
    """The transport gets everything that the text needs."""
    await world.execute("UPDATE users SET given_name = 'Jack' WHERE tag_id = 'jack-001'")
    await with_mail(world)
    await world.engine.send_mails()
    (sent,) = world.transport.sent
    row = await mail(world)

    assert sent.recipient == "jack-001@example.org"
    assert (sent.given_name, sent.case_tag, sent.role_label) == ("Jack", "trv-001", "Staff")
    assert (sent.app_name, sent.outcome.name, sent.attempts) == ("Demo", "CREATED", 1)
    assert (row["state"], row["attempts"], row["error"]) == ("SENT", 1, None)
    assert row["sent_at"]


async def test_sent_once(world: EngineFixture) -> None:
    """However often and by however many the outbox is emptied, each mail leaves once."""
    await with_mail(world, 3)
    await asyncio.gather(*[world.engine.send_mails() for _ in range(6)])
    await world.engine.send_mails()

    assert sorted(sent.recipient for sent in world.transport.sent) == [
        "jack-001@example.org",
        "jill-001@example.org",
        "jones-001@example.org",
    ]


@pytest.mark.parametrize(("attempts", "pause"), [(1, 10), (2, 20), (3, 40), (9, 2_560)], ids=str)
async def test_not_accepted(world: EngineFixture, attempts: int, pause: int) -> None:
    """A mail that was certainly not accepted waits, each time for longer, and is tried again."""
    await with_mail(world)
    await world.execute("UPDATE mails SET attempts = $1", attempts - 1)
    world.transport.failures.append(NotSentError("451 try later"))
    await world.engine.send_mails()
    row = await mail(world)
    again = await world.engine.send_mails()
    await world.execute("UPDATE mails SET next_attempt_at = now()")
    await world.engine.send_mails()

    assert (row["state"], row["attempts"], row["error"]) == ("PENDING", attempts, "451 try later")
    assert pause - 5 < row["pause"].total_seconds() <= pause
    assert again is None
    assert len(world.transport.sent) == 1
    assert (await mail(world))["error"] is None


@pytest.mark.parametrize(
    ("attempts", "error"),
    [
        pytest.param(1, NotSentError("550 no such user", is_final=True), id="for good"),
        pytest.param(10, NotSentError("451 try later"), id="too often"),
    ],
)
async def test_given_up(world: EngineFixture, attempts: int, error: NotSentError) -> None:
    """A mail that will never be accepted, or was not ten times, is given up."""
    await with_mail(world)
    await world.execute("UPDATE mails SET attempts = $1", attempts - 1)
    world.transport.failures.append(error)
    await world.engine.send_mails()
    await world.execute("UPDATE mails SET next_attempt_at = now()")
    await world.engine.send_mails()
    row = await mail(world)

    assert (row["state"], row["error"]) == ("FAILED", error.reason)
    assert world.transport.sent == []


async def test_nobody_knows(world: EngineFixture, caplog: pytest.LogCaptureFixture) -> None:
    """A mail that may have been accepted is not sent again."""
    await with_mail(world)
    world.transport.failures.append(ConnectionResetError("reset by peer"))
    await world.engine.send_mails()
    await world.execute("UPDATE mails SET next_attempt_at = now() - interval '1 day'")
    await world.engine.send_mails()
    row = await mail(world)

    assert (row["state"], row["error"]) == ("UNKNOWN", "reset by peer")
    assert "may or may not have been sent" in caplog.text
    assert world.transport.sent == []


async def test_the_database_goes_away_meanwhile(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a mail was sent is put on record as soon as the database is back."""
    faults = [asyncpg.ConnectionDoesNotExistError("gone"), OSError("refused")]

    async def mark(db: asyncpg.Connection, mail_id: int) -> None:
        if faults:
            raise faults.pop()
        await mark_sent(db, mail_id)

    monkeypatch.setattr("importers.mail_sender.mark_sent", mark)
    await with_mail(world)
    await world.engine.send_mails()

    assert ((await mail(world))["state"], len(world.transport.sent)) == ("SENT", 1)


async def test_the_database_goes_away_after_a_refusal(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail that was not accepted is tried again, as soon as the database knows of it."""
    faults = [asyncpg.ConnectionDoesNotExistError("gone"), OSError("refused")]

    async def mark(*arguments: Any, **options: Any) -> None:
        if faults:
            raise faults.pop()
        await mark_unsent(*arguments, **options)

    monkeypatch.setattr("importers.mail_sender.mark_unsent", mark)
    await with_mail(world)
    world.transport.failures.append(NotSentError("busy"))
    await world.engine.send_mails()

    assert (await mail(world))["state"] == "PENDING"


async def test_abandoned(world: EngineFixture) -> None:
    """A mail whose sender died in the middle is set aside after a while, never sent again."""
    await with_mail(world)
    async with connection() as db:
        taken = await take_mail(db)
        early = await sweep_mails(db, abandoned_after=60)
        state = (await mail(world))["state"]
        late = await sweep_mails(db, abandoned_after=-1)
    await world.engine.send_mails()
    row = await mail(world)

    assert taken is not None
    assert (early, late) == (False, False)
    assert state == "SENDING"
    assert (row["state"], row["error"]) == ("UNKNOWN", "the sender stopped while it was sending")
    assert world.transport.sent == []


async def test_one_failure_holds_nobody_up(world: EngineFixture) -> None:
    """The mails behind one that fails are sent."""
    await with_mail(world, 3)
    world.transport.failures.append(NotSentError("451 try later"))
    await world.engine.send_mails()

    assert len(world.transport.sent) == 2


async def test_all_that_are_due(world: EngineFixture) -> None:
    """One message is enough for all mails: they are sent beside imports, which need no turn."""
    await with_mail(world, 3)
    await world.engine.send_mails()

    assert len(world.transport.sent) == 3
    assert list(world.queue.messages) == []


async def test_a_mail_server_that_hangs(world: EngineFixture) -> None:
    """It holds neither the worker, which could run no import, nor more than one mail at its end."""
    taken, answered = threading.Event(), threading.Event()

    def send(_: object) -> None:
        taken.set()
        answered.wait(30)

    world.transport.send = send  # type: ignore[method-assign]
    await with_mail(world, 3)
    await world.engine.begin_mails()
    await asyncio.to_thread(taken.wait, 30)
    await world.engine.begin_mails()
    closing = asyncio.create_task(world.engine.close())
    await asyncio.sleep(0)
    answered.set()
    await closing

    states = await world.fetch("SELECT state FROM mails ORDER BY id")
    assert [row["state"] for row in states] == ["SENT", "PENDING", "PENDING"]


async def test_told_of_an_end(world: EngineFixture) -> None:
    """Each address that the upload named gets a mail, which says how the import ended."""
    import_id = await with_end(world, "boss@x.org", "ops@x.org")
    enqueued = list(world.queue.messages)
    await world.drain()
    counts = (await world.counts(import_id))._asdict()
    told = [each for each in world.transport.sent if isinstance(each, EndMail)]

    assert enqueued == [("send_mails", ())]
    assert sorted(each.recipient for each in told) == ["boss@x.org", "ops@x.org"]
    assert {(each.app_name, each.import_id) for each in told} == {("Demo", import_id)}
    assert [{name: each.import_state[name] for name in counts} for each in told] == [counts] * 2


async def test_told_of_each_end(world: EngineFixture) -> None:
    """A retry ends the import again; each mail has the counts of its own end."""
    import_id = await with_end(world)
    await world.retry(import_id, {3: {"case_id": "trv-003", "user_id": "jill-001",
                                      "case_role_id": "staff"}})  # fmt: skip
    told = [each for each in world.transport.sent if isinstance(each, EndMail)]

    assert [each.import_state["failed"] for each in told] == [1, 0]


async def test_an_end_that_may_have_been_told(world: EngineFixture) -> None:
    """A mail about an end is sent again where one to a user would be left alone."""
    await with_end(world)
    world.transport.failures.append(ConnectionResetError("reset by peer"))
    await world.engine.send_mails()
    row = await mail(world)
    await world.execute("UPDATE mails SET next_attempt_at = now()")
    await world.engine.send_mails()

    assert (row["state"], row["error"]) == ("PENDING", "reset by peer")
    assert (await mail(world))["state"] == "SENT"
    assert len(world.transport.sent) == 1


async def test_an_end_whose_sender_died(world: EngineFixture) -> None:
    """So is one whose sender died in the middle."""
    await with_end(world)
    async with connection() as db:
        taken = await take_mail(db)
        is_due = await sweep_mails(db, abandoned_after=-1)
    await world.engine.send_mails()

    assert isinstance(taken, EndMail)
    assert is_due
    assert world.transport.sent == [taken._replace(attempts=2)]


async def test_no_one_is_told_before_the_end(world: EngineFixture) -> None:
    """Mails about an end are written with the end, not with the upload or the split."""
    import_id = await world.split("assign", "trv-001,jack-001,,staff,0")
    await world.execute("UPDATE imports SET notify = '{boss@x.org}'")
    before = await mail(world)
    await world.engine.run(import_id)

    assert before is None
    assert (await mail(world))["recipient"] == "boss@x.org"
