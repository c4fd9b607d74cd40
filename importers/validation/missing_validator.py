"""The stand-in of a validator that is switched on and does not load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.sdk.errors import RowError
from importers.sdk.validator import Validator

if TYPE_CHECKING:
    from importers.sdk.validator import Effect


class MissingValidator(Validator):
    """Refuses every row: a validator that failed to load must fail closed."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse every effect."""
        raise RowError(
            None,
            "VALIDATOR_ERROR",
            "The validator '{validator}' is switched on but does not load, so it lets no row"
            " through; `caseroll importers` says why.",
            validator=self.key,
        )
