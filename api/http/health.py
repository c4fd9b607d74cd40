"""`/health`: whether this process lives; `/ready`: whether it can work."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from api.http.responses import json_response
from models.db import connection, undisturbed

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request
    from starlette.responses import Response

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 3.0


async def is_alive(_request: Request) -> Response:
    """Say that this process answers."""
    return json_response({"status": "ok"})


class Readiness:
    """Tells whether PostgreSQL and Redis can be reached, and Redis takes messages.

    It needs no token, so requests that arrive while a check is under way share its result.
    """

    def __init__(self) -> None:
        self._checking: asyncio.Task[dict[str, str]] | None = None
        self._down: set[str] = set()

    async def answer(self, request: Request) -> Response:
        """Reply which of them can be reached: 200 if both can, else 503."""
        if self._checking is None or self._checking.done():
            redis_url = request.app.state.services.settings.redis_url
            self._checking = asyncio.create_task(self._check_servers(redis_url))
        # Shielded: a client that leaves must not cancel the check that others wait for.
        body = await asyncio.shield(self._checking)
        return json_response(body, 200 if body["status"] == "ok" else 503)

    async def _check_servers(self, redis_url: str) -> dict[str, str]:
        database, redis = await asyncio.gather(
            # Undisturbed: `wait_for` cancels what is late, which would cost the pool a connection.
            self._answers("PostgreSQL", undisturbed(_find_fault(_ask_database()))),
            self._answers("Redis", _find_fault(_ask_redis(redis_url))),
        )
        return {
            "status": "ok" if database and redis else "unavailable",
            "database": "up" if database else "down",
            "redis": "up" if redis else "down",
        }

    async def _answers(self, name: str, finding: Awaitable[Exception | None]) -> bool:
        try:
            fault = await asyncio.wait_for(finding, _TIMEOUT_SECONDS)
        except TimeoutError as error:
            fault = error
        # Only changes are logged: probes go on every few seconds.
        if fault and name not in self._down:
            log.warning("not ready: %s does not answer: %r", name, fault)
            self._down.add(name)
        elif not fault and name in self._down:
            log.warning("%s answers again", name)
            self._down.remove(name)
        return fault is None


async def _find_fault(question: Awaitable[None]) -> Exception | None:
    """Return why a server does not answer.

    Not raised: after the time-out nothing waits for it, and asyncio would log it with a traceback.
    """
    try:
        await question
    except Exception as error:
        return error
    return None


async def _ask_database() -> None:
    async with connection() as db:
        await db.fetchval("SELECT 1")


async def _ask_redis(url: str) -> None:
    async with Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    ) as client:
        # One that is full, or a replica by now, answers but takes no messages.
        await client.set("caseroll:ready", "", ex=60)
