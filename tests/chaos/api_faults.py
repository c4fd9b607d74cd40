"""Faults of the API."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aiohttp

from tests.chaos.client import UnavailableError
from tests.chaos.fault import Fault
from tests.chaos.run import Run, Running

_TYPES = ("assign", "modify", "remove")
_KILLS = 3
_DURATION = 0.5


async def _cut_uploads(run: Run) -> None:
    """Kill the API while it receives or stores a file; the client then sends the file again."""
    for type_ in run.random.sample(_TYPES, 1 if run.is_short else len(_TYPES)):
        file = await run.write(type_)
        key = uuid4().hex
        name = file.dataset.prefix
        upload = asyncio.create_task(run.client.upload_once(type_, name, file.content, key))
        await run.moment(_DURATION if run.random.random() < 0.5 else 0.05)
        run.site.kill_api()
        run.strike()
        try:
            id_ = await upload
        except (aiohttp.ClientError, OSError, UnavailableError):
            id_ = ""
        await _look_for_remains(run, name, is_known=bool(id_))
        run.site.start_api()
        await run.site.is_ready()
        id_ = await run.send(type_, name, file.content, key)
        run.imports.append(Running(id_, file, file.rows))
    run.over()
    await run.finish()


async def _look_for_remains(run: Run, name: str, *, is_known: bool) -> None:
    """Check that an import has its whole file or is not there, and that no parts are left over."""
    found = await run.site.query(
        "SELECT i.file_size, (SELECT sum(length(data)) FROM import_file_parts p"
        " WHERE p.import_id = i.id) AS stored FROM imports i WHERE name = $1",
        name,
    )
    if len(found) > 1:
        run.findings.double(f"import '{name}' ({len(found)} times)")
    if is_known and not found:
        run.findings.lose(f"import '{name}', whose ID the client has")
    for each in found:
        run.findings.compare(f"file of '{name}'", each["file_size"], each["stored"])
    [orphans] = await run.site.query(
        "SELECT count(*) FROM import_file_parts p"
        " WHERE NOT EXISTS (SELECT 1 FROM imports i WHERE i.id = p.import_id)"
    )
    run.findings.compare("parts of files of no import", 0, orphans["count"])
    run.findings.compare("temporary files", [], list(run.site.temporary.iterdir()))


async def _restart_under_subscribers(run: Run) -> None:
    await run.begin()
    watching = [asyncio.create_task(run.client.end(each.id)) for each in run.imports]
    for _ in range(1 if run.is_short else _KILLS):
        await run.moment(1.0)
        run.site.kill_api()
        run.strike()
        await run.moment(0.5)
        run.site.start_api()
    await run.site.is_ready()
    run.over()
    await run.ended()
    heard = await asyncio.gather(*watching)
    stored = {state["id"]: state["status"] for state in await run.states()}
    for each, status in zip(run.imports, heard, strict=True):
        run.findings.compare(f"the last event of import {each.key}", stored[each.key], status)
    await run.finish()


FAULTS = [
    Fault(
        name="upload-cut",
        promise="An upload that breaks off leaves no half import; sent again, it makes one import.",
        stage=_cut_uploads,
    ),
    Fault(
        name="api-restarted",
        promise="When the API restarts, subscribers connect again and miss no end.",
        stage=_restart_under_subscribers,
    ),
]
