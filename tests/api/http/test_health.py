"""What `/ready` leaves behind when a server is away."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from redis.exceptions import ResponseError

from api.http.health import _ask_redis
from tests.api.api_fixture import Api


@pytest.mark.parametrize(
    "is_late", [False, True], ids=["it refuses", "it fails after the time-out"]
)
async def test_database_away(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_late: bool
) -> None:
    """An outage is a line in the log, and its end another, however often probes ask."""
    is_away, ended = asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        if not is_away.is_set():
            return
        try:
            if is_late:
                await ended.wait()
            raise ConnectionError("the database is away")
        finally:
            ended.set()

    async def answer(_url: str) -> None:
        """Say at once that Redis is there: on a busy machine it may take longer than allowed."""

    monkeypatch.setattr("api.http.health._ask_database", ask)
    monkeypatch.setattr("api.http.health._ask_redis", answer)
    monkeypatch.setattr("api.http.health._TIMEOUT_SECONDS", 0.02 if is_late else 5)
    is_away.set()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            ended.clear()
            status, body, _ = await api.get("/ready", None)
            assert (status, b'"database":"down"' in body) == (503, True)
            ended.set()
        is_away.clear()
        assert (await api.get("/ready", None))[0] == 200
        gc.collect()  # a task whose exception nothing has fetched says so when it goes

    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in lines] == ["not ready", "PostgreSQL answers again"]
    assert [record.exc_info for record in caplog.records] == [None, None]


async def test_redis_that_is_full(full_redis_url: str) -> None:
    """It answers, but takes no messages."""
    with pytest.raises(ResponseError, match="maxmemory"):
        await _ask_redis(full_redis_url)
