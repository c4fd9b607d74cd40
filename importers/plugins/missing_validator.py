"""The stand-in for a validator that is switched on and failed to load."""

from __future__ import annotations

from typing import Any

from importers.sdk.errors import RowError
from importers.sdk.validator import Effect, Validator


class MissingValidator(Validator):
    """Refuses every row: a validator that failed to load must fail closed."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse every effect."""
        raise RowError(
            None,
            "VALIDATOR_ERROR",
            f"The validator '{self.key}' is switched on but does not load, so it lets no row"
            " through; `caseroll importers` says why.",
        )
