"""Running an import in this process to its end, without a broker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.engine import Engine
from importers.mail_sender import NoCarrier
from importers.reading.limits import Limits
from models.db import connection
from models.progress import read_work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.sdk.importer import Importer

_CHUNK_ROWS = 10_000
_POLL_SECONDS = 0.1


@dataclass(slots=True)
class LocalBell:
    """Remembers that there are chunks to run; what else is rung for is left to workers."""

    is_rung: bool = False

    async def split(self, import_id: int) -> None:
        """Do nothing: whoever has this bell cuts the import himself."""

    async def chunks(self, import_id: int) -> None:
        """Remember it."""
        self.is_rung = True

    async def mails(self) -> None:
        """Do nothing: mails wait in the outbox."""

    async def changed(self, app_id: int, import_id: int) -> None:
        """Do nothing: subscribers find out by polling."""


async def run_here(import_id: int, importers: Mapping[str, Importer]) -> None:
    """Run a stored import, and return once it is finished; its mails are left to workers.

    Workers may be at it too: what they have taken is waited for, and done here should they die.

    Args:
        importers: by key; what `plugins.toml` says does not matter.

    Raises:
        RetryableError: the database is not well; call it again.
    """
    bell = LocalBell()
    engine = Engine(
        importers=importers,
        limits=Limits(),
        chunk_rows=_CHUNK_ROWS,
        bell=bell,
        carrier=NoCarrier("mails are sent by workers alone"),
    )
    while True:
        await engine.split(import_id)
        bell.is_rung = True
        while bell.is_rung:
            bell.is_rung = False
            await engine.run(import_id)
        if await _is_finished(import_id):
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _is_finished(import_id: int) -> bool:
    async with connection() as db:
        return await read_work(db, import_id) is None
