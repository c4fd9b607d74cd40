"""What stands in for a validator that is switched on and can't be asked."""

from __future__ import annotations

from typing import Any

from importers.sdk.errors import RowError
from importers.sdk.validator import Effect, Validator


class MissingValidator(Validator):
    """Lets nothing through: a wall that is not there must not be walked through."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse every effect."""
        raise RowError(
            None,
            "VALIDATOR_ERROR",
            f"The validator '{self.key}' is switched on but does not load, so it lets no row"
            " through; `caseroll importers` says why.",
        )
