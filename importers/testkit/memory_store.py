"""A store in memory, in the place of the database: what a chunk reads and writes there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importers.sdk.changes import Applied
from importers.testkit.fixture_app import WorldDirectory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from importers.sdk.changes import OwnChange
    from importers.testkit.fixture_app import World
    from models.assignment import Edit, Pair, Present
    from models.write_one import Table


@dataclass(slots=True)
class MemoryStore:
    """The assignments of a world, as they are changed; no other import is about.

    Custom changes are not carried out: each counts as `CREATED`.
    """

    world: World
    import_id: int = 1
    is_dry_run: bool = False
    _current: dict[Pair, Present] = field(init=False)

    def __post_init__(self) -> None:
        self._current = self.world.present()

    def directory(self) -> WorldDirectory:
        """Return a directory of the world with its assignments as they are by now."""
        return WorldDirectory(self.world, self._current)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Put the assignments back as they were if it ends in an error."""
        before = dict(self._current)
        try:
            yield
        except BaseException:
            self._current.clear()
            self._current.update(before)
            raise

    async def keep_alive(self) -> None:
        """Do nothing: there is no connection."""

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        """Do nothing: there is no other import."""

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        """Find those that there are."""
        return {pair: self._current[pair] for pair in pairs if pair in self._current}

    async def write_edits(self, edits: Sequence[Edit]) -> None:
        """Change the assignments, without their history."""
        for edit in edits:
            pair = (edit.case_id, edit.user_id)
            if edit.after:
                self._current[pair] = edit.after
            else:
                del self._current[pair]

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied]:
        """Answer as if all were new: only the database can tell."""
        return [Applied("CREATED") for _ in changes]

    def is_misuse(self, error: Exception) -> bool:
        """Tell that none is."""
        return False
