"""The web application: its routes, and what it opens when it starts."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route, WebSocketRoute

from api.broker import Doorbell, make_broker
from api.context import Services
from api.events import open_hub
from api.files import behind_token, send_failed_rows, send_file, send_sample
from api.graphql_http import json_response, serve_graphql
from api.graphql_socket import serve_socket
from api.health import is_alive, is_ready
from importers.registry import load
from models.db import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from api.settings import Settings

log = logging.getLogger(__name__)

DATABASE_CONNECTIONS = 10
_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(settings: Settings) -> Starlette:
    """Make the application; nothing is connected before it starts.

    Raises:
        ConfigError: `plugins.toml` or a plugin is wrong; it names every problem.
    """
    registry = load(settings.plugins)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        broker = make_broker(settings.redis_url)
        async with (
            database(settings.database_url, connections=DATABASE_CONNECTIONS),
            open_hub(settings.redis_url) as hub,
        ):
            app.state.services = Services(
                settings=settings, registry=registry, doorbell=Doorbell(broker), hub=hub
            )
            yield
        broker.close()

    app = Starlette(
        routes=[
            Route("/graphql", serve_graphql, methods=_ALL_METHODS),
            WebSocketRoute("/graphql", serve_socket),
            Route("/files/imports/{import_id}", behind_token(send_file)),
            Route("/files/imports/{import_id}/failed-rows.csv", behind_token(send_failed_rows)),
            Route("/files/samples/{name}", behind_token(send_sample)),
            Route("/health", is_alive),
            Route("/ready", is_ready),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )
    app.router.redirect_slashes = False
    return app


async def _refuse(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Error"
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    code = detail.upper().replace(" ", "_")
    body = {"errors": [{"message": f"{detail}.", "extensions": {"code": code}}]}
    return json_response(body, status, headers=headers)


async def _fail(_request: Request, _error: Exception) -> Response:
    body = {
        "errors": [{"message": "Something went wrong here.", "extensions": {"code": "INTERNAL"}}]
    }
    return json_response(body, 500)
