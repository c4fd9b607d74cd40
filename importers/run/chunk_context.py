"""What all stages of a chunk read, and where they read and write beside its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from importers.isolation.guard import guarded_await, is_guarding
from importers.isolation.plugin_connection import PluginConnection
from importers.rows.cell_reader import error_detail, refusal_detail
from importers.rows.stored_directory import OneByOne, StoredDirectory
from importers.sdk.changes import Transaction
from importers.sdk.entities import Assignment
from importers.validation.counting_directory import CountingDirectory, read_running_import
from models.assignment import hold_pairs, present_assignments, write_edits
from models.change_count import lock_changes
from models.db import RaceError, is_misuse
from models.write_many import lock_many

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set
    from contextlib import AbstractAsyncContextManager

    from asyncpg import Connection

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.sdk.changes import Applied, OwnChange, Refused
    from importers.sdk.directory import Directory, ValidatorDirectory
    from importers.sdk.entities import Case, Role, User
    from importers.sdk.errors import ErrorDetail, RowError
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from importers.validation.counting_directory import Counts
    from models.assignment import Edit, Pair, Present
    from models.plan import Signature
    from models.write_one import Table

# A chunk that has lost this often is put back: with its transaction, its locks go for a while.
MOST_RACES = 5


class ChunkStore(Protocol):
    """Reads and writes of one chunk, all of them in one transaction."""

    @property
    def import_id(self) -> int:
        """The import, as the log names it."""

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be kept."""

    def directory(self) -> Directory:
        """Return a directory of what is stored now; it remembers roles."""

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        """Undo what is written within it, if it ends in an error."""

    async def keep_alive(self) -> None:
        """Send something, so that the transaction is not ended for its silence."""

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        """Keep other imports from changing cases or users, and their assignments, meanwhile."""

    async def hold_pairs(self, table: Table, ids: Collection[int], *, lock: bool) -> Set[Pair]:
        """Read the (case, user) pairs of cases or users.

        Args:
            lock: keep new ones of these cases or users away until the chunk's transaction ends.
        """

    async def hold_app(self) -> None:
        """Keep other imports and mutations from changing anything that validators count."""

    async def counting_directory(self, unseen: Counts) -> ValidatorDirectory:
        """Return a directory that counts what has changed.

        Args:
            unseen: effects of the import's rows that it would not count.
        """

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        """Read the current assignments of (case, user) pairs."""

    async def read_entities(
        self, cases: Collection[int], users: Collection[int]
    ) -> tuple[Mapping[int, Case], Mapping[int, User]]:
        """Read cases and users of the app by primary key."""

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
    app_id: int
    import_id: int
    is_dry_run: bool
    _shared: OneByOne = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # A default can't know `db`, and the dataclass is frozen.
        object.__setattr__(self, "_shared", OneByOne(self.db))

    def directory(self) -> StoredDirectory:
        return StoredDirectory(self._shared, self.app_id)

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        # Within a transaction, asyncpg makes this a savepoint.
        return self.db.transaction()  # type: ignore[no-any-return]

    async def keep_alive(self) -> None:
        await self._shared.keep_alive()

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        await lock_many(self.db, self.app_id, table, ids)

    async def hold_pairs(self, table: Table, ids: Collection[int], *, lock: bool) -> Set[Pair]:
        return await hold_pairs(self.db, self.app_id, table, ids, lock=lock)

    async def hold_app(self) -> None:
        await lock_changes(self.db, self.app_id)

    async def counting_directory(self, unseen: Counts) -> CountingDirectory:
        running = await read_running_import(
            self._shared, self.import_id, is_dry_run=self.is_dry_run
        )
        return CountingDirectory(self._shared, self.app_id, running, unseen)

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        return await present_assignments(self.db, pairs, lock=lock)

    async def read_entities(
        self, cases: Collection[int], users: Collection[int]
    ) -> tuple[Mapping[int, Case], Mapping[int, User]]:
        directory = self.directory()
        return await directory.cases_by_id(cases), await directory.users_by_id(users)

    async def write_edits(self, edits: Sequence[Edit]) -> None:
        await write_edits(self.db, self.app_id, self.import_id, edits)

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied | Refused]:
        db = PluginConnection(self.db)
        transaction = Transaction(
            db=cast("Connection", db) if is_guarding() else self.db,
            app_id=self.app_id,
            import_id=self.import_id,
            is_dry_run=self.is_dry_run,
        )
        try:
            return list(await guarded_await(kind.apply(changes, transaction)))
        finally:
            await db.end()

    def is_misuse(self, error: Exception) -> bool:
        return is_misuse(error, self.db)


@dataclass(frozen=True, slots=True)
class ChunkContext:
    """What the stages of one attempt at a chunk share.

    Args:
        store: where assignments are read and changes are written.
        roles: the app's roles by primary key.
        validators: those that are on, in the order in which they are asked.
        is_chained: whether another chunk of the chain comes before this one or after it.
        attempt: from 1 to `MOST_RACES`; each after the first follows a race that was lost.
        plan: what the rows have to come to, by their numbers, if they carry out a plan.
    """

    importer: Importer
    layout: Layout
    directory: Directory
    store: ChunkStore
    roles: Mapping[int, Role]
    validators: Sequence[Validator] = ()
    is_chained: bool = False
    attempt: int = 1
    plan: Mapping[int, Signature] | None = None

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be kept."""
        return self.store.is_dry_run

    @property
    def role_keys(self) -> dict[int, str]:
        """The keys of the app's roles by primary key."""
        return {role.id: role.key for role in self.roles.values()}

    @property
    def is_watched(self) -> bool:
        """Whether the importer or a validator looks at assignments as they are."""
        return bool(self.importer.assignments or self.validators)

    async def again(self) -> ChunkContext:
        """Return the context of the next attempt, which sees what is stored by then."""
        # Another directory, as this one remembers the roles that it has read.
        directory = self.store.directory()
        roles = await _roles_by_id(directory)
        return replace(self, directory=directory, roles=roles, attempt=self.attempt + 1)

    def assignment(self, state: Present | None) -> Assignment | None:
        """Return an assignment as plugins see it.

        Raises:
            RaceError: its role was created after this attempt has read the roles.
        """
        if state is None:
            return None
        role = self.roles.get(state.role_id)
        if role is None:
            raise RaceError
        return Assignment(role=role, notify=state.notify)

    def row_error(self, error: RowError, row: ReadRow) -> ErrorDetail:
        """Describe an error on the column that it names itself."""
        return error_detail(self.importer, error, error.column, row, self.layout)

    def refusal(self, error: RowError, at_fault: object, row: ReadRow) -> ErrorDetail:
        """Describe an error on the column that holds the very value at fault."""
        return refusal_detail(self.importer, error, at_fault, row, self.layout)


async def open_context(
    importer: Importer,
    layout: Layout,
    store: ChunkStore,
    validators: Sequence[Validator] = (),
    *,
    is_chained: bool = False,
    plan: Mapping[int, Signature] | None = None,
) -> ChunkContext:
    """Make the context of a chunk's first attempt."""
    directory = store.directory()
    roles = await _roles_by_id(directory)
    return ChunkContext(
        importer, layout, directory, store, roles, validators, is_chained, plan=plan
    )


async def _roles_by_id(directory: Directory) -> Mapping[int, Role]:
    return {role.id: role for role in (await directory.roles()).values()}
