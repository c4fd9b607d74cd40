"""The web application: its routes, and the connections that it opens when it starts."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from api.access.authentication import Tokens
from api.access.context import Services
from api.access.quota import Quotas
from api.broker import BrokerQueue, make_broker
from api.console.routes import console_routes
from api.errors import HttpError, log_incident, masked
from api.events.hub import open_hub
from api.http.downloads import (
    behind_token,
    send_failed_rows,
    send_file,
    send_results,
    send_sample,
)
from api.http.exports import send_export
from api.http.graphql_http import serve_graphql
from api.http.graphql_websocket import serve_socket
from api.http.health import Readiness, is_alive
from api.http.responses import json_response, refuse
from api.http.same_origin import cors
from api.language import LanguageMiddleware
from api.limits import APP_CONNECTIONS
from importers.isolation.plugin_thread import PluginThread
from importers.plugins.registry import load, report, report_problems
from importers.plugins.tables import check_tables
from models.app_pool import open_app_pool
from models.db import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from api.settings import Settings

log = logging.getLogger(__name__)

# For what belongs to no app: tokens, events, health.
OWN_CONNECTIONS = 4


def create_app(settings: Settings) -> Starlette:
    """Make the application, which connects to nothing before it starts.

    Raises:
        ConfigError: `plugins.toml` or a plugin is wrong; the error names every problem.
    """
    registry = load(settings.plugins)
    report(registry)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        broker = make_broker(settings.redis_url)
        checked = await check_tables(registry, settings.database_url)
        report_problems(checked, known=registry.problems)
        async with (
            database(settings.database_url, connections=OWN_CONNECTIONS),
            open_app_pool(settings.database_url, connections=APP_CONNECTIONS) as pool,
            open_hub(settings.redis_url) as hub,
        ):
            app.state.services = Services(
                settings=settings,
                registry=checked,
                queue=BrokerQueue(broker),
                hub=hub,
                tokens=Tokens(),
                pool=pool,
                quotas=Quotas(settings.token),
                plugin_thread=PluginThread(),
            )
            yield
            app.state.services.plugin_thread.close()
            await app.state.services.tokens.uses.write()
        broker.close()

    app = Starlette(
        routes=_routes(settings),
        middleware=[
            Middleware(LanguageMiddleware),
            *cors(settings.origins, settings.origin_headers),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _answer_refusal, Exception: _answer_bug},
    )
    app.router.redirect_slashes = False
    return app


def _routes(settings: Settings) -> list[BaseRoute]:
    return [
        Route("/graphql", serve_graphql, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", serve_socket),
        Route("/files/imports/{import_id}", behind_token(send_file)),
        Route("/files/imports/{import_id}/failed-rows.csv", behind_token(send_failed_rows)),
        Route("/files/imports/{import_id}/results.csv", behind_token(send_results)),
        Route("/files/samples/{name}", behind_token(send_sample)),
        Route("/files/{noun}.{extension}", behind_token(send_export)),
        Route("/health", is_alive),
        Route("/ready", Readiness().answer),
        *(console_routes() if settings.has_console else ()),
    ]


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = error.detail.upper().replace(" ", "_"), f"{error.detail}."
    headers = dict(error.headers or {})
    if "Allow" in headers:  # from a set, in any order
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
        message = f"This path takes {headers['Allow']}."
    elif code == "NOT_FOUND":
        message = "There is nothing at this path; the API is at /graphql."
    return refuse(HttpError(error.status_code, code, message, headers))


async def _answer_bug(request: Request, error: Exception) -> Response:
    incident = log_incident(f"{request.method} {request.url.path}", error)
    extensions = {"code": "INTERNAL", "incident": incident}
    return json_response({"errors": [{"message": masked(incident), "extensions": extensions}]}, 500)
