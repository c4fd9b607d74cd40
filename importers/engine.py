"""The engine: what a worker does when it is told that there is something to do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from importers.outbox import send_mails
from importers.run import next_chunk, run_chunk
from importers.split import split_import
from models.db import connection
from models.mail import sweep_mails
from models.progress import waiting_imports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.base import Importer
    from importers.outbox import Carrier
    from importers.table import Limits

SWEEP_SECONDS = 3.0
_SILENT_SECONDS = 10.0
_ABANDONED_MAIL_SECONDS = 300.0
_MAILS_AT_ONCE = 100


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
        limits: what files may be like.
        chunk_rows: how many rows one transaction runs.
        carrier: sends the mails.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    bell: Bell
    carrier: Carrier
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def split(self, import_id: int) -> None:
        """Cut an import into chunks.

        Raises:
            RetryableError: the database is not well.
        """
        work = await split_import(
            import_id, self.importers, self.limits, chunk_rows=self.chunk_rows
        )
        if work:
            await self.bell.changed(work.app_id, import_id)
            await self.bell.chunks(import_id)

    async def run(self, import_id: int) -> None:
        """Run the next chunk of an import.

        The bell is passed on before the work begins: each import has one hint in the queue at any
        time, however many workers are at it, so that imports take turns.

        Raises:
            RetryableError: the database is not well.
        """
        claim = await next_chunk(import_id)
        if claim is None:
            return
        if claim.has_more:
            await self.bell.chunks(import_id)
        end = await run_chunk(import_id, claim, self.importers)
        if end is None:
            return
        await self.bell.changed(end.app_id, import_id)
        if end.has_successor:
            await self.bell.chunks(import_id)
        if end.has_mails:
            await self.bell.mails()

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
        """Ring again for what has waited too long."""
        async with connection() as db:
            to_split, to_run = await waiting_imports(db, silent_for=_SILENT_SECONDS)
            has_mails = await sweep_mails(db, abandoned_after=_ABANDONED_MAIL_SECONDS)
        for import_id in to_split:
            await self.bell.split(import_id)
        for import_id in to_run:
            await self.bell.chunks(import_id)
        if has_mails:
            await self.bell.mails()
