"""Running in memory: an importer's rows go through the stages of a chunk, without a database."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from importers.plugins.plugin_settings import fill_settings
from importers.reading.record import Batch
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
from importers.sdk.records.record_change import RecordChange
from importers.split.file_check import check_file, checks_files
from importers.testkit.fixture_app import WorldCountingDirectory, WorldDirectory
from importers.testkit.memory_records import MemoryRecords

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence, Set

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.rows.observation import Observed
    from importers.run.planned_row import PlannedRow
    from importers.run.settle import Settled
    from importers.sdk.changes import Outcome, OwnChange, Refused
    from importers.sdk.entities import Case, User
    from importers.sdk.importer import Importer
    from importers.sdk.reader import Reader
    from importers.sdk.records.record import Record
    from importers.sdk.validator import Validator
    from importers.testkit.fixture_app import World
    from importers.validation.counting_directory import Counts
    from models.assignment import Edit, Pair, Present
    from models.row import RowResult
    from models.write_one import Table


class MemoryStore:
    """The assignments of a world and its records, as they are changed.

    Of other custom changes the database alone knows what becomes of them: they count as `CREATED`.

    Args:
        tables: the plugin's own.
    """

    world: World
    import_id = 1
    is_dry_run = False

    def __init__(
        self,
        world: World,
        running_import: RunningImport,
        tables: Sequence[type[Record]] = (),
    ) -> None:
        self.world = world
        self.running_import = running_import
        self.records = MemoryRecords(world.records, tables)
        self._current = world.present()
        self._history: Counts = Counter()

    def directory(self) -> WorldDirectory:
        return WorldDirectory(self.world, self._current)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        before, records = dict(self._current), self.records.copy()
        history = self._history.copy()
        try:
            yield
        except BaseException:
            self._current.clear()
            self._current.update(before)
            self._history = history
            self.records.restore(records)
            raise

    async def keep_alive(self) -> None:
        pass

    async def hold(self, table: Table, ids: Collection[int]) -> None:
        pass

    async def hold_pairs(self, table: Table, ids: Collection[int], *, lock: bool) -> Set[Pair]:
        side = 0 if table == "cases" else 1
        return {pair for pair in self._current if pair[side] in ids}

    async def hold_app(self) -> None:
        pass

    async def counting_directory(self, unseen: Counts) -> WorldCountingDirectory:
        counts = unseen + self._history
        return WorldCountingDirectory(self.world, self._current, self.running_import, counts)

    async def read_assignments(
        self, pairs: Collection[Pair], *, lock: bool
    ) -> Mapping[Pair, Present]:
        return {pair: self._current[pair] for pair in pairs if pair in self._current}

    async def read_entities(
        self, cases: Collection[int], users: Collection[int]
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
            created: Outcome = "UPDATED" if edit.before else "CREATED"
            self._history["assignment", created if edit.after else "REMOVED"] += 1

    def end_chunk(self, settled: Settled) -> None:
        """Write the history of all else than assignments, as the engine does at a chunk's end."""
        others = {key: n for key, n in settled.effects.items() if key[0] != "assignment"}
        self._history.update(others)

    async def apply_kind(
        self, kind: type[OwnChange], changes: Sequence[OwnChange]
    ) -> Sequence[Applied | Refused]:
        if issubclass(kind, RecordChange):
            return self.records.carry_out(cast("Sequence[RecordChange]", changes))
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
    store = MemoryStore(world, running, importer.tables)
    ends: list[RowEnd] = []
    carry = None
    for rows in chunks:
        context = await open_context(importer, layout, store, validators)
        await read_rows(importer, layout, rows, context.directory)
        plan = await plan_rows(context, rows, CarriedKeys.unpack(carry))
        settled = await apply(context, plan)
        ends += map(RowEnd, plan.rows, settled.results)
        store.end_chunk(settled)
        # As bytes, so that what JSON does not keep is lost in a plugin's tests as well.
        if len(chunks) > 1:
            carry = carry_on(context, plan, settled).pack()
    return ends


async def check_in_memory(
    importer: Importer, world: World, layout: Layout, rows: Sequence[ReadRow]
) -> None:
    """Let an importer look at the file as a whole.

    Raises:
        FileRefusedError: it refuses the file, or fails.
    """
    if not checks_files(importer):
        return
    observed: Observed = {}
    observe(importer, layout, [row.cells for row in rows], observed)
    layout = with_knowledge(layout, importer, observed)

    async def batches() -> AsyncIterator[Batch]:
        yield Batch.of((row.number, list(row.cells)) for row in rows)

    await check_file(importer, layout, WorldDirectory(world), batches())


P = TypeVar("P", bound="Importer | Reader | Validator")


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
