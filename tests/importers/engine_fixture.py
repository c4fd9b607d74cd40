"""An app with cases and users in a real database, and an engine with a fake queue."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple

from importers import Importer
from importers.builtin.add_cases import AddCases
from importers.builtin.add_users import AddUsers
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.modify_cases import ModifyCases
from importers.builtin.modify_users import ModifyUsers
from importers.builtin.remove import RemoveUsers
from importers.builtin.sync import SyncUsers
from importers.engine import Engine
from importers.plan_requests import request_apply, request_release
from importers.reading.limits import Limits
from importers.retry import Corrections, request_retry
from importers.sdk.errors import RetryableError
from importers.sdk.node_id import encode_node_id
from importers.undo.undo_import import UNDO, UndoImport
from importers.undo.undo_request import request_undo
from models.app import create_app
from models.audit import COMMAND_LINE, Actor
from models.db import connection, transaction
from models.file_part import store_file
from models.imports import ImportEnd
from models.mail import TakenMail
from models.new_import import NewName
from models.progress import request_cancel
from models.row import RowOutcome, RowStatus, find_rows, row_number

HEADERS = {
    "assign": "case_id,user_id,case_role_order,case_role_id,case_notify",
    "modify": "case_id,user_id,case_role_id,case_notify",
    "remove": "user_id,case_id",
    "sync": "case_id,user_id,case_role_order,case_role_id,case_notify",
    "add-users": "username,given_name,family_name,locale,zoneinfo,host_tag_id",
    "modify-users": ("user_id,given_name,family_name,locale,zoneinfo,host_tag_id,host_user_status"),
    "add-cases": "tag_id,case_status,date_opened,about",
    "modify-cases": "case_id,case_status,date_opened,about",
}
CASES = {"trv-001": True, "trv-002": False, "trv-003": True, "trv-004": True}
USERS = {"jack-001": True, "gone-001": False, "jones-001": True, "jill-001": True}
PAIRS = [f"{case},{user},,staff,0" for case in CASES for user in USERS]
EVENTS = 10_000
_numbers = count(1)


@dataclass
class FakeQueue:
    """Keeps the messages, to be drained by hand."""

    messages: deque[tuple[str, tuple[int, ...]]] = field(default_factory=deque)
    changes: list[int] = field(default_factory=list)
    ends: list[ImportEnd] = field(default_factory=list)

    async def enqueue_split(self, import_id: int) -> None:
        """Ask for an import to be cut into chunks."""
        self.messages.append(("split", (import_id,)))

    async def enqueue_run(self, import_id: int) -> None:
        """Ask for the next chunk of an import to be run."""
        self.messages.append(("run", (import_id,)))

    async def enqueue_send_mails(self) -> None:
        """Ask for the outbox to be emptied."""
        self.messages.append(("send_mails", ()))

    async def enqueue_send_webhooks(self) -> None:
        """Ask for the messages to webhooks to be sent."""
        self.messages.append(("send_webhooks", ()))

    async def notify_changed(self, app_id: int, import_id: int) -> None:
        """Note that an import has changed."""
        self.changes.append(import_id)

    async def notify_ended(self, end: ImportEnd) -> None:
        """Note that an import has ended."""
        self.changes.append(end.id)
        self.ends.append(end)


@dataclass
class FakeTransport:
    """Keeps the mails, or raises the next of `failures`."""

    sent: list[TakenMail] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def send(self, mail: TakenMail) -> None:
        """Take a mail, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(mail)


class Counts(NamedTuple):
    """An import as a client sees it."""

    status: str
    total: int | None
    passed: int
    failed: int
    cancelled: int
    created: int
    updated: int
    removed: int
    unchanged: int


class Result(NamedTuple):
    """A row's result, with the codes of its errors."""

    what: str
    message: str | None = None
    codes: tuple[str, ...] = ()


