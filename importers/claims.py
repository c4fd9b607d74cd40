"""Claims: which row of a file was the first to speak of a user on a case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from importers.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.changes import Change
    from models.assignment import Pair

# What a change asks for beside its case and user: kind, role and notify.
Wish = tuple[str, int | None, bool | None]


@dataclass(slots=True)
class Claim:
    """The first row that speaks of a pair, what it asks for, and why it failed if it did."""

    row: int
    wish: Wish
    errors: Sequence[ErrorDetail] = ()


class Claims(dict["Pair", Claim]):
    """The claims of a chunk and of those that it is chained to."""

    def pack(self) -> bytes:
        """Write the claims down for the next chunk of a chain."""
        return orjson.dumps(
            [
                (*pair, claim.row, claim.wish, [asdict(error) for error in claim.errors])
                for pair, claim in self.items()
            ]
        )

    @classmethod
    def unpack(cls, carry: bytes | None) -> Claims:
        """Read what `pack` has written."""
        packed: list[Any] = orjson.loads(carry) if carry else []
        return cls(
            {
                (case_id, user_id): Claim(
                    row, tuple(wish), tuple(ErrorDetail(**error) for error in errors)
                )
                for case_id, user_id, row, wish, errors in packed
            }
        )


def pair_of(change: Change) -> Pair:
    """Return the primary keys of the change's case and user."""
    return change.case.id, change.user.id


def wish_of(change: Change) -> Wish:
    """Return what the change asks for, comparable with what another row asks for."""
    role = getattr(change, "role", None)
    return type(change).__name__, role and role.id, getattr(change, "notify", None)
