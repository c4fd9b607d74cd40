"""Whole journeys of a client: `caseroll up`, GraphQL over HTTP, events over a WebSocket."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from gql import Client, FileVar, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport

from models.database_url import credentials
from tests.acceptance.program import children_of, launch, wait_until_ready

SAMPLES = {
    "assign": "case_id,user_id,case_role_order,case_role_id,case_notify\r\n"
    "trv-001,jack-001,,staff,0\r\n",
    "modify": "case_id,user_id,case_role_id,case_notify\r\ntrv-001,jones-001,staff,0\r\n",
    "remove": "user_id,case_id\r\njones-001,trv-001\r\n",
}
CREATE = gql(
    """
    mutation ($input: CreateImportInput!) {
      createImport(input: $input) { import { id status } userErrors { code message field } }
    }
    """
)
FOLLOW = gql(
    """
    subscription ($id: ID!) {
      importUpdated(id: $id) {
        status total passed failed cancelled created updated removed unchanged progress
      }
    }
    """
)
ROWS = gql(
    """
    query ($id: ID!, $after: String, $status: [RowStatus!]) {
      import(id: $id) { rows(first: 100, after: $after, status: $status) {
        totalCount
        edges { node { number status outcome message errors { code column message suggestion } } }
        pageInfo { hasNextPage endCursor }
      } }
    }
    """
)


class System:
    """`caseroll up --demo` with two workers, as its clients see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._up: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._up = launch(["up", "--demo", "--workers", "2"], cwd=self.folder)
        wait_until_ready(self._up)
        self.url = (self.folder / ".caseroll/url").read_text().strip()

    def stop(self) -> None:
        assert self._up
        self._up.terminate()
        self._up.communicate(timeout=40)
        assert self._up.returncode == 0

    def kill_worker(self) -> None:
        """Kill one of its worker processes with -9."""
        assert self._up
        children = children_of(self._up.pid).items()
        os.kill(next(pid for pid, command in children if "api.worker" in command), signal.SIGKILL)

    @property
    def headers(self) -> dict[str, str]:
        token = (self.folder / ".caseroll/admin.token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    async def execute(self, document: Any, **variables: Any) -> dict[str, Any]:
        document.variable_values = variables
        transport = AIOHTTPTransport(
            f"{self.url}/graphql", headers={**self.headers, "GraphQL-Preflight": "1"}
        )
        async with Client(transport=transport, execute_timeout=60) as session:
            return await session.execute(document, upload_files=True)

    async def upload(self, type_: str, name: str, text: str, **more: Any) -> str:
        """Upload a file and return the import's ID."""
        file = FileVar(io.BytesIO(text.encode()), filename=f"{type_}.csv")
        values = {"name": name, "type": type_, "file": file, **more}
        payload = (await self.execute(CREATE, input=values))["createImport"]
        assert payload["userErrors"] == []
        return str(payload["import"]["id"])

    async def follow(self, import_id: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the import's states to its end."""
        FOLLOW.variable_values = {"id": import_id}
        transport = WebsocketsTransport(
            f"ws{self.url.removeprefix('http')}/graphql",
            init_payload=self.headers,
            subprotocols=["graphql-transport-ws"],
        )
        async with Client(transport=transport) as session:
            async for event in session.subscribe(FOLLOW):
                yield event["importUpdated"]

    async def end(self, import_id: str) -> dict[str, Any]:
        """Wait for the import's end and return its last state."""
        state: dict[str, Any] = {}
        async for state in self.follow(import_id):  # noqa: B007
            pass
        return state

    async def rows(self, import_id: str, *status: str) -> list[dict[str, Any]]:
        """Page through all row results, or those in some states."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            arguments = {"id": import_id, "after": after, "status": list(status) or None}
            rows = (await self.execute(ROWS, **arguments))["import"]["rows"]
            found += [edge["node"] for edge in rows["edges"]]
            if not rows["pageInfo"]["hasNextPage"]:
                assert rows["totalCount"] == len(found)
                return found
            after = rows["pageInfo"]["endCursor"]

    async def sql(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Look behind the scenes."""
        url = (self.folder / ".caseroll/database.url").read_text().strip()
        db = await asyncpg.connect(**credentials(url))
        try:
            return list(await db.fetch(query, *arguments))
        finally:
            await db.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all journeys; each works on cases of its own."""
    system = System(tmp_path_factory.mktemp("journeys"))
    system.start()
    yield system
    system.stop()


async def test_samples_over_a_subscription(system: System) -> None:
    """Each sample passes on the demo data; its subscriber sees progress grow to its end."""
    outcomes = {}
    for type_, text in SAMPLES.items():
        import_id = await system.upload(type_, f"sample {type_}", text)
        states = [state async for state in system.follow(import_id)]
        progress = [state["progress"] for state in states]
        assert progress == sorted(progress)
        assert states[-1]["status"] == "PROCESSED"
        outcomes[type_] = [row["outcome"] for row in await system.rows(import_id)]

    assert outcomes == {"assign": ["CREATED"], "modify": ["UPDATED"], "remove": ["REMOVED"]}


BAD_ROWS = [
    (",jack-001,,staff,0", ["REQUIRED"]),
    ("trv-01,jack-001,,staff,0", ["NOT_FOUND"]),
    ("1E+05,jack-001,,staff,0", ["SPREADSHEET_DAMAGE"]),
    ("trv-022,jones-1,,staff,0", ["NOT_FOUND"]),
    ("trv-022,jack-001,x,staff,0", ["NOT_BLANK"]),
    ("trv-022,jack-001,,staf,0", ["INVALID_CHOICE"]),
    ("trv-022,jack-001,,staff,2", ["INVALID_FLAG"]),
    ("trv-020,jack-001", ["CASE_CLOSED", "REQUIRED"]),
    ("trv-020,jack-001,,staff,0,0", ["TOO_MANY_CELLS"]),
    ("trv-\x01020,jack-001,,staff,0", ["CONTROL_CHARACTER"]),
    (f"{'x' * 10_001},jack-001,,staff,0", ["TOO_LONG"]),
    ("trv-2o,jones-1,x,staf,2", ["NOT_FOUND", "NOT_FOUND", "NOT_BLANK", "INVALID_CHOICE",
                                 "INVALID_FLAG"]),
    ("trv-020,jack-001,,staff,0", ["CASE_CLOSED"]),
    ("trv-021,jack-001,,clients,0", ["CONFLICTS_WITH_ROW"]),
]  # fmt: skip


async def test_every_kind_of_bad_row(system: System) -> None:
    """Every error of every row is reported, and the good rows between them take effect."""
    lines = [line for line, _ in BAD_ROWS]
    good = ["trv-021,jack-001,,staff,0", "trv-021,jack-001,,role::staff,no"]
    text = "\n".join([SAMPLES["assign"].partition("\r\n")[0], *good, *lines])

    import_id = await system.upload("assign", "every kind of bad row", text)
    end = await system.end(import_id)
    rows = await system.rows(import_id)

    assert (end["total"], end["passed"], end["failed"]) == (16, 2, 14)
    assert [row["number"] for row in rows] == list(range(2, 18))
    assert [row["outcome"] for row in rows[:2]] == ["CREATED", "UNCHANGED"]
    assert rows[1]["message"] == "repeats row 2"
    found = [[error["code"] for error in row["errors"]] for row in rows[2:]]
    assert found == [codes for _, codes in BAD_ROWS]
    assert rows[3]["errors"][0] == {
        "code": "NOT_FOUND",
        "column": "case_id",
        "message": "Case Id: no case has the Tag ID or ID 'trv-01'; did you mean 'trv-001'?",
        "suggestion": "trv-001",
    }
    assert rows[5]["errors"][0]["suggestion"] == "jones-001"


async def test_mended_failed_rows(system: System) -> None:
    """The download of failed rows, mended, passes as a new upload."""
    header = SAMPLES["assign"].partition("\r\n")[0]
    text = f"{header}\ntrv-032,jack-001,,staff,0\ntrv-033,jack-001,,stafff,0\n"
    import_id = await system.upload("assign", "to be mended", text)
    await system.end(import_id)
    url = await system.execute(gql("query ($id: ID!) { import(id: $id) { failedRowsUrl } }"),
                               id=import_id)  # fmt: skip

    async with (
        aiohttp.ClientSession(headers=system.headers) as session,
        session.get(system.url + url["import"]["failedRowsUrl"]) as response,
    ):
        download = (await response.read()).decode("utf-8-sig")
    again = await system.upload("assign", "mended", download.replace("stafff,", "staff,", 1))
    end = await system.end(again)

    assert download.splitlines()[0] == f"{header},row,errors"
    assert (end["status"], end["created"]) == ("PROCESSED", 1)


def caseroll(system: System, *arguments: str) -> tuple[int, str]:
    with launch(arguments, cwd=system.folder) as popen:
        output, _ = popen.communicate(timeout=60)
    return popen.returncode, output


async def test_a_group_mended_at_once(system: System) -> None:
    """Of 412 rows with the same mistyped ID, the command line says so, and mends all at once."""
    await system.sql("INSERT INTO cases (app_id, tag_id) SELECT 1, 'mend-' || i"
                     " FROM generate_series(1, 412) i")  # fmt: skip
    lines = [f"mend-{i},jonez-001,,staff,0" for i in range(1, 413)]
    lines += ["mend-1,jack-001,,stafff,0", "mend-2,jack-001,,staff,0"]
    text = "\n".join([SAMPLES["assign"].partition("\r\n")[0], *lines])
    end = await system.end(await system.upload("assign", "mistyped", text))
    _, shown = caseroll(system, "groups", "mistyped", "--json")
    [largest, other] = [edge["node"] for edge in json.loads(shown)["edges"]]
    where = ["--column", largest["column"], "--code", largest["code"], "--value", largest["value"]]
    retried = caseroll(system, "retry", "mistyped", *where, "--set", "user_id=jones-001")
    again = caseroll(system, "retry", "mistyped", *where)

    assert (end["passed"], end["failed"]) == (1, 413)
    assert (largest["count"], largest["rows"], largest["suggestion"]) == (
        412, ["2-413"], "jones-001",
    )  # fmt: skip
    assert (other["count"], other["code"]) == (1, "INVALID_CHOICE")
    assert retried[0] == 1
    assert "413 passed, 1 failed" in retried[1]
    assert again == (2, "Error: No failed row has such an error.\n")


@pytest.mark.timeout(600)
async def test_large_file_through_faults(system: System) -> None:
    """300,000 rows on two workers, one of them killed and everything restarted in the middle,
    have the effect that they would have on a perfect day."""
    await system.sql("INSERT INTO cases (app_id, tag_id) SELECT 1, 'big-' || i"
                     " FROM generate_series(1, 3000) i")  # fmt: skip
    await system.sql("INSERT INTO users (app_id, tag_id, email) SELECT 1, 'many-' || i,"
                     " 'many-' || i || '@example.org' FROM generate_series(1, 100) i")  # fmt: skip
    lines = [f"big-{i // 100 + 1},many-{i % 100 + 1},,staff,0" for i in range(299_000)]
    lines += [f"nowhere,many-{i % 100 + 1},,staff,0" for i in range(500)]
    lines += lines[:500]
    text = "\n".join([SAMPLES["assign"].partition("\r\n")[0], *lines])

    import_id = await system.upload("assign", "large", text)
    await _at_progress(system, import_id, 0.1)
    system.kill_worker()
    await _at_progress(system, import_id, 0.3)
    system.stop()
    system.start()
    end = await system.end(import_id)

    assert (end["status"], end["total"], end["progress"]) == ("PROCESSED", 300_000, 1.0)
    assert (end["created"], end["unchanged"], end["failed"]) == (299_000, 500, 500)
    stored = await system.sql(
        "SELECT (SELECT count(*) FROM assignments a JOIN cases c ON c.id = a.case_id"
        " WHERE c.tag_id LIKE 'big-%'), (SELECT count(*) FROM assignment_history"
        " WHERE after_role_id IS NOT NULL AND import_id = i.id),"
        " (SELECT count(*) FROM import_rows WHERE id >> 32 = i.id)"
        " FROM imports i WHERE name = 'large'"
    )
    assert tuple(stored[0]) == (299_000, 299_000, 300_000)
    numbers = Counter(row["number"] for row in await system.rows(import_id, "FAILED"))
    assert numbers == Counter(range(299_002, 299_502))


async def _at_progress(system: System, import_id: str, progress: float) -> None:
    async for state in system.follow(import_id):
        if state["progress"] >= progress:
            return
