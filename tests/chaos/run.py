"""One staging of a fault: imports start, the fault comes, they end, and the results are checked."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from random import Random

import asyncpg

from tests.chaos.check import Checked, Findings, check
from tests.chaos.client import Client
from tests.chaos.dataset import insert_dataset, reopen
from tests.chaos.known_file import SHARES, Expected, KnownFile, cases_for, undone, write_file
from tests.chaos.site import Site

PHASES = {
    "split": 0.1,
    "chunks": 0.4,
    "retry": 0.15,
    "cancel": 0.05,
    "apply": 0.4,
    "undo": 0.4,
    "release": 0.4,
    "atomic": 0.8,
}
"""What the imports are doing when a fault comes, and about how many seconds that takes."""
PROMISED_SECONDS = 30.0
_END_SECONDS = 180.0
_POLL_SECONDS = 0.05
_SHORTER = 0.3
_SWEEP_SECONDS = 3.0
_KILL_SECONDS = 0.15
# Makes what the sweeper looks for a minute older.
_LET_TIME_PASS = """
    WITH chunks AS (
      UPDATE import_chunks SET attempted_at = attempted_at - interval '1 minute' WHERE id IN (
        SELECT id FROM import_chunks FOR UPDATE SKIP LOCKED))
    UPDATE imports SET notified_at = notified_at - interval '1 minute',
      split_at = split_at - interval '1 minute'
    WHERE id IN (
      SELECT id FROM imports WHERE status IN ('QUEUED', 'PROCESSING') FOR UPDATE SKIP LOCKED)
