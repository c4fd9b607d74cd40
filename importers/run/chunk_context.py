"""What all stages of a chunk read, and none of them changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from importers.rows.cell_reader import error_detail, refusal_detail
from importers.sdk.entities import Assignment
from models.db import RaceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.chunk_store import ChunkStore
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Role
    from importers.sdk.errors import ErrorDetail, RowError
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.assignment import Present


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkContext:
    """What the stages of one attempt at a chunk share.

    Args:
        store: where assignments are read and changes are written.
        roles: the app's roles by primary key.
        validators: those that are on, in the order in which they are asked.
        is_chained: whether another chunk of the chain comes before this one or after it.
        is_first_attempt: whether no race has been lost yet, so that a guess is worth a try.
        is_last_attempt: whether there is no further attempt if this one loses a race, too.
    """

    importer: Importer
    layout: Layout
    directory: Directory
    store: ChunkStore
    roles: Mapping[int, Role]
    validators: Sequence[Validator] = ()
    is_chained: bool = False
    is_first_attempt: bool = True
    is_last_attempt: bool = False

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

    async def again(self, *, is_last: bool) -> ChunkContext:
        """Return the context of the next attempt, which knows what is stored by then."""
        directory = self.store.directory()
        return replace(
            self,
            directory=directory,
            roles=await _by_id(directory),
            is_first_attempt=False,
            is_last_attempt=is_last,
        )

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
) -> ChunkContext:
    """Make the context of a chunk's first attempt."""
    directory = store.directory()
    return ChunkContext(
        importer=importer,
        layout=layout,
        directory=directory,
        store=store,
        roles=await _by_id(directory),
        validators=validators,
        is_chained=is_chained,
    )


async def _by_id(directory: Directory) -> Mapping[int, Role]:
    return {role.id: role for role in (await directory.roles()).values()}
