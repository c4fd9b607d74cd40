"""Servers that are away, and limits: an API of its own for each test."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from api.app import create_app
from api.processes.embedded_postgres import EmbeddedPostgres
from api.settings import Settings
from importers.reading.limits import Limits
from importers.sdk.errors import ConfigError
from models.db import migrate
from models.imports import ImportStatus
from tests.api.api_fixture import (
    PREFLIGHT,
    Api,
    add_import,
    bearer,
    make_world,
    node_id,
    serve,
    sql,
)
from tests.api.websocket_client import subscriber

ONE = "subscription ($id: ID!) { importUpdated(id: $id) { status } }"


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Settings of servers that work."""
    return Settings(database_url=database_url, redis_url=redis_url)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Api]:
    """Run the API and fill its database."""
    async with serve(settings) as server, aiohttp.ClientSession() as http:
        yield Api(server, http, await make_world())


async def test_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    """Without Redis uploads are accepted, no end is missed, and `/ready` says what is down."""
    async with running(replace(settings, redis_url=f"unix://{tmp_path}/nothing.sock")) as api:
        status, body, _ = await api.get("/ready", None)
        payload = await api.upload()
        key = await add_import(api.world.app, "June", ImportStatus.PROCESSING)
        async with subscriber(api, token=api.world.admin) as peer:
            await peer.subscribe(ONE, {"id": node_id("Import", key)})
            await peer.next()
            await sql(
                "execute",
                "UPDATE imports SET status = 'FAILED', version = 2, changed_at = now(),"
                " finished_at = now() WHERE id = $1",
                key,
            )
            assert (await peer.next())["importUpdated"]["status"] == "FAILED"

    assert payload["import"] is not None
    assert (status, body) == (
        503,
        b'{"status":"unavailable","database":"up","redis":"down"}',
    )


async def test_database_goes_away(redis_url: str, tmp_path: Path) -> None:
    """Without the database nothing is answered but that it is away, until it is back."""
    with EmbeddedPostgres(tmp_path) as postgres:
        await migrate(postgres.url)
        async with (
            running(Settings(database_url=postgres.url, redis_url=redis_url)) as api,
            subscriber(api, token=api.world.admin) as peer,
        ):
            await peer.subscribe("subscription { importsUpdated { name } }")
            while not api.server.services.hub.subscribers:
                assert await peer.silence(0.01)
            await asyncio.to_thread(postgres.stop)
            status, body, _ = await api.get("/ready", None)
            assert (status, b'"database":"down"' in body) == (503, True)
            assert (await api.get("/health", None))[0] == 200
            assert (await api.get("/files/samples/assign_sample.csv"))[0] == 503
            assert await api.code("{ roles { key } }") == "UNAVAILABLE"
            await asyncio.to_thread(postgres.start)

            assert (await api.get("/ready", None))[0] == 200
            assert (await api.data("{ roles { key } }"))["roles"]
            await api.upload(name="after")
            assert (await peer.next())["importsUpdated"] == {"name": "after"}


@pytest.mark.parametrize("is_declared", [True, False], ids=["with its length", "in chunks"])
async def test_request_over_the_limit(settings: Settings, is_declared: bool) -> None:
    """A request that is larger than any upload may be is cut off with 413."""
    async with running(replace(settings, limits=Limits(max_bytes=1_000))) as api:
        form = aiohttp.FormData(default_to_multipart=True)
        # With the file first, there is no operation yet that could refuse it.
        form.add_field("0", io.BytesIO(b"x" * 5_000_000), filename="a.csv")
        headers = {**bearer(api.world.admin), **PREFLIGHT}
        async with api.http.post(
            f"{api.url}/graphql",
            data=form,
            headers=headers,
            chunked=None if is_declared else True,
        ) as response:
            answer = await response.json()

    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(("rows", "limit"), [(100, 1_000), (200_000, 1_900_000)])
async def test_file_over_the_limit(settings: Settings, rows: int, limit: int) -> None:
    """A file that is larger than it may be is refused by the mutation."""
    async with running(replace(settings, limits=Limits(max_bytes=limit))) as api:
        payload = await api.upload(b"case_id,user_id,case_role_id\r\n" + b"a,b,staff\r\n" * rows)

    assert [error["code"] for error in payload["userErrors"]] == ["TOO_LARGE"]


def test_broken_configuration(settings: Settings, tmp_path: Path) -> None:
    """A broken plugins.toml is told before anything is opened."""
    broken = tmp_path / "plugins.toml"
    broken.write_text("[importers.assign]\nnothing = 1\n[what]\n")

    with pytest.raises(ConfigError) as caught:
        create_app(replace(settings, plugins=broken))
    assert caught.value.problems
