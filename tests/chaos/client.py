"""A client of the site's API that repeats requests until they are answered."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import aiohttp

_PATIENCE_SECONDS = 60.0
_UPLOAD = """
mutation ($input: CreateImportInput!) {
  createImport(input: $input) { import { id } userErrors { code message } }
}
"""
_FOLLOW = "subscription ($id: ID!) { importUpdated(id: $id) { status finishedAt } }"


class Client:
    """Uploads, and changes imports.

    Args:
        url: of the API.
    """

    def __init__(self, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._token = token
        self._http = http

    @property
    def headers(self) -> dict[str, str]:
        """What each request needs."""
        return {"Authorization": f"Bearer {self._token}", "GraphQL-Preflight": "1"}

    def by(self, token: str) -> Client:
        """Return a client with another token."""
        return Client(self.url, token, self._http)

    async def upload(
        self, type_: str, name: str, content: bytes, key: str = "", **options: bool
    ) -> str:
        """Upload a file with one idempotency key until that is answered; return the import's ID."""
        key = key or uuid4().hex
        return await _patiently(lambda: self.upload_once(type_, name, content, key, **options))

    async def upload_once(
        self, type_: str, name: str, content: bytes, key: str, **options: bool
    ) -> str:
        """Upload a file.

        Args:
            options: `dryRun` and `atomic`.

        Raises:
            aiohttp.ClientError, UnavailableError: it was not answered, or not now.
        """
        values = {"name": name, "type": type_, "idempotencyKey": key, "file": None, **options}
        form = aiohttp.FormData(default_to_multipart=True)
        operations = {"query": _UPLOAD, "variables": {"input": values}}
        form.add_field("operations", json.dumps(operations))
        form.add_field("map", json.dumps({"0": ["variables.input.file"]}))
        form.add_field("0", content, filename=f"{type_}.csv", content_type="text/csv")
        data = await self._post(data=form)
        return _import_id(data["createImport"])

    async def change(self, mutation: str, import_id: str) -> None:
        """Send `retryImport`, `cancelImport` or `releaseImport`; its user errors are ignored."""
        query = f"mutation ($id: ID!) {{ {mutation}(id: $id) {{ userErrors {{ code }} }} }}"
        await self._post(json={"query": query, "variables": {"id": import_id}})

    async def derive(self, mutation: str, import_id: str) -> str:
        """Send `applyImport` or `undoImport`, twice at the same moment; return the import that
        this makes."""
        query = (
            f"mutation ($id: ID!, $key: String!) {{ {mutation}(id: $id, idempotencyKey: $key)"
            " { import { id } userErrors { code message } } }"
        )
        request = {"query": query, "variables": {"id": import_id, "key": uuid4().hex}}

        async def send() -> str:
            return _import_id((await self._post(json=request))[mutation])

        one, two = await asyncio.gather(_patiently(send), _patiently(send))
        assert one == two, f"{mutation} was carried out twice"
        return one

    async def end(self, import_id: str) -> str:
        """Follow an import over a WebSocket, connecting again whenever that breaks; return its
        status at the end."""
        return await _patiently(lambda: self._end_once(import_id))

    async def _end_once(self, import_id: str) -> str:
        status = ""
        async with self._http.ws_connect(
            f"{self.url}/graphql", protocols=["graphql-transport-ws"]
        ) as socket:
            await socket.send_json({"type": "connection_init", "payload": self.headers})
            payload = {"query": _FOLLOW, "variables": {"id": import_id}}
            await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
            async for message in socket:
                if message.type != aiohttp.WSMsgType.TEXT:
                    break
                event = message.json()
                if event["type"] == "next" and (data := event["payload"].get("data")):
                    status = data["importUpdated"]["status"]
                elif event["type"] == "complete":
                    return status
                elif event["type"] == "error":
                    break
        raise UnavailableError("the subscription has ended before the import")

    async def _post(self, **request: Any) -> dict[str, Any]:
        async with self._http.post(
            f"{self.url}/graphql", headers=self.headers, **request
        ) as response:
            answer = await response.json(content_type=None)
        if "errors" in answer:
            [error] = answer["errors"]
            if error["extensions"]["code"] == "UNAVAILABLE":
                raise UnavailableError(error["message"])
            raise AssertionError(f"the API answered: {error}")
        data: dict[str, Any] = answer["data"]
        return data


class UnavailableError(Exception):
    """The API answered UNAVAILABLE."""


async def _patiently(attempt: Any) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return str(await attempt())
        except (OSError, aiohttp.ClientError, UnavailableError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def _import_id(payload: dict[str, Any]) -> str:
    assert payload["userErrors"] == [], payload
    return str(payload["import"]["id"])
