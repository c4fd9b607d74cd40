"""A client of the API, as an admin's program would use it."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATE_IMPORT = """
mutation ($input: CreateImportInput!) {
  createImport(input: $input) { import { id } userErrors { code message } }
}
"""
_STATUS = """
query ($id: ID!) {
  node(id: $id) { ... on Import { status failed } }
}
"""
_LEAST_POLL_SECONDS, _POLL_SHARE = 0.01, 0.01
FINAL = ("PROCESSED", "FAILED", "CANCELLED")


class Client:
    """Sends operations and uploads to one API with one token."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self.http = http
        self.url = url
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}", "GraphQL-Preflight": "1"}

    async def query(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Run an operation and return its data."""
        async with self.http.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers=self.headers,
        ) as response:
            answer = await response.json()
        if "errors" in answer:
            raise SystemExit(f"the API answers: {answer['errors']}")
        return answer["data"]

    async def upload(
        self,
        type_: str,
        name: str,
        file: bytes,
        file_name: str = "bench.csv",
        *,
        is_dry_run: bool = False,
    ) -> dict[str, Any]:
        """Upload a file; return the mutation's payload."""
        values = {"type": type_, "name": name, "file": None, "dryRun": is_dry_run}
        form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
        form.add_field(
            "operations", json.dumps({"query": CREATE_IMPORT, "variables": {"input": values}})
        )
        form.add_field("map", json.dumps({"0": ["variables.input.file"]}))
        form.add_field("0", io.BytesIO(file), filename=file_name)
        async with self.http.post(
            f"{self.url}/graphql", data=form, headers=self.headers
        ) as response:
            answer = await response.json()
        if "errors" in answer:
            raise SystemExit(f"the API answers: {answer['errors']}")
        payload: dict[str, Any] = answer["data"]["createImport"]
        return payload

    async def start(
        self,
        type_: str,
        name: str,
        file: bytes,
        file_name: str = "bench.csv",
        *,
        is_dry_run: bool = False,
    ) -> str:
        """Upload a file that is accepted; return the import's ID."""
        payload = await self.upload(type_, name, file, file_name, is_dry_run=is_dry_run)
        if payload["userErrors"]:
            raise SystemExit(f"the API refuses the file: {payload['userErrors']}")
        return str(payload["import"]["id"])

    async def wait(self, import_id: str, *, failed: int, status: str = "PROCESSED") -> None:
        """Poll until an import is finished; exit if it did not end as expected.

        The pauses grow with the time waited, because each query uses a core that is measured.
        """
        began = time.perf_counter()
        while True:
            found = (await self.query(_STATUS, {"id": import_id}))["node"]
            if found["status"] in (*FINAL, "HELD"):
                break
            waited = time.perf_counter() - began
            await asyncio.sleep(max(_LEAST_POLL_SECONDS, waited * _POLL_SHARE))
        if (found["status"], found["failed"]) != (status, failed):
            raise SystemExit(f"the import went wrong: {found}")
