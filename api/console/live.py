"""Live parts of pages: a subscription's events, rendered and sent as server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from starlette.responses import StreamingResponse

from api.console.operation import operation_text
from api.console.rendering import render
from api.errors import HttpError
from api.execution.execute import stream
from api.execution.prepare import Operation
from api.http.responses import ENDLESS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from starlette.responses import Response

    from api.access.context import Context
    from api.console.language import Language
    from api.console.visit import Visit

    Prepare = Callable[[Language, dict[str, Any]], Mapping[str, object]]

# Proxies close connections that are silent for a minute; only a write finds out that a client has
# gone; and a page that hears nothing for longer has lost the connection.
_IDLE_SECONDS = 15.0
_RETRY_MILLISECONDS = 1_000
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}


async def stream_live(
    visit: Visit,
    operation: str,
    template: str,
    variables: Mapping[str, object] | None = None,
    *,
    prepare: Prepare | None = None,
    pause: float = 0.0,
) -> Response:
    """Answer with an event for each result of a subscription: the template, rendered with it.

    The page replaces the elements of the same ids by those of the template. The subscription's end
    is an event of its own.

    Args:
        operation: name of the subscription's file.
        template: is given the result's `data`.
        prepare: makes what else it is given.
        pause: seconds between two events; what changes meanwhile is in the next one.

    Raises:
        HttpError: the token has as many streams as it may have.
    """
    with visit.context.quota.sockets.reserve():
        pass  # refused before the answer begins; afterwards it could only break off
    visit.request.scope[ENDLESS] = True
    view = _View(template, prepare, visit.language, visit.root, visit.is_admin)
    lines = _events(visit.context, operation, dict(variables or {}), view, pause)
    return StreamingResponse(lines, media_type="text/event-stream", headers=_HEADERS)


class _View(NamedTuple):
    """How a visitor is shown the results of a subscription."""

    template: str
    prepare: Prepare | None
    language: Language
    root: str
    is_admin: bool


async def _events(
    context: Context,
    operation: str,
    variables: dict[str, object],
    view: _View,
    pause: float,
) -> AsyncIterator[bytes]:
    request = Operation(query=operation_text(operation), variables=variables, name=None)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(_reason: str) -> None:
        if not ended.done():
            ended.set_result(None)

    hub = context.services.hub
    with context.quota.sockets.reserve(), hub.watch_token(context.token.id, end):
        yield b"retry: %d\n\n" % _RETRY_MILLISECONDS
        async with aclosing(stream(context, request)) as results:
            async for text in _until(results, ended, pause):
                if text is None:
                    yield b"event: ping\ndata: \n\n"
                else:
                    yield _render_event(view, text)
    yield b"event: end\ndata: \n\n" if not ended.done() else b"event: signed-out\ndata: \n\n"


async def _until(
    results: AsyncGenerator[str, None], ended: asyncio.Future[None], pause: float
) -> AsyncIterator[str | None]:
    """Yield results until the token ends, and None whenever there was none for a while."""
    pending: asyncio.Future[str] = asyncio.ensure_future(anext(results))
    try:
        while True:
            both: set[asyncio.Future[Any]] = {pending, ended}
            await asyncio.wait(both, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return
            if not pending.done():
                yield None
                continue
            try:
                text = pending.result()
            except (StopAsyncIteration, HttpError):
                return
            yield text
            await asyncio.wait({ended}, timeout=pause)
            pending = asyncio.ensure_future(anext(results))
    finally:
        if not pending.done():
            pending.cancel()
        with suppress(BaseException):
            await pending


# Visitors who watch the same share the text of a result (`Event.result`), and so what it is
# rendered as: the last events of a few dozen imports.
@lru_cache(64)
def _render_event(view: _View, text: str) -> bytes:
    data = orjson.loads(text).get("data")
    if data is None:
        return b": \n\n"
    values = {} if view.prepare is None else view.prepare(view.language, data)
    html = render(
        view.language, view.template, root=view.root, data=data, is_admin=view.is_admin, **values
    )
    lines = "\n".join(f"data: {line}" for line in html.splitlines())
    return f"event: fragment\n{lines}\n\n".encode()
