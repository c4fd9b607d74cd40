"""The engine: what a worker does for each message, and in its rounds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from importers.fairness import Fairness
from importers.isolation.process_limits import note_exhausted
from importers.mail_sender import MailSender
from importers.retention import purge, purge_own_tables
from importers.run.run_chunk import next_chunk, run_chunk
from importers.run.run_whole import run_whole
from importers.sdk.errors import RetryableError
from importers.split.split import SplitSettings, split_import
from importers.webhook_sender import WebhookSender
from models.blocked_sessions import BlockedSessions
from models.db import connection, is_passing
from models.imports import ImportEnd
from models.mail import sweep_mails
from models.waiting import find_waiting, silent_imports
from models.webhook import is_delivery_due

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from importers.mail_sender import MailTransport
    from importers.reading.format_reader import FormatReader
    from importers.reading.limits import Limits
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from importers.webhook_sender import WebhookTransport
    from models.own_table import OwnTable
    from models.waiting import WaitingImport

EndListener: TypeAlias = Callable[[ImportEnd], Awaitable[None]]
"""Is called after the end is committed, once for each end, but not if the worker dies in between:
what must not miss an end has to look for `finished_at` in the database as well. The worker waits
for it, and logs its exceptions."""

# An import whose message is lost waits for these two together at most.
SWEEP_SECONDS = 3.0
_SILENT_SECONDS = 10.0
# By then a live sender has given up: it grants the mail server 20 s for each reply, and the
# database 15 s to record the mail's end.
_ABANDONED_MAIL_SECONDS = 300.0
# A file that is cut in less runs at once; while another is cut for longer, small imports run.
_SHORT_SECONDS = 0.2
_SMALL_BYTES = 256 * 1024
_SMALL_ROWS = 2_000

logger = logging.getLogger(__name__)


class WorkQueue(Protocol):
    """Tells workers that there is work, and API processes that an import has changed.

    Its messages are hints: the sweeper makes up for each that is lost, and one too many finds
    nothing to do.
    """

    async def enqueue_split(self, import_id: int) -> None:
        """Ask a worker to cut an import into chunks."""

    async def enqueue_run(self, import_id: int) -> None:
        """Ask a worker to run the next chunk of an import."""

    async def enqueue_send_mails(self) -> None:
        """Ask a worker to empty the outbox."""

    async def enqueue_send_webhooks(self) -> None:
        """Ask a worker to send the messages to webhooks that are due."""

    async def notify_changed(self, app_id: int, import_id: int) -> None:
        """Tell the API processes that an import has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything that workers do. Each method may be called twice, late, or by several at once.

    Args:
        importers: those that are on, by key.
        chunk_rows: how many rows one transaction runs.
        readers: those of plugins, in the order in which they are asked whether they take a file.
        validators: those that are on, in the order in which they judge.
        on_end: hear of each import's end; `api.worker` registers them.
        webhook_transport: None leaves messages to webhooks to other workers.
        serves_others: serve other imports than the message names, when they have waited longer.
        retention_days: how long files and row results are kept after an import's end; 0: for ever.
        own_tables: those that plugins declare.
        clock: returns seconds that never go back.
    """

    importers: Mapping[str, Importer]
    limits: Limits
    chunk_rows: int
    queue: WorkQueue
    mail_transport: MailTransport
    readers: Sequence[FormatReader] = ()
    validators: Sequence[Validator] = ()
    on_end: Sequence[EndListener] = ()
    webhook_transport: WebhookTransport | None = None
    serves_others: bool = False
    retention_days: int = 0
    own_tables: Sequence[OwnTable] = ()
    clock: Callable[[], float] = time.monotonic
    _mails: MailSender = field(default_factory=MailSender, init=False)
    _webhooks: WebhookSender = field(default_factory=WebhookSender, init=False)
    _fairness: Fairness = field(init=False)
    _blocked: BlockedSessions = field(init=False)

    def __post_init__(self) -> None:
        # A default can't know `clock`, and the dataclass is frozen.
        object.__setattr__(self, "_fairness", Fairness(self.clock))
        object.__setattr__(self, "_blocked", BlockedSessions(self.clock))

    async def split(self, import_id: int, *, is_to_run: bool = False) -> None:
        """Cut an import into chunks, or serve an import that has waited longer.

        Cutting may take long, and this may be the only worker: meanwhile it does small imports.

        Args:
            is_to_run: run the first chunk at once if the file was cut quickly, so that a small
                import need not stand in the queue twice.

        Raises:
            RetryableError: the database is not well.
        """
        with _retryable(f"import {import_id}"):
            if await self._serve_longest_waiting(import_id):
                await self.queue.enqueue_split(import_id)
                return
            splitting = asyncio.create_task(self._cut(import_id, runs_at_once=is_to_run))
            pause = _SHORT_SECONDS
            while not (await asyncio.wait([splitting], timeout=pause))[0]:
                # A look is a query: while no small import waits, five a second are enough.
                has_served = self.serves_others and await self._serve_small(import_id)
                pause = 0 if has_served else _SHORT_SECONDS
            await splitting

    async def run(self, import_id: int) -> None:
        """Run the next chunk of an import, or serve an import that has waited longer.

        Raises:
            RetryableError: the database is not well.
        """
        with _retryable(f"import {import_id}"):
            if await self._serve_longest_waiting(import_id):
                await self.queue.enqueue_run(import_id)
                return
            await self._run_chunk(import_id, has_message=True)

    async def _serve_longest_waiting(self, import_id: int) -> bool:
        """Serve an import that has waited longer, if a look is due; tell whether it had work."""
        if not (self.serves_others and self._fairness.is_look_due):
            return False
        async with connection() as db:
            chosen = self._fairness.choose(await find_waiting(db))
        return chosen is not None and chosen.id != import_id and await self._serve(chosen)

    async def _serve_small(self, import_id: int) -> bool:
        """Serve a small import other than this one; tell whether there was something to do."""
        try:
            async with connection() as db:
                waiting = await find_waiting(db, most_bytes=_SMALL_BYTES, most_rows=_SMALL_ROWS)
        except Exception as error:
            _log_delay("small imports have to wait", error)
            return False
        chosen = self._fairness.choose([each for each in waiting if each.id != import_id])
        return chosen is not None and await self._serve(chosen)

    async def _serve(self, chosen: WaitingImport) -> bool:
        """Do what comes next for an import without a message of its own.

        Its own message stays in the queue, and finds less to do, or tries again what fails here.
        """
        try:
            if chosen.is_split:
                return await self._run_chunk(chosen.id, has_message=False)
            return await self._cut(chosen.id, runs_at_once=True)
        except Exception as error:
            _log_delay(f"import {chosen.id} was put off to its own turn", error)
            return False

    async def _cut(self, import_id: int, *, runs_at_once: bool) -> bool:
        """Cut an import into chunks; tell whether there was anything to do."""
        started = self.clock()
        settings = SplitSettings(
            importers=self.importers,
            limits=self.limits,
            chunk_rows=self.chunk_rows,
            readers=self.readers,
            together={each.together for each in self.validators if each.together},
            tell=lambda work: self.queue.notify_changed(work.app_id, work.id),
        )
        with self._fairness.working(import_id):
            split = await split_import(import_id, settings)
        if split is None:
            return False
        await self._report(import_id, split.app_id, split.import_end)
        if split.import_end:
            return True
        if not runs_at_once or self.clock() - started >= _SHORT_SECONDS:
            await self.queue.enqueue_run(import_id)
            return True
        try:
            await self._run_chunk(import_id, has_message=True)
        except Exception as error:
            # The message that Dramatiq tries again is one to cut, and would find nothing to do.
            await self.queue.enqueue_run(import_id)
            if not _is_retryable(error):
                raise
            _log_delay(f"import {import_id} goes on with its next message", error)
        return True

    async def _run_chunk(self, import_id: int, *, has_message: bool) -> bool:
        """Run the next chunk of an import; tell whether there was any.

        The next message goes into the queue before the work begins: as a rule each import has one
        message there, however many workers run its chunks, so that imports take turns.

        Args:
            has_message: whether the message that stood for it was taken out of the queue.
        """
        claim = await next_chunk(import_id)
        if claim is None:
            return False
        # One worker runs all chunks of an import that is applied as a whole.
        if claim.has_more and has_message and not claim.is_whole:
            await self.queue.enqueue_run(import_id)
        with self._fairness.working(import_id):
            if claim.is_whole:
                chunk = await run_whole(import_id, self.importers, self.validators)
            else:
                chunk = await run_chunk(import_id, claim, self.importers, self.validators)
        if chunk is None:
            return False
        await self._report(import_id, chunk.app_id, chunk.import_end)
        if chunk.has_successor:
            await self.queue.enqueue_run(import_id)
        if chunk.is_planned:
            await self.queue.enqueue_split(import_id)
        if chunk.has_notifications:
            await self.queue.enqueue_send_mails()
        return True

    async def _report(self, import_id: int, app_id: int, end: ImportEnd | None) -> None:
        """Report what a job has changed: progress to subscribers, an end to all who listen."""
        self._fairness.note_app(app_id)
        if end is None:
            await self.queue.notify_changed(app_id, import_id)
            return
        # The end is committed: a listener that fails must not keep it from the others.
        for listener in self.on_end:
            try:
                await listener(end)
            except Exception:
                logger.exception("%r failed at the end of import %d", listener, import_id)
        if end.notify:
            await self.queue.enqueue_send_mails()
        if end.has_deliveries:
            await self.queue.enqueue_send_webhooks()

    async def begin_mails(self) -> None:
        """Begin to send the mails that are due."""
        self._mails.begin(self.mail_transport)

    async def send_mails(self) -> None:
        """Send the mails that are due, unless that is under way.

        Raises:
            RetryableError: the database is not well.
        """
        with _retryable("sending mails"):
            await self._mails.send_due(self.mail_transport)

    async def send_webhooks(self) -> None:
        """Begin to send the messages to webhooks that are due.

        Raises:
            RetryableError: the database is not well.
        """
        if self.webhook_transport is None:
            return
        with _retryable("sending messages to webhooks"):
            await self._webhooks.send_due(self.webhook_transport)

    async def close(self) -> None:
        """Wait for what is sent at this moment; the database must still be open."""
        await asyncio.gather(self._mails.close(), self._webhooks.close())

    async def sweep(self) -> None:
        """Enqueue again what has waited too long, and delete what was kept long enough."""
        async with connection() as db:
            if ended := await self._blocked.end(db):
                logger.warning("%d sessions were ended, as their clients hung", ended)
            to_split, to_run = await silent_imports(db, silent_for=_SILENT_SECONDS)
            is_mail_due = await sweep_mails(db, abandoned_after=_ABANDONED_MAIL_SECONDS)
            is_webhook_due = await is_delivery_due(db)
        for import_id in to_split:
            await self.queue.enqueue_split(import_id)
        for import_id in to_run:
            await self.queue.enqueue_run(import_id)
        if is_mail_due:
            await self.queue.enqueue_send_mails()
        if is_webhook_due:
            await self.queue.enqueue_send_webhooks()
        await purge(self.retention_days, clock=self.clock)
        await purge_own_tables(self.own_tables, self.retention_days)


def _is_retryable(error: Exception) -> bool:
    return isinstance(error, RetryableError) or is_passing(error)


@contextmanager
def _retryable(work: str) -> Iterator[None]:
    """Raise `RetryableError` where another attempt may cure what goes wrong within the block."""
    try:
        yield
    except RetryableError:
        raise
    except MemoryError as error:
        note_exhausted(work)
        raise RetryableError(f"{work} is to be tried by another worker: no memory") from error
    except Exception as error:
        if not is_passing(error):
            raise
        raise RetryableError(f"{work} is to be tried again: {error!r}") from error


def _log_delay(what: str, error: Exception) -> None:
    """Log what has to wait: as one line if that may pass, else as the bug that it is."""
    if _is_retryable(error):
        logger.info("%s: %s", what, str(error) or repr(error))
    else:
        logger.warning("%s", what, exc_info=error)
