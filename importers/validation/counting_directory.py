"""The directory of what is stored, for validators: it also counts what has changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from importers.rows.stored_directory import StoredDirectory
from importers.sdk.directory import RunningImport
from models.change_count import count_changes_of_import, count_recent_changes, read_named_import

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from asyncpg import Connection

    from importers.rows.stored_directory import OneByOne
    from importers.sdk.changes import Outcome
    from importers.sdk.directory import EffectNoun

Counts = Counter[tuple["EffectNoun", "Outcome"]]
"""How many effects there were, by `Effect.noun` and outcome."""


class CountingDirectory(StoredDirectory):
    """What is stored of one app, and what has changed, as `ValidatorDirectory` describes.

    Args:
        running_import: whose rows are judged; None for a mutation.
        unseen: effects of its rows that the history does not show.
    """

    def __init__(
        self,
        db: Connection | OneByOne,
        app_id: int,
        running_import: RunningImport | None = None,
        unseen: Mapping[tuple[EffectNoun, Outcome], int] = {},
    ) -> None:
        super().__init__(db, app_id)
        self.running_import = running_import
        self._unseen = unseen

    async def count_changes(self, within: timedelta) -> Counts:
        async with self._shared as db:
            found = await count_recent_changes(db, self._app_id, within)
        return self._counted(found)

    async def count_import_changes(self) -> Counts:
        running = self.running_import
        if running is None:
            return Counter()
        async with self._shared as db:
            found = await count_changes_of_import(db, self._app_id, running.id)
        return self._counted(found)

    def _counted(self, found: Mapping[tuple[str, str], int]) -> Counts:
        counts = Counter(cast("Mapping[tuple[EffectNoun, Outcome], int]", found))
        counts.update(self._unseen)
        return counts


async def read_running_import(
    shared: OneByOne, import_id: int, *, is_dry_run: bool
) -> RunningImport:
    """Read the import whose rows are judged."""
    async with shared as db:
        found = await read_named_import(db, import_id)
    return RunningImport(**found._asdict(), is_dry_run=is_dry_run)
