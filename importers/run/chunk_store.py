"""What a chunk reads and writes beside its rows: the seam between its stages and the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from importers.isolation.guard import guarded_await
from importers.rows.stored_directory import StoredDirectory
from importers.sdk.changes import Transaction
from models.assignment import present_assignments, write_edits
from models.db import is_misuse
from models.write_many import lock_many

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from asyncpg import Connection

    from importers.sdk.changes import Applied, OwnChange, Refused
    from importers.sdk.directory import Directory
    from models.assignment import Edit, Pair, Present
    from models.progress import ImportWork
    from models.write_one import Table


class ChunkStore(Protocol):
    """Reads and writes of one chunk, all of them in one transaction."""

    @property
    def import_id(self) -> int:
        """The import, as the log names it."""

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be kept."""

    def directory(self) -> Directory:
        """Return a directory of what is stored now."""

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        """Undo what is written within it, if it ends in an error."""

    async def keep_alive(self) -> None:
        """Send something, so that the transaction is not ended for its silence."""

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        """Keep other imports from changing cases or users, and their assignments, meanwhile."""

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        """Read the current assignments of (case, user) pairs."""

    async def write_edits(self, edits: Sequence[Edit]) -> None:
        """Write edits of assignments, with their history.

        Raises:
            RaceError: the assignments are no longer what the edits begin with.
        """

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied | Refused]:
        """Let a class of custom changes carry out its own."""

    def is_misuse(self, error: Exception) -> bool:
        """Tell a call that can't be carried out from a connection that was lost."""


@dataclass(frozen=True, slots=True)
class DatabaseStore:
    """PostgreSQL, within the transaction of the chunk."""

    db: Connection
    work: ImportWork

    @property
    def import_id(self) -> int:
        """The import's primary key."""
        return self.work.id

    @property
    def is_dry_run(self) -> bool:
        """What the client has asked for."""
        return self.work.is_dry_run

    def directory(self) -> StoredDirectory:
        """Return one that remembers roles, so use it for one attempt only."""
        return StoredDirectory(self.db, self.work.app_id)

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        """Begin a transaction within the transaction."""
        return self.db.transaction()  # type: ignore[no-any-return]

    async def keep_alive(self) -> None:
        """Send a statement."""
        await self.db.execute("SELECT 1")

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        """Lock the rows of the cases or users."""
        await lock_many(self.db, self.work.app_id, table, ids)

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        """Read them with one query; lock them if they are to be changed."""
        return await present_assignments(self.db, pairs, lock=lock)

    async def write_edits(self, edits: Sequence[Edit]) -> None:
        """Write them in a few statements."""
        await write_edits(self.db, self.work.app_id, self.work.id, edits)

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied | Refused]:
        """Hand the class the transaction."""
        transaction = Transaction(
            db=self.db,
            app_id=self.work.app_id,
            import_id=self.work.id,
            is_dry_run=self.work.is_dry_run,
        )
        return list(await guarded_await(kind.apply(changes, transaction)))

    def is_misuse(self, error: Exception) -> bool:
        """Ask whether the connection is still there."""
        return is_misuse(error, self.db)
