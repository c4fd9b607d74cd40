"""Acme's caps: limits what an hour, and what an import, may change in an app."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from importers import Change, Effect, RowError, Validator, ValidatorDirectory


class Caps(Validator):
    """Limit the people who are taken off cases in an hour, and put on cases by an import."""

    sdk = "1.0"
    together = "app"

    @dataclass(frozen=True)
    class Settings:
        """The most removals in an hour, and the most new assignments of an import."""

        removed_an_hour: int = 50
        created_an_import: int = 1_000

    settings: Settings

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> Any:
        hour = await directory.count_changes(timedelta(hours=1))
        return Counter(hour), Counter(await directory.count_import_changes())

    def check(self, effect: Effect, prepared: Any) -> None:
        kind = (effect.noun, effect.outcome)
        most, most_new = self.settings.removed_an_hour, self.settings.created_an_import
        if kind == ("assignment", "REMOVED") and prepared[0][kind] >= most:
            raise RowError(None, "HOUR_FULL", "An hour may remove {most:,} people.", most=most)
        if kind == ("assignment", "CREATED") and prepared[1][kind] >= most_new:
            raise RowError(None, "IMPORT_FULL", "An import may add {most:,} people.", most=most_new)

    def note(self, effect: Effect, prepared: Any) -> None:
        for counts in prepared:
            counts[effect.noun, effect.outcome] += 1
