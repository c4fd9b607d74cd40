"""A client of the API under test, and what fills its database."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette

from api.access.context import Services
from api.access.quota import Quota, Quotas
from api.app import create_app
from api.http.server import WebServerConfig
from api.settings import Settings
from importers.sdk.node_id import encode_node_id
from models.app import App, Permission, create_token, token_digest
from models.app import create_app as create_app_row
from models.db import connection
from models.imports import ImportStatus
from models.webhook import WebhookEvent, enqueue_deliveries, make_secret

PREFLIGHT = {"GraphQL-Preflight": "1"}
ASSIGN = b"case_id,user_id,case_role_order,case_role_id,case_notify\r\ncase-1,user-1,,staff,0\r\n"
WEBHOOK_URL = "https://hooks.example.org/"
CREATE_IMPORT = """
mutation ($input: CreateImportInput!) {
  createImport(input: $input) {
    import { id name status file { name size sha256 } } userErrors { code message field }
    warnings { code message import { id } }
  }
}
"""


@dataclass
class ApiFixture:
    """An app with a few of everything, its tokens, and another app that must never be seen."""

    app: App
    other: App
    admin: str
    viewer: str
    stranger: str
    cases: list[int] = field(default_factory=list)
    users: list[int] = field(default_factory=list)


@dataclass
class Server:
    """The API under test."""

    url: str
    app: Starlette
    connections: set[Any]

    @property
    def services(self) -> Services:
        """What the application has opened."""
        services: Services = self.app.state.services
        return services


class Api:
    """A client of the API under test."""

    def __init__(self, server: Server, http: aiohttp.ClientSession, world: ApiFixture) -> None:
        self.server = server
        self.url = server.url
        self.http = http
        self.world = world

    async def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        """Run an operation and return the whole response."""
        body = {"query": query, "variables": variables}
        async with self.http.post(
            f"{self.url}/graphql", json=body, headers=bearer(token or self.world.admin)
        ) as response:
            result: dict[str, Any] = await response.json()
            return result

    async def post(self, body: Any, token: str | None = None) -> tuple[int, dict[str, Any]]:
        """Post JSON and return status and answer."""
        headers = bearer(token or self.world.admin)
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def quota(self) -> Quota:
        """Return the quota of the admin's token."""
        digest = token_digest(self.world.admin)
        key = await sql("fetchval", "SELECT id FROM api_tokens WHERE digest = $1", digest)
        return self.server.services.quotas.for_token(key)

    async def data(
        self, query: str, variables: Mapping[str, Any] | None = None, token: str | None = None
    ) -> Any:
        """Run an operation that has no errors and return its data."""
        result = await self.execute(query, variables, token)
        assert "errors" not in result, result["errors"]
        return result["data"]

    async def code(
        self, query: str, variables: Mapping[str, Any] | None = None, token: str | None = None
    ) -> str:
        """Run an operation that has one error and return its code."""
        result = await self.execute(query, variables, token)
        assert len(result.get("errors", ())) == 1, result
        return str(result["errors"][0]["extensions"]["code"])

    async def upload(
        self,
        content: bytes = ASSIGN,
        *,
        filename: str = "May.csv",
        token: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Create an import and return the payload."""
        values = {"name": "May", "type": "assign", "file": None, **fields}
        form = multipart({"query": CREATE_IMPORT, "variables": {"input": values}})
        form.add_field("0", io.BytesIO(content), filename=filename, content_type="text/csv")
        headers = {**bearer(token or self.world.admin), **PREFLIGHT}
        async with self.http.post(f"{self.url}/graphql", data=form, headers=headers) as response:
            result = await response.json()
        assert "errors" not in result, result["errors"]
        payload: dict[str, Any] = result["data"]["createImport"]
        return payload

    async def get(self, path: str, token: str | None = "") -> tuple[int, bytes, Mapping[str, str]]:
        """Fetch a path; no token when None."""
        headers = {} if token is None else bearer(token or self.world.admin)
        async with self.http.get(f"{self.url}{path}", headers=headers) as response:
            return response.status, await response.read(), response.headers


def change_settings(api: Api, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Give the running API other settings, and every token a new quota."""
    settings = replace(api.server.services.settings, **changes)
    services = replace(api.server.services, settings=settings, quotas=Quotas(settings.token))
    monkeypatch.setitem(api.server.app.state._state, "services", services)


def bearer(token: str) -> dict[str, str]:
    """Make the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def multipart(operations: object, places: object = None) -> aiohttp.FormData:
    """Begin a GraphQL multipart body; the file is to be added as part `0`."""
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    form.add_field("operations", json.dumps(operations))
    form.add_field("map", json.dumps({"0": ["variables.input.file"]} if places is None else places))
    return form


async def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it did not within the time.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any state, also of what sends no event
            await asyncio.sleep(0.005)


def listen() -> socket.socket:
    """Open a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Server]:
    """Run the API."""
    app = create_app(settings)
    listener = listen()
    config = WebServerConfig(app, settings, shutdown_seconds=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), task
        await asyncio.sleep(0.005)
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Server(url, app, server.server_state.connections)
    finally:
        server.should_exit = True
        await task
        listener.close()