@dataclass
class EngineFixture:
    """An app and an engine."""

    app_id: int
    cases: Mapping[str, int]
    users: Mapping[str, int]
    roles: Mapping[str, int]
    engine: Engine
    queue: FakeQueue
    transport: FakeTransport

    def with_engine(
        self,
        *,
        chunk_rows: int | None = None,
        clock: Callable[[], float] | None = None,
        limits: Limits | None = None,
        **importers: Importer,
    ) -> EngineFixture:
        """Return the same world with another engine, and a queue of its own."""
        queue = FakeQueue()
        engine = replace(
            self.engine,
            queue=queue,
            on_end=[queue.notify_ended],
            chunk_rows=chunk_rows or self.engine.chunk_rows,
            clock=clock or self.engine.clock,
            limits=limits or self.engine.limits,
            importers={**self.engine.importers, **importers},
        )
        return replace(self, engine=engine, queue=queue)

    def case_id(self, tag: str) -> str:
        """Return the ID that the API shows for a case."""
        return encode_node_id("Case", self.cases[tag])

    def user_id(self, tag: str) -> str:
        """Return the ID that the API shows for a user."""
        return encode_node_id("User", self.users[tag])

    async def upload(
        self,
        type_: str,
        *rows: str,
        header: str | None = None,
        data: bytes | None = None,
        name: str | None = None,
        is_dry_run: bool = False,
        encoding: str | None = None,
        date_order: str | None = None,
        is_atomic: bool = False,
    ) -> int:
        """Store an import and its file, as the API does, without a message."""
        text = "\r\n".join([header or HEADERS.get(type_, ""), *rows])
        content = text.encode() if data is None else data
        async with transaction() as db:
            import_id = await db.fetchval(
                """
                INSERT INTO imports (app_id, type, name, source, is_dry_run, declared_encoding,
                  file_name, file_size, file_sha256, date_order, is_atomic)
                VALUES ($1, $2, $3, 'api', $4, $5, 'roster.csv', $6, '', $7, $8) RETURNING id
                """,
                self.app_id,
                type_,
                name or f"import {next(_numbers)}",
                is_dry_run,
                encoding,
                len(content),
                date_order,
                is_atomic,
            )
            await store_file(db, self.app_id, import_id, BytesIO(content))
        return int(import_id)

    async def split(self, type_: str, *rows: str, **options: Any) -> int:
        """Upload a file and cut it into chunks; none is run."""
        import_id = await self.upload(type_, *rows, **options)
        await self.engine.split(import_id)
        self.queue.messages.clear()
        return import_id

    async def put_first(self, import_id: int, cell: str) -> None:
        """Let the chunk that has a row with this cell be the first to be run."""
        await self.execute(
            """
            UPDATE import_chunks SET attempts = 1
            WHERE import_id = $1 AND position($2::bytea IN payload) = 0
            """,
            import_id,
            f'"{cell}"'.encode(),
        )

    async def run(self, type_: str, *rows: str, **options: Any) -> int:
        """Upload a file and do all that there is to do for it."""
        import_id = await self.upload(type_, *rows, **options)
        await self.queue.enqueue_split(import_id)
        await self.drain()
        return import_id

    async def drain(self, order: random.Random | None = None) -> None:
        """Do what the messages ask for, in their order or in any other, until there are none."""
        for _ in range(EVENTS):
            if not self.queue.messages:
                return
            if order:
                self.queue.messages.rotate(order.randrange(len(self.queue.messages)))
            name, arguments = self.queue.messages.popleft()
            try:
                await getattr(self.engine, name)(*arguments)
            except RetryableError:
                self.queue.messages.append((name, arguments))
        raise AssertionError("the messages do not come to an end")

    async def persevere(self, import_id: int, *, stubborn: bool = True) -> None:
        """Run an import's chunks to the end, as Dramatiq's retries and the sweeper do."""
        while (await self.counts(import_id)).status == "PROCESSING":
            try:
                await self.engine.run(import_id)
            except RetryableError:
                if not stubborn:
                    raise
                await asyncio.sleep(0.01)
            await asyncio.sleep(0)

    async def retry(
        self, import_id: int, corrections: Corrections | None = None, **where: Any
    ) -> None:
        """Ask for failed rows to be run again, and do it."""
        await self.request_retry(import_id, corrections, **where)
        await self.drain()

    async def request_retry(
        self, import_id: int, corrections: Corrections | None = None, **where: Any
    ) -> None:
        """Ask for failed rows to be run again."""
        async with transaction() as db:
            await request_retry(db, self.app_id, import_id, corrections, by=COMMAND_LINE, **where)
        await self.queue.enqueue_split(import_id)

    async def apply_plan(self, plan_id: int, name: str | None = None) -> int:
        """Apply a dry run, and do all that there is to do for it."""
        key = await self.request_apply(plan_id, name)
        await self.drain()
        return key

    async def request_apply(self, plan_id: int, name: str | None = None) -> int:
        """Ask for a dry run to be applied."""
        async with transaction() as db:
            new = NewName(name)
            key = await request_apply(db, self.app_id, plan_id, new, by=COMMAND_LINE)
        await self.queue.enqueue_split(key)
        return key

    async def undo(self, import_id: int, **options: Any) -> int:
        """Undo an import, and do all that there is to do for it."""
        key = await self.request_undo(import_id, **options)
        await self.drain()
        return key

    async def request_undo(
        self,
        import_id: int,
        *,
        is_dry_run: bool = False,
        within_days: int = 30,
        name: str | None = None,
    ) -> int:
        """Ask for an import to be undone."""
        async with transaction() as db:
            key = await request_undo(
                db, self.app_id, import_id, NewName(name), is_dry_run=is_dry_run,
                within_days=within_days, by=COMMAND_LINE,
            )  # fmt: skip
        await self.queue.enqueue_split(key)
        return key

    async def release(self, import_id: int, by: Actor) -> None:
        """Release a held import, and do all that there is to do for it."""
        async with transaction() as db:
            await request_release(db, self.app_id, import_id, by=by)
        await self.queue.enqueue_split(import_id)
        await self.drain()

    async def cancel(self, import_id: int) -> None:
        """Ask for an import to be cancelled, and do it."""
        async with transaction() as db:
            await request_cancel(db, self.app_id, import_id, by=COMMAND_LINE)
        await self.queue.enqueue_split(import_id)
        await self.drain()

    async def hold(self, import_id: int) -> dict[str, Any] | None:
        """Read why an import is held."""
        row = await self.fetchrow("SELECT hold FROM imports WHERE id = $1", import_id)
        return json.loads(row["hold"]) if row["hold"] else None

    async def counts(self, import_id: int) -> Counts:
        """Read the import's status and counters; they must add up."""
        row = await self.fetchrow(
            f"SELECT {', '.join(Counts._fields)}, pending, finished_at FROM imports WHERE id = $1",
            import_id,
        )
        counts = Counts(*[row[name] for name in Counts._fields])
        if row["finished_at"]:
            assert counts.passed + counts.failed + counts.cancelled == counts.total
            assert row["pending"] == 0
        assert counts.created + counts.updated + counts.removed + counts.unchanged == counts.passed
        return counts

    async def results(self, import_id: int) -> dict[int, Result]:
        """Read every row's result."""
        return {
            row_number(row["id"]): Result(
                RowOutcome(row["outcome"]).name
                if row["outcome"]
                else RowStatus(row["status"]).name,
                row["message"],
                tuple(error["code"] for error in row["errors"] or ()),
            )
            for row in await self._rows(import_id)
        }

    async def errors(self, import_id: int) -> dict[int, list[dict[str, Any]]]:
        """Read the errors of the failed rows."""
        return {
            row_number(row["id"]): row["errors"]
            for row in await self._rows(import_id)
            if row["errors"]
        }

    async def warnings(self, import_id: int) -> dict[int, list[dict[str, Any]]]:
        """Read the warnings of rows."""
        return {
            row_number(row["id"]): json.loads(row["warnings"])
            for row in await self._rows(import_id)
            if row["warnings"]
        }

    async def _rows(self, import_id: int) -> list[dict[str, Any]]:
        rows = await self.fetch(
            "SELECT * FROM import_rows WHERE id > $1::bigint << 32 AND id < ($1 + 1) << 32"
            " ORDER BY id",
            import_id,
        )
        return [
            {**row, "errors": json.loads(row["errors"]) if row["errors"] else None} for row in rows
        ]

    async def cells(self, import_id: int, *numbers: int) -> list[list[str]]:
        """Read the cells of rows."""
        async with connection() as db:
            found = await find_rows(db, import_id, numbers)
        return [list(found[number].cells) for number in numbers]

    async def assignments(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Read who is on which case, in which role and with which notify."""
        rows = await self.fetch(
            """
            SELECT c.tag_id, u.tag_id, r.key, a.notify::int FROM assignments a
            JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id
            JOIN roles r ON r.id = a.role_id WHERE a.app_id = $1 ORDER BY 1, 2
            """,
            self.app_id,
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    async def history(self, import_id: int) -> list[tuple[Any, ...]]:
        """Read each change: row, case, user, role and notify before and after."""
        rows = await self.fetch(
            """
            SELECT h.row, c.tag_id, u.tag_id, b.key, h.before_notify::int, a.key,
              h.after_notify::int
            FROM assignment_history h JOIN cases c ON c.id = h.case_id
            JOIN users u ON u.id = h.user_id LEFT JOIN roles b ON b.id = h.before_role_id
            LEFT JOIN roles a ON a.id = h.after_role_id WHERE h.import_id = $1 ORDER BY 1, h.id
            """,
            import_id,
        )
        return [tuple(row) for row in rows]

    async def mails(self, import_id: int) -> list[tuple[int, str]]:
        """Read the rows that have left mails, and these mails' states."""
        rows = await self.fetch(
            "SELECT row, state FROM mails WHERE import_id = $1 ORDER BY row", import_id
        )
        return [tuple(row) for row in rows]

    async def put(self, *pairs: tuple[str, str, str, int]) -> None:
        """Put users on cases without an import."""
        async with connection() as db:
            for case, user, role, notify in pairs:
                await db.execute(
                    "INSERT INTO assignments (app_id, case_id, user_id, role_id, notify)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    self.app_id,
                    self.cases[case],
                    self.users[user],
                    self.roles[role],
                    bool(notify),
                )

    async def set_active(self, table: str, tag: str, *, is_active: bool) -> None:
        """Open or close a case, enable or disable a user."""
        await self.execute(
            f"UPDATE {table} SET is_active = $3 WHERE app_id = $1 AND tag_id = $2",
            self.app_id,
            tag,
            is_active,
        )

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Run a query."""
        async with connection() as db:
            return list(await db.fetch(query, *arguments))

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Run a query for one row."""
        async with connection() as db:
            return await db.fetchrow(query, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement."""
        async with connection() as db:
            return str(await db.execute(query, *arguments))


def ticking(seconds: float = 0.001) -> Callable[[], float]:
    """Make a clock that goes on by some seconds each time it is read."""
    return partial(next, count(0.0, seconds))


async def make_world(*, chunk_rows: int = 1_000, slug: str = "demo") -> EngineFixture:
    """Make an app with a few cases and users; the database is open."""
    app = await create_app(slug, slug.title())
    async with connection() as db:
        # With four cases, any removal is a large one; the tests of guards switch them on.
        await db.execute("UPDATE apps SET remove_percent = NULL WHERE id = $1", app.id)
        cases = await _insert(db, app.id, "cases", CASES)
        users = await _insert(db, app.id, "users", USERS)
        rows = await db.fetch("SELECT key, id FROM roles WHERE app_id = $1", app.id)
    queue, transport = FakeQueue(), FakeTransport()
    engine = Engine(
        importers={
            "assign": AssignUsers("assign"),
            "modify": ModifyAssignments("modify"),
            "remove": RemoveUsers("remove"),
            "sync": SyncUsers("sync"),
            "add-users": AddUsers("add-users"),
            "modify-users": ModifyUsers("modify-users"),
            "add-cases": AddCases("add-cases"),
            "modify-cases": ModifyCases("modify-cases"),
            UNDO: UndoImport(UNDO),
        },
        limits=Limits(),
        chunk_rows=chunk_rows,
        queue=queue,
        mail_transport=transport,
        on_end=[queue.notify_ended],
        serves_others=True,
        clock=ticking(),
    )
    return EngineFixture(
        app.id, cases, users, {row[0]: row[1] for row in rows}, engine, queue, transport
    )


async def _insert(db: Any, app_id: int, table: str, tags: Mapping[str, bool]) -> dict[str, int]:
    column = "email" if table == "users" else "about"
    rows: Sequence[Any] = await db.fetch(
        f"""
        INSERT INTO {table} (app_id, tag_id, is_active, {column})
        SELECT $1, t, a, t || '@example.org' FROM unnest($2::text[], $3::bool[]) AS n(t, a)
        RETURNING tag_id, id
        """,
        app_id,
        list(tags),
        list(tags.values()),
    )
    return {row[0]: row[1] for row in rows}
