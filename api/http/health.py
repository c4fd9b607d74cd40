"""Whether this process lives, and whether it can work."""

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

_PATIENCE_SECONDS = 3.0


async def is_alive(_request: Request) -> Response:
    """Say that this process answers."""
    return json_response({"status": "ok"})


class Readiness:
    """Whether the servers that the API needs can be reached.

    Anybody may ask, so those who ask while others wait for an answer have the same; none is kept.
    """

    def __init__(self) -> None:
        self._asking: asyncio.Task[dict[str, str]] | None = None

    async def answer(self, request: Request) -> Response:
        """Say which of them can be reached."""
        if self._asking is None or self._asking.done():
            redis_url = request.app.state.services.settings.redis_url
            self._asking = asyncio.create_task(_ask(redis_url))
        body = await asyncio.shield(self._asking)
        return json_response(body, 200 if body["status"] == "ok" else 503)


async def _ask(redis_url: str) -> dict[str, str]:
    database, redis = await asyncio.gather(
        _check("PostgreSQL", undisturbed(_ask_database())),
        _check("Redis", _ask_redis(redis_url)),
    )
    return {
        "status": "ok" if database and redis else "unavailable",
        "database": "up" if database else "down",
        "redis": "up" if redis else "down",
    }


async def _check(name: str, question: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(question, _PATIENCE_SECONDS)
    except Exception as error:
        log.warning("not ready: %s does not answer: %r", name, error)
        return False
    return True


async def _ask_database() -> None:
    async with connection() as db:
        await db.fetchval("SELECT 1")


async def _ask_redis(url: str) -> None:
    async with Redis.from_url(
        url, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS
    ) as client:
        await client.ping()
