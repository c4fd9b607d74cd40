"""Compare the database, the sent mails and webhooks with the known results of a file."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from importers.sdk.node_id import encode_node_id
from tests.chaos.dataset import Dataset, Pair, State
from tests.chaos.hook_server import HookServer
from tests.chaos.known_file import Expected, KnownFile
from tests.chaos.mail_server import MailServer
from tests.chaos.site import Site

STATUS = {1: "PASSED", 2: "FAILED", 3: "CANCELLED"}
OUTCOME = {1: "CREATED", 2: "UPDATED", 3: "REMOVED", 4: "UNCHANGED", None: None}
_MAIL_SECONDS = 60.0
# A worker has the time to send a message before it is sent once more.
_CUT_SECONDS = 1.0
_CANCELLED = Expected("CANCELLED")


@dataclass(slots=True)
class Findings:
    """What was checked, and what was wrong.

    Args:
        unknown: mails in the state UNKNOWN: sent or not.
        details: a sentence for each thing that is lost, doubled or wrong.
    """

    rows: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    unknown: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or wrong."""
        return not (self.lost or self.doubled or self.wrong)

    def lose(self, what: str) -> None:
        """Note that something is missing."""
        self.lost += 1
        self.details.append(f"lost: {what}")

    def double(self, what: str) -> None:
        """Note that something is there more than once."""
        self.doubled += 1
        self.details.append(f"doubled: {what}")

    def fault(self, what: str) -> None:
        """Note that something is wrong."""
        self.wrong += 1
        self.details.append(f"wrong: {what}")

    def compare(self, what: str, expected: object, actual: object) -> None:
        """Note a difference."""
        if expected != actual:
            self.fault(f"{what} is {actual}, not {expected}")

    def count(self, what: str, expected: Iterable[Any], actual: Iterable[Any]) -> None:
        """Note what is there less or more often than expected."""
        wanted, found = Counter(iter(expected)), Counter(iter(actual))
        for each, times in (wanted - found).items():
            self.lose(f"{what} {each} ({times} times)")
        for each, times in (found - wanted).items():
            note = self.double if each in wanted else self.fault
            note(f"{what} {each} ({times} times)")

    def add(self, other: Findings) -> None:
        """Add other findings to these."""
        for name in ("rows", "lost", "doubled", "wrong", "unknown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.details += other.details


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An import to be checked.

    Args:
        key: its primary key.
        rows: the result that each row must have.
        may_be_cancelled: rows may be CANCELLED instead, without any effect.
        undone: the import that it undoes.
    """

    key: int
    file: KnownFile
    rows: Mapping[int, Expected]
    may_be_cancelled: bool = False
    undone: int | None = None


async def check(site: Site, imports: Iterable[Checked]) -> Findings:
    """Check imports that have ended."""
    findings = Findings()
    db = await site.connect()
    try:
        for each in imports:
            await _Inspector(db, site.mail_server, site.hook_server, each, findings).inspect()
    finally:
        await db.close()
    return findings


async def read_results(db: asyncpg.Connection, key: int) -> list[tuple[int, Expected]]:
    """The results of an import's rows, with their numbers."""
    rows = await db.fetch(
        "SELECT id & 4294967295 AS number, status, outcome, errors FROM import_rows"
        " WHERE id >> 32 = $1",
        key,
    )
    return [
        (
            row["number"],
            Expected(
                STATUS[row["status"]],
                OUTCOME[row["outcome"]],
                tuple(error["code"] for error in json.loads(row["errors"] or "[]")),
            ),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Inspector:
    """Looks at one import."""

    db: asyncpg.Connection
    mail_server: MailServer
    hook_server: HookServer
    checked: Checked
    findings: Findings

    @property
    def name(self) -> str:
        return f"import {self.checked.key} ({self.checked.file.type})"

    @property
    def dataset(self) -> Dataset:
        return self.checked.file.dataset

    async def inspect(self) -> None:
        results = await read_results(self.db, self.checked.key)
        rows = dict(self.checked.rows)
        if self.checked.may_be_cancelled:
            cancelled = {number for number, result in results if result.status == "CANCELLED"}
            rows |= dict.fromkeys(cancelled & rows.keys(), _CANCELLED)
        self.findings.rows += len(rows)
        self.compare_results(rows, results)
        await self.compare_counters(rows)
        changes = {number: row for number, row in rows.items() if row.pair}
        await self.compare_history(changes)
        await self.compare_assignments(changes)
        await self.compare_mails({number: row for number, row in changes.items() if row.has_mail})
        await self.compare_webhooks()

    def compare_results(
        self, rows: Mapping[int, Expected], results: list[tuple[int, Expected]]
    ) -> None:
        numbers = [number for number, _ in results]
        self.findings.count(f"result of {self.name}, row", rows, numbers)
        for number, result in results:
            if number in rows:
                self.findings.compare(f"{self.name}, row {number}", rows[number][:3], result[:3])

    async def compare_counters(self, rows: Mapping[int, Expected]) -> None:
        statuses = Counter(row.status for row in rows.values())
        outcomes = Counter(row.outcome for row in rows.values())
        status = "PROCESSED" if statuses["PASSED"] else "FAILED"
        expected = {
            "status": "CANCELLED" if statuses["CANCELLED"] else status,
            "total": len(rows),
            "pending": 0,
            **{name.lower(): statuses[name] for name in STATUS.values()},
            **{name.lower(): outcomes[name] for name in OUTCOME.values() if name},
        }
        key = self.checked.key
        found = await self.db.fetchrow("SELECT * FROM imports WHERE id = $1", key)
        self.findings.compare(self.name, expected, {each: found[each] for each in expected})
        left = "SELECT count(*) FROM import_chunks WHERE import_id = $1"
        self.findings.compare(f"chunks left of {self.name}", 0, await self.db.fetchval(left, key))

    async def compare_history(self, changes: Mapping[int, Expected]) -> None:
        history = await self.db.fetch(
            "SELECT h.row, c.tag_id, u.tag_id, b.key, h.before_notify, a.key, h.after_notify"
            " FROM assignment_history h JOIN cases c ON c.id = h.case_id"
            " JOIN users u ON u.id = h.user_id LEFT JOIN roles b ON b.id = h.before_role_id"
            " LEFT JOIN roles a ON a.id = h.after_role_id"
            " WHERE (h.import_id = $1 OR c.tag_id LIKE $2 || '-%')"
            " AND h.import_id IS DISTINCT FROM $3",
            self.checked.key,
            self.dataset.prefix,
            self.checked.undone,
        )
        nothing = (None, None)
        self.findings.count(
            f"history of {self.name}",
            [
                (number, *(row.pair or ()), *(row.before or nothing), *(row.after or nothing))
                for number, row in changes.items()
            ],
            map(tuple, history),
        )

    async def compare_assignments(self, changes: Mapping[int, Expected]) -> None:
        expected: dict[Pair, State | None] = dict(self.dataset.present)
        expected |= {row.pair: row.after for row in changes.values() if row.pair}
        found = await self.db.fetch(
            "SELECT c.tag_id, u.tag_id, r.key, a.notify FROM assignments a"
            " JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id"
            " JOIN roles r ON r.id = a.role_id WHERE c.tag_id LIKE $1 || '-%'",
            self.dataset.prefix,
        )
        self.findings.count(
            f"assignment after {self.name}",
            [(*pair, *state) for pair, state in expected.items() if state],
            map(tuple, found),
        )

    async def compare_mails(self, wanted: Mapping[int, Expected]) -> None:
        mails = await self.mails_that_left()
        self.findings.count(f"mail of {self.name}, row", wanted, [mail["row"] for mail in mails])
        for mail in mails:
            if mail["row"] not in wanted:
                continue
            times = self.mail_server.received[_envelope(wanted[mail["row"]])]
            what = f"mail of {self.name}, row {mail['row']}, {mail['state']}, came {times} times"
            if times > 1:
                self.findings.double(what)
            elif mail["state"] in ("SENDING", "UNKNOWN"):
                self.findings.unknown += 1
            elif (mail["state"], times) != ("SENT", 1):
                self.findings.lose(what)

    async def mails_that_left(self) -> list[asyncpg.Record]:
        """Wait until all mails have left, but for those whose sender was stopped in the middle."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while True:
            mails = await self.db.fetch(
                "SELECT row, state, state = 'PENDING' OR (state = 'SENDING' AND"
                " next_attempt_at > now() - interval '5 s') AS is_waiting FROM mails"
                " WHERE import_id = $1",
                self.checked.key,
            )
            if not any(mail["is_waiting"] for mail in mails) or time.monotonic() > deadline:
                return list(mails)
            await asyncio.sleep(0.1)

    async def compare_webhooks(self) -> None:
        """Check that each end has one message, which arrived, and that no other has arrived."""
        rows = await self.messages_that_left()
        finished_at = "SELECT to_jsonb(finished_at) #>> '{}' FROM imports WHERE id = $1"
        last = await self.db.fetchval(finished_at, self.checked.key)
        ends = [row["finished_at"] for row in rows]
        self.findings.count(f"message of {self.name}, end", {*ends, last}, ends)
        for row in rows:
            bodies = self.hook_server.bodies[row["node_id"]]
            if row["node_id"] not in self.hook_server.accepted:
                self.findings.lose(f"message {row['id']} of {self.name}: {dict(row)}")
            self.findings.compare(f"bodies of message {row['id']}", 1, len(bodies))
        told = f'"id":"{encode_node_id("Import", self.checked.key)}"'.encode()
        with self.hook_server.lock:
            received = dict(self.hook_server.bodies)
        arrived = [key for key, bodies in received.items() if any(told in body for body in bodies)]
        # What is told before the commit may be of an end that never was.
        self.findings.compare(
            f"messages of {self.name}", {row["node_id"] for row in rows}, set(arrived)
        )

    async def messages_that_left(self) -> list[Any]:
        """Wait until the receiver has taken all messages, for which the pauses are cut short."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while True:
            await self.db.execute(
                "UPDATE webhook_deliveries SET next_attempt_at = now()"
                " WHERE import_id = $1 AND status = 'PENDING' AND next_attempt_at > now()",
                self.checked.key,
            )
            rows = await self.db.fetch(
                "SELECT id, status, attempts, error, state ->> 'finished_at' AS finished_at,"
                " replace(encode(convert_to('WebhookDelivery:' || id, 'UTF8'), 'base64'), E'\\n',"
                " '') AS node_id FROM webhook_deliveries WHERE import_id = $1 ORDER BY id",
                self.checked.key,
            )
            is_over = all(row["status"] == "DELIVERED" for row in rows)
            if is_over or time.monotonic() > deadline:
                return list(rows)
            await asyncio.sleep(_CUT_SECONDS)


def _envelope(row: Expected) -> tuple[str, str]:
    case, user = row.pair or ("", "")
    subject = f"You are on case {case}" if row.before is None else f"Your role on case {case}"
    return f"{user}@example.org", subject
