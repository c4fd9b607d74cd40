"""Running an import in this process to its end, without a broker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importers.engine import Engine
from importers.mail_sender import NoTransport
from importers.reading.limits import Limits
from importers.statistics import analyze_after
from models.db import connection
from models.progress import read_work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.sdk.importer import Importer

_CHUNK_ROWS = 10_000
# How often to look whether other workers have finished their chunks.
_POLL_SECONDS = 0.1


@dataclass(slots=True)
class LocalQueue:
    """Remembers that there are chunks to run, and leaves the rest to workers and to polling."""

    has_chunks: bool = False

    async def enqueue_split(self, import_id: int) -> None:
        """Do nothing: `run_here` cuts the import itself."""

    async def enqueue_run(self, import_id: int) -> None:
        """Remember it."""
        self.has_chunks = True

    async def enqueue_send_mails(self) -> None:
        """Do nothing: mails wait in the outbox."""

    async def enqueue_send_webhooks(self) -> None:
        """Do nothing: messages to webhooks wait in the outbox."""

    async def notify_changed(self, app_id: int, import_id: int) -> None:
        """Do nothing: the hub polls."""


async def run_here(import_id: int, importers: Mapping[str, Importer]) -> None:
    """Run a stored import, and return once it is finished; its mails wait for a worker.

    Workers may run it at the same time: this waits for the chunks that they hold, and runs those
    of a worker that dies.

    Args:
        importers: by key; `plugins.toml` is not read.

    Raises:
        RetryableError: the database is not well; call it again.
    """
    queue = LocalQueue()
    engine = Engine(
        importers=importers,
        limits=Limits(),
        chunk_rows=_CHUNK_ROWS,
        queue=queue,
        mail_transport=NoTransport("mails are sent by workers alone"),
        on_end=[analyze_after],
    )
    while True:
        await engine.split(import_id)
        # One try in any case: no message announces chunks that a worker has left behind.
        queue.has_chunks = True
        while queue.has_chunks:
            queue.has_chunks = False
            await engine.run(import_id)
        async with connection() as db:
            if await read_work(db, import_id) is None:
                return
        await asyncio.sleep(_POLL_SECONDS)
