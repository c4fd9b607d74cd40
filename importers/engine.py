"""The engine: what a worker does when it is told that there is something to do."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from importers.fairness import Turns
from importers.mail_sender import send_mails
from importers.retention import purge
from importers.run.run_chunk import next_chunk, run_chunk
from importers.sdk.errors import RetryableError
from importers.split.split import SplitSettings, split_import
from models.db import connection
from models.mail import sweep_mails
from models.waiting import find_waiting, silent_imports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from importers.mail_sender import Carrier
    from importers.reading.limits import Limits
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.progress import ImportWork
    from models.waiting import Waiting

SWEEP_SECONDS = 3.0
_SILENT_SECONDS = 10.0
_ABANDONED_MAIL_SECONDS = 300.0
_MAILS_AT_ONCE = 100
# A file that is cut in less is run at once; while one takes longer, small imports are done.
_SHORT_SECONDS = 0.2
_SMALL_BYTES = 256 * 1024
_SMALL_ROWS = 2_000

logger = logging.getLogger(__name__)


class Bell(Protocol):
    """Tells workers that there is something to do, and readers that something has changed.

    A hint, no more: what is lost is made good by the sweeper.
    """

    async def split(self, import_id: int) -> None:
        """Ask for an import to be cut into chunks."""

    async def chunks(self, import_id: int) -> None:
        """Ask for the next chunk of an import to be run."""

    async def mails(self) -> None:
        """Ask for the outbox to be emptied."""

    async def changed(self, app_id: int, import_id: int) -> None:
        """Tell that an import has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything that workers do. Each method may be called twice, late, or by several at once.

    Args:
        importers: those that are on, by key.
        validators: those that are on, in the order in which they are asked.
        limits: what files may be like.
        chunk_rows: how many rows one transaction runs.
        carrier: sends the mails.
        takes_turns: look after other imports than those that were asked for, when they wait, too.
        retention_days: how long files and row results are kept after an import's end; 0: for ever.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    bell: Bell
    carrier: Carrier
    validators: Sequence[Validator] = ()
    takes_turns: bool = False
    retention_days: int = 0
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _turns: Turns = field(default_factory=Turns, init=False)

    async def split(self, import_id: int, *, is_to_run: bool = False) -> None:
        """Cut an import into chunks, or let another import have its turn.

        Args:
            is_to_run: run the first chunk at once if the file was a small one, so that it need not
                stand in the queue a second time behind whatever else is there.

        Raises:
            RetryableError: the database is not well.
        """
        if await self._let_others_first(import_id, self.bell.split):
            return
        splitting = asyncio.create_task(self._split(import_id, is_to_run=is_to_run))
        while not (await asyncio.wait([splitting], timeout=_SHORT_SECONDS))[0]:
            if self.takes_turns:
                await self._do_small_ones(import_id, splitting)
        await splitting

    async def run(self, import_id: int) -> None:
        """Run the next chunk of an import, or let another import have its turn.

        The bell is passed on before the work begins: as a rule each import has one hint in the
        queue, however many workers are at it, so that imports take turns.

        Raises:
            RetryableError: the database is not well.
        """
        if not await self._let_others_first(import_id, self.bell.chunks):
            await self._run(import_id)

    async def _split(self, import_id: int, *, is_to_run: bool) -> bool:
        """Cut an import into chunks; tell whether there was anything to do."""
        started = time.monotonic()
        settings = SplitSettings(
            importers=self.importers,
            limits=self.limits,
            chunk_rows=self.chunk_rows,
            together={each.together for each in self.validators if each.together},
            tell=self._tell,
        )
        with self._turns.working(import_id):
            work = await split_import(import_id, settings)
        if work is None:
            return False
        self._turns.served(work.app_id)
        await self.bell.changed(work.app_id, import_id)
        if is_to_run and time.monotonic() - started < _SHORT_SECONDS:
            await self._run_at_once(import_id)
        else:
            await self.bell.chunks(import_id)
        return True

    async def _run_at_once(self, import_id: int) -> None:
        """Run the first chunk of an import that was cut just now; ring for it if that fails.

        What is tried again must be a hint to run: one to cut would find nothing to do.
        """
        try:
            await self._run(import_id)
        except Exception as error:
            await self.bell.chunks(import_id)
            if not isinstance(error, RetryableError):
                raise

    async def _tell(self, work: ImportWork) -> None:
        await self.bell.changed(work.app_id, work.id)

    async def _run(self, import_id: int, *, is_rung: bool = True) -> bool:
        """Run a chunk; tell whether there was anything to do.

        Args:
            is_rung: a hint was taken for it, so that there is no other one of this import.
        """
        claim = await next_chunk(import_id)
        if claim is None:
            return False
        if claim.has_more and is_rung:
            await self.bell.chunks(import_id)
        with self._turns.working(import_id):
            end = await run_chunk(import_id, claim, self.importers, self.validators)
        if end is None:
            return False
        self._turns.served(end.app_id)
        await self.bell.changed(end.app_id, import_id)
        if end.has_successor:
            await self.bell.chunks(import_id)
        if end.has_mails:
            await self.bell.mails()
        return True

    async def _let_others_first(
        self, import_id: int, ring: Callable[[int], Awaitable[None]]
    ) -> bool:
        """Do a turn of another import if that has waited longer; ring again for this one.

        The other's own hint stays in the queue, and finds less to do.
        """
        if not (self.takes_turns and self._turns.is_look_due):
            return False
        async with connection() as db:
            waiting = await find_waiting(db)
        chosen = self._turns.choose(waiting)
        if chosen is None or chosen.id == import_id:
            return False
        try:
            if not await self._do(chosen):
                return False
        except Exception:
            logger.warning("import %d was put off to its own turn", chosen.id, exc_info=True)
            return False
        await ring(import_id)
        return True

    async def _do(self, waiting: Waiting) -> bool:
        """Do what comes next for an import that no hint was taken for."""
        if waiting.is_split:
            return await self._run(waiting.id, is_rung=False)
        return await self._split(waiting.id, is_to_run=True)

    async def _do_small_ones(self, import_id: int, splitting: asyncio.Task[bool]) -> None:
        """While this import's file is being cut, do small imports: this may be the only worker.

        What can't be done now is left to their own hints.
        """
        try:
            while not splitting.done():
                async with connection() as db:
                    small = await find_waiting(db, most_bytes=_SMALL_BYTES, most_rows=_SMALL_ROWS)
                chosen = self._turns.choose([each for each in small if each.id != import_id])
                if chosen is None or not await self._do(chosen):
                    return
        except Exception:
            logger.warning("a small import was put off to its own turn", exc_info=True)

    async def send_mails(self) -> None:
        """Send the mails that are due, unless this process is at it: a slow mail server must not
        hold all of its threads."""
        if self._sending.locked():
            return
        async with self._sending:
            has_more = await send_mails(self.carrier, most=_MAILS_AT_ONCE)
        if has_more:
            await self.bell.mails()

    async def sweep(self) -> None:
        """Ring again for what has waited too long, and delete what has been kept long enough."""
        async with connection() as db:
            to_split, to_run = await silent_imports(db, silent_for=_SILENT_SECONDS)
            has_mails = await sweep_mails(db, abandoned_after=_ABANDONED_MAIL_SECONDS)
        for import_id in to_split:
            await self.bell.split(import_id)
        for import_id in to_run:
            await self.bell.chunks(import_id)
        if has_mails:
            await self.bell.mails()
        await purge(self.retention_days)
