"""Looking tokens up: for each request, for several at a time, and never from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from api.access.authentication import Tokens, find_bearer
from api.errors import HttpError
from models.access import TokenRecord
from models.app import Permission
from tests.api.api_fixture import Api, sql

VIEWER = "{ viewer { tokenName } }"
RECORD = TokenRecord(1, "name", Permission.VIEWER, 1, "slug", "App")


class Reads:
    """Stands in for the database: notes what is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.hang: set[str] = set()
        self.may_answer = asyncio.Event()

    async def __call__(self, _: object, digests: Collection[str]) -> dict[str, TokenRecord]:
        self.asked.append(set(digests))
        if self.hang & set(digests):
            await self.may_answer.wait()
        if "bad" in digests:
            raise OSError
        return {digest: RECORD for digest in digests if digest != "unknown"}


@pytest.fixture
def reads(api: Api, monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The stand-in."""
    reads = Reads()
    monkeypatch.setattr("api.access.authentication.find_tokens", reads)
    return reads


async def test_those_who_wait_share_the_next_look_up(reads: Reads) -> None:
    """Whoever comes during a look-up is answered by the next one, with all others who came."""
    tokens = Tokens()
    reads.hang = {"a"}
    first = asyncio.create_task(tokens.find("a"))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(tokens.find(digest)) for digest in ("b", "unknown", "b", "a")]
    await asyncio.sleep(0.01)
    assert reads.asked == [{"a"}]
    reads.may_answer.set()

    assert await first == RECORD
    assert await asyncio.gather(*others) == [RECORD, None, RECORD, RECORD]
    assert reads.asked == [{"a"}, {"a", "b", "unknown"}]


async def test_a_look_up_that_hangs_holds_up_nobody(reads: Reads) -> None:
    """The next one does not wait for it for long."""
    tokens = Tokens()
    reads.hang = {"a"}
    first = asyncio.create_task(tokens.find("a"))
    await asyncio.sleep(0.01)

    assert await asyncio.wait_for(tokens.find("b"), 1) == RECORD
    assert not first.done()
    reads.may_answer.set()
    assert await first == RECORD


async def test_a_failure_is_told_to_all_and_is_over(reads: Reads) -> None:
    """Everybody who waited for a failed look-up hears of it; the next one is as good as any."""
    tokens = Tokens()
    failed = await asyncio.gather(tokens.find("bad"), tokens.find("a"), return_exceptions=True)

    assert [type(error) for error in failed] == [OSError, OSError]
    assert await tokens.find("a") == RECORD


async def test_requests_of_an_outage_are_not_kept(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refused request has an error of its own, so no traceback grows and keeps them all."""
    monkeypatch.setattr("api.access.authentication.token_digest", lambda _: "bad")
    errors = []
    for _ in range(2):
        with pytest.raises(HttpError) as caught:
            await find_bearer(Tokens(), "Bearer token")
        errors.append(caught.value)

    assert [(error.status, error.code) for error in errors] == [(503, "UNAVAILABLE")] * 2
    assert errors[0] is not errors[1]


async def test_one_who_leaves_takes_nobody_along(reads: Reads) -> None:
    """Whoever no longer waits leaves the look-up to the others."""
    tokens = Tokens()
    reads.hang = {"a"}
    first, second = (asyncio.create_task(tokens.find("a")) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    reads.may_answer.set()

    assert await second == RECORD


async def test_revoked_tokens_are_good_for_nothing_at_once(api: Api) -> None:
    """No request that comes after a token was revoked is let in, however many come."""
    await asyncio.gather(*(api.data(VIEWER) for _ in range(10)))
    await sql("execute", "UPDATE api_tokens SET revoked_at = now()")

    codes = await asyncio.gather(*(api.code(VIEWER) for _ in range(10)))
    assert codes == ["UNAUTHENTICATED"] * 10
