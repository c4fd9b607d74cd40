"""The page of import types at `/docs/import-types`, which needs no token."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from api.http.import_types_html import content_security_policy, render_types_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from importers.plugins.registry import Registry

_KEPT_SECONDS = 60.0


class TypesPage:
    """Sends the page of import types.

    Since it needs no token, it is kept: however many requests come, plugins describe themselves
    once a minute, and when they are loaded again.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._registry: Registry | None = None
        self._text = ""
        self._until = 0.0

    async def send(self, request: Request) -> Response:
        headers = {
            "Content-Security-Policy": f"{content_security_policy()}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }
        registry: Registry = request.app.state.services.registry
        # Requests that arrive while the page is written wait for it, instead of writing it again.
        async with self._lock:
            if registry is not self._registry or time.monotonic() > self._until:
                self._text = await render_types_page(registry)
                self._registry = registry
                self._until = time.monotonic() + _KEPT_SECONDS
        return HTMLResponse(self._text, headers=headers)
