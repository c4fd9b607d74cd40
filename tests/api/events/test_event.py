"""Events: what many subscribers request of one state of an import is executed once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from api.events.event import Event, Payload
from api.execution import execute as executing
from api.execution.executor import Executor
from api.execution.prepare import PreparedOperation
from models.imports import ImportStatus
from tests.api.api_fixture import Api, add_import, sql
from tests.api.websocket_client import Subscriber, subscriber

if TYPE_CHECKING:
    from api.events.event import ResultText

ALL = "subscription { importsUpdated { id passed } }"
OTHER = "subscription { importsUpdated { id passed rows { totalCount } } }"
CHOICE = "subscription ($yes: Boolean!) { importsUpdated { id passed @include(if: $yes) } }"
TYPE = "subscription { importsUpdated { type { problems } } }"


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events of all executions."""
    events: list[Event] = []
    execute = executing._execute_event

    def record(subscription: Executor, payload: Payload, prepared: PreparedOperation) -> ResultText:
        events.append(payload.event)
        return execute(subscription, payload, prepared)

    monkeypatch.setattr(executing, "_execute_event", record)
    return events


async def change(api: Api, key: int) -> None:
    """Change an import, and tell."""
    await sql("execute", "UPDATE imports SET passed = 7, version = version + 1 WHERE id = $1", key)
    await api.server.services.queue.notify_changed(api.world.app.id, key)


async def join(stack: AsyncExitStack, api: Api, token: str) -> Subscriber:
    """Connect a subscriber until the stack ends."""
    return await stack.enter_async_context(subscriber(api, token=token))


async def gather_events(api: Api, asked: list[tuple[str, str, dict[str, Any] | None]]) -> list[Any]:
    """Subscribe, each with a token, a query and variables, and return what a change tells them."""
    key = await add_import(api.world.app, status=ImportStatus.PROCESSING)
    async with AsyncExitStack() as stack:
        peers = [await join(stack, api, token) for token, _, _ in asked]
        for number, (peer, (_, query, variables)) in enumerate(zip(peers, asked, strict=True)):
            await peer.subscribe(query, variables, name=f"{number}\u00e9")
        await asyncio.sleep(0.3)
        await change(api, key)
        messages = [await peer.receive() for peer in peers]
    assert [message["id"] for message in messages] == [f"{n}\u00e9" for n in range(len(asked))]
    return [message["payload"]["data"]["importsUpdated"] for message in messages]


@pytest.mark.parametrize("query", [ALL, OTHER], ids=["plain", "with what has to be awaited"])
async def test_same_question(api: Api, executed: list[Event], query: str) -> None:
    """Subscribers who ask the same get the same, each under its own id, from one execution."""
    events = await gather_events(api, [(api.world.admin, query, None)] * 10)

    assert [event["passed"] for event in events] == [7] * 10
    assert len(executed) == 1


async def test_other_questions(api: Api, executed: list[Event]) -> None:
    """Another query, and the same with other variables, are executed for themselves."""
    yes, no = {"yes": True}, {"yes": False}
    asked = [(ALL, None), (OTHER, None), (CHOICE, yes), (CHOICE, no), (CHOICE, yes)]
    events = await gather_events(api, [(api.world.admin, *each) for each in asked])

    assert [sorted(event) for event in events] == [
        ["id", "passed"],
        ["id", "passed", "rows"],
        ["id", "passed"],
        ["id"],
        ["id", "passed"],
    ]
    assert len(executed) == 4


async def test_other_permissions(api: Api, executed: list[Event]) -> None:
    """What a token may do is part of the question: viewers are not sent what admins may see."""
    await sql("execute", "UPDATE imports SET type = 'gone'")
    asked = [(api.world.admin, TYPE, None), (api.world.viewer, TYPE, None)] * 2

    await gather_events(api, asked)

    assert len(executed) == 2


async def test_first_one_leaves(api: Api) -> None:
    """A result that one subscriber has requested comes to others when that one has left."""
    may_answer = asyncio.Event()

    async def make() -> str:
        await may_answer.wait()
        return "answer"

    event = Event(app_id=1, key=1, version=1)
    first, second = (asyncio.ensure_future(event.result("request", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    may_answer.set()

    assert await second == "answer"
    assert first.cancelled()


async def test_bug_in_one_event(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of the executor is the result of one event; the subscription goes on."""
    begin = Executor.execute_operation
    failures = [RuntimeError("bug")]

    def fail_once(executor: Executor, serially: bool | None = None) -> Any:
        if serially is False and failures:
            raise failures.pop()
        return begin(executor, serially)

    monkeypatch.setattr(Executor, "execute_operation", fail_once)
    key = await add_import(api.world.app, status=ImportStatus.PROCESSING)
    async with subscriber(api, token=api.world.admin) as peer:
        await peer.subscribe(ALL)
        await asyncio.sleep(0.3)
        await change(api, key)
        [error] = (await peer.receive())["payload"]["errors"]
        await change(api, key)

        assert error["extensions"]["code"] == "INTERNAL"
        assert (await peer.next())["importsUpdated"]["passed"] == 7