async def make_world() -> ApiFixture:
    """Make two apps with tokens."""
    app = await create_app_row("one", "One")
    other = await create_app_row("two", "Two")
    return ApiFixture(
        app=app,
        other=other,
        admin=await create_token(app, "admin", Permission.ADMIN),
        viewer=await create_token(app, "viewer", Permission.VIEWER),
        stranger=await create_token(other, "stranger", Permission.ADMIN),
    )


async def sql(function: str, statement: str, *args: object) -> Any:
    """Ask the database itself: `function` is asyncpg's fetch, fetchval or execute."""
    async with connection() as db:
        return await getattr(db, function)(statement, *args)


async def add_cases(app: App, count: int) -> list[int]:
    """Add cases with the Tag IDs `case-1`, `case-2` and so on."""
    rows = await sql(
        "fetch",
        "INSERT INTO cases (app_id, tag_id, about) SELECT $1, 'case-' || n, 'About ' || n"
        " FROM generate_series(1, $2::int) n RETURNING id",
        app.id,
        count,
    )
    return [row["id"] for row in rows]


async def add_users(app: App, count: int) -> list[int]:
    """Add users with the Tag IDs `user-1`, `user-2` and so on."""
    rows = await sql(
        "fetch",
        "INSERT INTO users (app_id, tag_id, email, given_name) SELECT $1, 'user-' || n,"
        " 'user' || n || '@example.org', 'Name' || n FROM generate_series(1, $2::int) n"
        " RETURNING id",
        app.id,
        count,
    )
    return [row["id"] for row in rows]


async def assign(
    app: App, cases: list[int], users: list[int], import_id: int | None = None
) -> None:
    """Put every user on every case, as staff; by an import, with the history of it."""
    await sql(
        "execute",
        """
        WITH new AS (
          INSERT INTO assignments
            (app_id, case_id, user_id, role_id, created_import_id, created_row)
          SELECT $1, c, u, (SELECT id FROM roles WHERE app_id = $1 AND key = 'staff'), $4,
            CASE WHEN $4::bigint IS NOT NULL THEN 1 + row_number() OVER (ORDER BY c, u) END
          FROM unnest($2::bigint[]) c, unnest($3::bigint[]) u RETURNING *)
        INSERT INTO assignment_history
          (app_id, case_id, user_id, import_id, row, after_role_id, after_notify)
        SELECT app_id, case_id, user_id, created_import_id, created_row, role_id, notify
        FROM new WHERE created_import_id IS NOT NULL ORDER BY created_row
        """,
        app.id,
        cases,
        users,
        import_id,
    )


async def add_import(
    app: App, name: str = "May", status: ImportStatus = ImportStatus.PROCESSED, **columns: Any
) -> int:
    """Add an import without a file; its counters are given by name."""
    values: dict[str, Any] = {
        "app_id": app.id,
        "type": "assign",
        "name": name,
        "source": "api",
        "status": status.value,
        "file_name": "May.csv",
        "file_size": 3,
        "file_sha256": "0" * 64,
        "header": ["case_id", "user_id"],
        **columns,
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    statement = f"INSERT INTO imports ({', '.join(values)}) VALUES ({places}) RETURNING id"
    return int(await sql("fetchval", statement, *values.values()))


async def add_webhook(app: App, *deliveries: int, **columns: Any) -> int:
    """Add a webhook, and a delivery to it about each of some imports."""
    values: dict[str, Any] = {
        "app_id": app.id,
        "url": WEBHOOK_URL,
        "events": ["IMPORT_FINISHED"],
        "description": "",
        "secret": make_secret(),
        **columns,
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    statement = f"INSERT INTO webhooks ({', '.join(values)}) VALUES ({places}) RETURNING id"
    key = int(await sql("fetchval", statement, *values.values()))
    async with connection() as db:
        for import_id in deliveries:
            await enqueue_deliveries(db, import_id, WebhookEvent.IMPORT_FINISHED)
    return key


def node_id(kind: str, key: int) -> str:
    """Make the ID that the API shows."""
    return encode_node_id(kind, key)
