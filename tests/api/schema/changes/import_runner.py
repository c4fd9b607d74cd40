"""Imports that are uploaded through the API and run in the test's own process."""

from __future__ import annotations

from typing import Any

from importers import Importer
from importers.plugins.registry import load
from importers.run_inline import run_here
from tests.api.api_fixture import Api, node_id, sql

HEADERS = {
    "assign": "case_id,user_id,case_role_id,case_notify",
    "modify": "case_id,user_id,case_role_id,case_notify",
    "remove": "case_id,user_id",
    "sync": "case_id,user_id,case_role_id,case_notify",
    "add-users": "username,given_name,family_name,locale,zoneinfo,host_tag_id",
    "modify-users": "user_id,given_name,locale,host_tag_id,host_user_status",
    "add-cases": "tag_id,case_status,date_opened,about",
    "modify-cases": "case_id,case_status,date_opened,about",
}


async def run(api: Api, type_: str, *rows: str, is_dry_run: bool = False) -> str:
    """Upload rows, run them, and return the import's ID."""
    count = await sql("fetchval", "SELECT count(*) FROM imports")
    content = "\n".join([HEADERS[type_], *rows]).encode()
    payload = await api.upload(content, type=type_, name=f"import {count}", dryRun=is_dry_run)
    assert payload["userErrors"] == []
    key = await sql("fetchval", "SELECT max(id) FROM imports")
    await run_here(key, load().importers)
    return str(payload["import"]["id"])


async def run_custom(
    api: Api, importer: Importer, content: str, *, is_dry_run: bool = False
) -> str:
    """Run a file of a custom importer, which the API need not know, and return the import's ID."""
    await api.upload(name="custom", dryRun=is_dry_run)
    key = await sql("fetchval", "SELECT max(id) FROM imports")
    await sql("execute", "UPDATE imports SET type = $2 WHERE id = $1", key, importer.key)
    await sql(
        "execute",
        "UPDATE import_file_parts SET data = $2 WHERE import_id = $1",
        key,
        content.encode(),
    )
    await run_here(key, {importer.key: importer})
    return node_id("Import", key)


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]
