"""Running in memory: an importer is run over rows as the engine runs it over a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from importers.plugins.plugin_settings import fill_settings
from importers.rows.cell_reader import read_rows
from importers.rows.layout import Layout
from importers.run.current_assignments import read_present
from importers.run.custom_changes import own_changes
from importers.run.plan_rows import plan_rows
from importers.run.rules import Verdict
from importers.run.seen_keys import SeenKeys
from importers.run.settle import Scene, settle
from importers.run.validation import Vetoes
from importers.sdk.errors import ConfigError
from importers.testkit.fixture_app import WorldDirectory
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.plan_rows import PlannedRow
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
    """An importer, and the world that it is run in. Changes of own kinds count as `CREATED`."""

    importer: Importer
    world: World
    validators: Sequence[Validator] = ()

    async def run(
        self, layout: Layout, rows: Sequence[ReadRow], claims: SeenKeys | None = None
    ) -> list[RowEnd]:
        """Run the importer over the rows of one chunk.

        Args:
            claims: those of the chunks before it in a chain; added to.
        """
        claims = SeenKeys() if claims is None else claims
        directory = WorldDirectory(self.world)
        await read_rows(self.importer, layout, rows, directory)
        await read_present(self.importer, rows, directory, claims)
        plans = plan_rows(self.importer, layout, rows, claims)
        roles = {role.id: role for role in self.world.roles}
        vetoes = Vetoes(importer=self.importer, layout=layout, roles=roles)
        changes = [each for plan in plans if not plan.errors for each in plan.changes]
        await vetoes.prepare(self.validators, [change for _, change in changes], directory)
        scene = Scene(
            importer=self.importer,
            layout=layout,
            claims=claims,
            present=self.world.present(),
            role_keys={role.id: role.key for role in self.world.roles},
            applied={keys: Verdict(RowOutcome.CREATED) for keys, _ in own_changes(changes)},
            vetoes=vetoes,
        )
        settled = settle(plans, scene)
        claims.note_edits(settled.edits)
        return list(map(RowEnd, plans, settled.results))


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
