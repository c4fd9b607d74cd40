"""Running in memory: an importer's rows go through the stages of a chunk, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from importers.plugins.plugin_settings import fill_settings
from importers.rows.cell_reader import read_rows
from importers.run.apply import apply, carry_on
from importers.run.carried_keys import CarriedKeys
from importers.run.chunk_context import open_context
from importers.run.plan_rows import plan_rows
from importers.sdk.errors import ConfigError
from importers.testkit.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.planned_row import PlannedRow
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from importers.testkit.fixture_app import World
    from models.row import RowResult


class RowEnd(NamedTuple):
    """What a row asked for, and what became of it."""

    plan: PlannedRow
    result: RowResult


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRun:
    """An importer, and the world that it is run in."""

    importer: Importer
    world: World
    validators: Sequence[Validator] = ()

    async def run(self, layout: Layout, *chunks: Sequence[ReadRow]) -> list[RowEnd]:
        """Run the importer over the rows of a file; its chunks are those of one chain."""
        store = MemoryStore(self.world)
        ends: list[RowEnd] = []
        carry = None
        for rows in chunks:
            carried = CarriedKeys.unpack(carry)
            context = await open_context(self.importer, layout, store, self.validators)
            await read_rows(self.importer, layout, rows, context.directory)
            plan = await plan_rows(context, rows, carried)
            settled = await apply(context, plan, carried)
            ends += map(RowEnd, plan.rows, settled.results)
            if len(chunks) > 1:
                carry = carry_on(context, carried, plan, settled).pack()
        return ends


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
