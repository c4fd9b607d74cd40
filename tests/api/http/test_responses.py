"""Responses: counted until their clients have taken them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from api.access.quota import ConcurrencyLimit
from api.http.responses import SLICE_BYTES, CountedAnswer, json_response

if TYPE_CHECKING:
    from starlette.types import Message

SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}}


async def receive() -> Message:
    """Wait for a client to leave, which none does."""
    return await asyncio.get_running_loop().create_future()


async def test_complete_answer() -> None:
    """It is sent in slices as it is, and counts until the last one is taken."""
    answer = json_response({"text": "x" * (2 * SLICE_BYTES)})
    memory = ConcurrencyLimit(1, "bytes")
    sent: list[Message] = []
    taken: list[int] = []

    async def send(message: Message) -> None:
        sent.append(message)
        taken.append(memory.taken)

    await CountedAnswer(answer, memory)(SCOPE, receive, send)

    start, *blocks = sent
    assert (start["status"], start["headers"]) == (200, answer.raw_headers)
    assert b"".join(block["body"] for block in blocks) == answer.body
    assert all(len(block["body"]) <= SLICE_BYTES for block in blocks)
    assert [block["more_body"] for block in blocks] == [True, True, True, False]
    assert taken == [len(answer.body)] * 5
    assert memory.taken == 0


async def test_complete_answer_that_is_given_up() -> None:
    """It counts no longer when its request is cancelled."""
    memory, has_begun = ConcurrencyLimit(1, "bytes"), asyncio.Event()

    async def send(_: Message) -> None:
        has_begun.set()
        await asyncio.get_running_loop().create_future()

    sending = asyncio.create_task(
        CountedAnswer(json_response("x" * SLICE_BYTES), memory)(SCOPE, receive, send)
    )
    await has_begun.wait()
    waiting = memory.taken
    sending.cancel()
    await asyncio.wait([sending])

    assert waiting > SLICE_BYTES
    assert memory.taken == 0
