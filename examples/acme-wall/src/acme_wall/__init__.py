"""Acme's ethical walls: keeps users off the cases of certain clients."""

from dataclasses import dataclass
from typing import Any

from importers import Assign, Effect, RowError, Validator


class Wall(Validator):
    """Keep people off the cases that they have a conflict of interest with."""

    sdk = "1.0"

    @dataclass(frozen=True)
    class Settings:
        """Prefix of cases' Tag IDs → Tag IDs of the users who are kept off these cases."""

        kept_off: dict[str, list[str]]

    settings: Settings

    def check(self, effect: Effect, prepared: Any) -> None:
        if not isinstance(effect.change, Assign):
            return
        case, user = effect.change.case, effect.change.user
        for prefix, users in self.settings.kept_off.items():
            if (case.tag_id or "").startswith(prefix) and user.tag_id in users:
                raise RowError(
                    "user",
                    "CONFLICT_OF_INTEREST",
                    "must be kept off the cases '{prefix}…'.",
                    prefix=prefix,
                )
