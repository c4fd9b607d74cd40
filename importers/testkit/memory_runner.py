"""Running in memory: an importer's rows go through the stages of a chunk, without a database."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from importers.plugins.plugin_settings import fill_settings
from importers.rows.cell_reader import read_rows
from importers.rows.layout import with_knowledge
from importers.rows.observation import observe
from importers.run.apply import apply, carry_on
from importers.run.carried_keys import CarriedKeys
from importers.run.chunk_context import open_context
from importers.run.plan_rows import plan_rows
from importers.sdk.changes import Applied
from importers.sdk.directory import RunningImport
from importers.sdk.errors import ConfigError
from importers.testkit.fixture_app import WorldCountingDirectory, WorldDirectory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.rows.observation import Observed
    from importers.run.planned_row import PlannedRow
    from importers.sdk.changes import OwnChange
    from importers.sdk.entities import Case, User
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from importers.testkit.fixture_app import World
    from importers.validation.counting_directory import Counts
    from models.assignment import Edit, Pair, Present
    from models.row import RowResult
    from models.write_one import Table


class MemoryStore:
    """The assignments of a world, as they are changed; custom changes all count as `CREATED`."""

    world: World
    import_id = 1
    is_dry_run = False
    shows_history = False

    def __init__(self, world: World, running_import: RunningImport) -> None:
        self.world = world
        self.running_import = running_import
        self._current = world.present()

    def directory(self) -> WorldDirectory:
        return WorldDirectory(self.world, self._current)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        before = dict(self._current)
        try:
            yield
        except BaseException:
            self._current.clear()
            self._current.update(before)
            raise

    async def keep_alive(self) -> None:
        pass

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        pass

    async def hold_app(self) -> None:
        pass

    async def counting_directory(
        self, unseen: Counts, outcomes: Mapping[str, int]
    ) -> WorldCountingDirectory:
        running = _counted(self.running_import, outcomes)
        return WorldCountingDirectory(self.world, self._current, running, unseen)

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        return {pair: self._current[pair] for pair in pairs if pair in self._current}

    async def read_entities(
        self, pairs: Collection[Pair]
    ) -> tuple[Mapping[int, Case], Mapping[int, User]]:
        world = self.world
        return {case.id: case for case in world.cases}, {user.id: user for user in world.users}

    async def write_edits(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            pair = (edit.case_id, edit.user_id)
            if edit.after:
                self._current[pair] = edit.after
            else:
                del self._current[pair]

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied]:
        return [Applied("CREATED") for _ in changes]

    def is_misuse(self, error: Exception) -> bool:
        return False


class RowEnd(NamedTuple):
    """What a row asked for, and what became of it."""

    plan: PlannedRow
    result: RowResult


async def run_in_memory(
    importer: Importer,
    world: World,
    validators: Sequence[Validator],
    layout: Layout,
    *chunks: Sequence[ReadRow],
) -> list[RowEnd]:
    """Run an importer over the rows of a file in a world; its chunks are those of one chain."""
    observed: Observed = {}
    for rows in chunks:
        observe(importer, layout, [row.cells for row in rows], observed)
    layout = with_knowledge(layout, importer, observed)
    rows_in_all = sum(map(len, chunks))
    running = RunningImport(id=1, name="test", type=importer.key, rows=rows_in_all)
    store = MemoryStore(world, running)
    ends: list[RowEnd] = []
    carry = None
    for rows in chunks:
        context = await open_context(importer, layout, store, validators)
        await read_rows(importer, layout, rows, context.directory)
        plan = await plan_rows(context, rows, CarriedKeys.unpack(carry))
        settled = await apply(context, plan)
        ends += map(RowEnd, plan.rows, settled.results)
        outcomes = [result.outcome for result in settled.results]
        by_field = Counter(outcome.name.lower() if outcome else "failed" for outcome in outcomes)
        store.running_import = _counted(store.running_import, by_field)
        # As bytes, so that what JSON does not keep is lost in a plugin's tests as well.
        if len(chunks) > 1:
            carry = carry_on(context, plan, settled).pack()
    return ends


def _counted(running: RunningImport, outcomes: Mapping[str, int]) -> RunningImport:
    """Count rows that have come to these outcomes, by field."""
    counts = {field: getattr(running, field) + count for field, count in outcomes.items()}
    return replace(running, **counts)


P = TypeVar("P", bound="Importer | Validator")


def instance_of(plugin: type[P] | P) -> P:
    """Return the plugin; of a class, an instance whose settings are the defaults.

    Raises:
        ConfigError: some settings have no default.
    """
    if not isinstance(plugin, type):
        return plugin
    try:
        return plugin("test", fill_settings(plugin.Settings, {}))
    except Exception as error:
        name = plugin.__name__
        problems = error.problems if isinstance(error, ConfigError) else (str(error),)
        hint = f'give an instance instead of the class: {name}("test", {name}.Settings(…))'
        raise ConfigError([*problems, hint]) from error