"""
_numbers = count(1)


@dataclass(slots=True)
class Running:
    """An import that was uploaded, and the results that its rows must have."""

    id: str
    file: KnownFile
    rows: Mapping[int, Expected]
    may_be_cancelled: bool = False
    undone: int | None = None

    @property
    def key(self) -> int:
        """Its primary key."""
        return key_of(self.id)


def key_of(import_id: str) -> int:
    """Return the primary key of an import."""
    return int(base64.b64decode(import_id).decode().partition(":")[2])


class Run:
    """What a fault is staged with.

    Args:
        rows: of each file.
        is_short: spend as little time as possible: the sweeper comes early, and `standstill` says
            nothing.
        phases: those of `PHASES` that a fault may come in.
    """

    def __init__(
        self,
        site: Site,
        client: Client,
        random: Random,
        rows: int,
        *,
        is_short: bool,
        phases: Sequence[str] = tuple(PHASES),
    ) -> None:
        self.site = site
        self.client = client
        self.random = random
        self.rows = rows
        self.is_short = is_short
        self.phases = phases
        self.uploads = 0
        self._strikes: list[float] = []
        self.imports: list[Running] = []
        self.findings = Findings()
        self.standstill = 0.0
        self._over_at: float | None = None
        self._phase_seconds = 0.0

    async def write(self, type_: str, rows: int | None = None) -> KnownFile:
        """Write a file, and insert the cases and users that it names."""
        rows = rows or self.rows
        prefix = f"{type_[0]}{next(_numbers):05}"
        db = await self.site.connect()
        try:
            dataset = await insert_dataset(
                db, prefix, cases_for(rows), self.random, share=SHARES[type_]
            )
        finally:
            await db.close()
        return write_file(type_, dataset, rows, self.random)

    async def upload(self, file: KnownFile, **options: bool) -> Running:
        """Upload a file."""
        id_ = await self.send(file.type, file.dataset.prefix, file.content, **options)
        running = Running(id_, file, file.rows)
        self.imports.append(running)
        return running

    async def send(
        self, type_: str, name: str, content: bytes, key: str = "", **options: bool
    ) -> str:
        """Upload any content; return the import's ID."""
        self.uploads += 1
        return await self.client.upload(type_, name, content, key, **options)

    async def begin(self, phase: str | None = None) -> None:
        """Start one import of each type; return when they are in that phase, or in a random one."""
        phase = phase or self.random.choice(self.phases)
        self._phase_seconds = PHASES[phase]
        files = [await self.write(type_) for type_ in SHARES]
        self.random.shuffle(files)
        special = {
            "apply": self._apply,
            "undo": self._undo,
            "release": self._release,
            "atomic": self._upload_whole,
        }
        if phase in special:
            await special[phase](files)
            return
        await asyncio.gather(*map(self.upload, files))
        if phase == "split":
            return
        if phase == "retry":
            await self.ended()
            await self._retry()
            return
        await self._progress()
        if phase == "cancel":
            for each in self.imports:
                each.may_be_cancelled = True
                await self.client.change("cancelImport", each.id)

    async def moment(self, longest: float | None = None) -> None:
        """Wait for a random part of the imports' phase, or of `longest` seconds."""
        seconds = self._phase_seconds if longest is None else longest
        await asyncio.sleep(self.random.uniform(0, seconds * (_SHORTER if self.is_short else 1)))

    async def kill_workers(self, times: int) -> None:
        """Kill a worker that many times, each time after a short moment."""
        for _ in range(times):
            await self.moment(_KILL_SECONDS)
            with suppress(ProcessLookupError, IndexError):
                os.kill(self.random.choice(self.site.workers()), signal.SIGKILL)
                self.strike()
        self.over()

    def strike(self) -> None:
        """Note that the fault happens now."""
        self._strikes.append(time.time())

    async def hits(self) -> int:
        """Count the strikes that came while an import was still running."""
        [last] = await self.site.query(
            "SELECT extract(epoch FROM max(coalesce(finished_at, now())))::float AS at FROM imports"
        )
        return sum(at <= last["at"] for at in self._strikes)

    def over(self) -> None:
        """Note that the fault is over: from now on imports must make progress."""
        self._over_at = time.monotonic()

    async def finish(self) -> None:
        """Wait for the end of all imports, and check their results."""
        await self.ended()
        await self.check()

    async def check(self) -> None:
        """Check all imports."""
        checked = [
            Checked(
                key=each.key,
                file=each.file,
                rows=each.rows,
                may_be_cancelled=each.may_be_cancelled,
                undone=each.undone,
            )
            for each in self.imports
        ]
        self.findings.add(await check(self.site, checked))

    async def ended(self, keys: Sequence[int] = ()) -> None:
        """Wait until imports have ended, all or those; note the longest time after the fault in
        which one of them made no progress."""
        deadline = time.monotonic() + _END_SECONDS
        seen: dict[int, tuple[int, float]] = {}
        aged = 0.0
        while True:
            running = [state for state in await self.states(keys) if not state["is_over"]]
            now = time.monotonic()
            for state in running:
                version, since = seen.get(state["id"], (0, now))
                if version != state["version"]:
                    seen[state["id"]] = (state["version"], now)
                elif self._over_at is not None:
                    self.standstill = max(self.standstill, now - max(since, self._over_at))
            if not running:
                return
            if self.is_short and self._over_at is not None and now > aged + _SWEEP_SECONDS:
                await self.site.query(_LET_TIME_PASS)
                aged = now
            if now > deadline:
                for state in running:
                    self.findings.fault(f"import {state['id']} has not ended: {dict(state)}")
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def is_over(self) -> bool:
        """Tell whether all imports have ended."""
        return all(state["is_over"] for state in await self.states())

    async def states(self, keys: Sequence[int] = ()) -> Sequence[asyncpg.Record]:
        """How far imports are, all or those."""
        return await self.site.query(
            "SELECT id, type, status, version, total, pending, attempts, status NOT IN"
            " ('QUEUED', 'PROCESSING') AS is_over FROM imports LEFT JOIN LATERAL ("
            " SELECT max(attempts) AS attempts FROM import_chunks WHERE import_id = imports.id)"
            " ON true WHERE id = ANY($1)",
            list(keys) or [each.key for each in self.imports],
        )

    async def _progress(self) -> None:
        """Wait until a first chunk is done, or for as long as that could take."""
        keys = [each.key for each in self.imports]
        begun = (
            "SELECT 1 FROM imports WHERE id = ANY($1) AND (pending < total OR status NOT IN"
            " ('QUEUED', 'PROCESSING'))"
        )
        for _ in range(1_000):
            if await self.site.query(begun, keys):
                return
            await asyncio.sleep(0.01)

    async def _retry(self) -> None:
        db = await self.site.connect()
        try:
            for each in self.imports:
                await reopen(db, each.file.dataset.prefix)
                each.rows = each.file.retried()
        finally:
            await db.close()
        for each in self.imports:
            await self.client.change("retryImport", each.id)

    async def _apply(self, files: Sequence[KnownFile]) -> None:
        plans = await asyncio.gather(
            *(
                self.send(file.type, file.dataset.prefix, file.content, dryRun=True)
                for file in files
            )
        )
        await self.ended([key_of(plan) for plan in plans])
        for file, plan in zip(files, plans, strict=True):
            applied = await self.client.derive("applyImport", plan)
            self.imports.append(Running(applied, file, file.planned()))

    async def _undo(self, files: Sequence[KnownFile]) -> None:
        done = await asyncio.gather(*map(self.upload, files))
        await self.ended()
        self.imports = []
        for each in done:
            newest = await self.site.query(
                "SELECT row FROM assignment_history WHERE import_id = $1 ORDER BY id DESC", each.key
            )
            rows = {
                number: undone(each.rows[found["row"]]) for number, found in enumerate(newest, 2)
            }
            undo = await self.client.derive("undoImport", each.id)
            self.imports.append(Running(undo, each.file, rows, undone=each.key))

    async def _release(self, files: Sequence[KnownFile]) -> None:
        await self.site.query("UPDATE apps SET requires_release = true")
        await asyncio.gather(*map(self.upload, files))
        await self.ended()
        await self.site.query("UPDATE apps SET requires_release = false")
        for state in await self.states():
            self.findings.compare(
                f"import {state['id']} before its release", "HELD", state["status"]
            )
        other = self.client.by(self.site.other_token)
        for each in self.imports:
            await other.change("releaseImport", each.id)

    async def _upload_whole(self, files: Sequence[KnownFile]) -> None:
        """Upload files all or nothing, some of them with failed rows."""
        chosen = [file.passing() if self.random.random() < 0.5 else file for file in files]
        for each in await asyncio.gather(*(self.upload(file, atomic=True) for file in chosen)):
            each.rows = each.file.whole()
        await self._progress()
