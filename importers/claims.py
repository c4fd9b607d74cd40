"""Claims: which row of a file was the first to speak of a thing: a user on a case, say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from importers.changes import OwnChange
from importers.errors import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.changes import Change, Key, Wish


@dataclass(slots=True)
class Claim:
    """The first row that speaks of something, what it asks for, and why it failed if it did."""

    row: int
    wish: Wish
    errors: Sequence[ErrorDetail] = ()


class Claims(dict["Key", Claim]):
    """The claims of a chunk and of those that it is chained to."""

    def pack(self) -> bytes:
        """Write the claims down for the next chunk of a chain."""
        return orjson.dumps(
            [
                (key, claim.row, claim.wish, [asdict(error) for error in claim.errors])
                for key, claim in self.items()
            ]
        )

    @classmethod
    def unpack(cls, carry: bytes | None) -> Claims:
        """Read what `pack` has written."""
        packed: list[Any] = orjson.loads(carry) if carry else []
        return cls(
            {
                tuple(key): Claim(row, tuple(wish), tuple(ErrorDetail(**error) for error in errors))
                for key, row, wish, errors in packed
            }
        )


def keys_of(change: Change) -> tuple[Key, ...]:
    """Return what the change is about; for an assignment the keys of its case and user."""
    if isinstance(change, OwnChange):
        return tuple(change.keys)
    return ((change.case.id, change.user.id),)


def wish_of(change: Change) -> Wish:
    """Return what the change asks for, comparable with what another row asks for."""
    if isinstance(change, OwnChange):
        return change.wish()
    role = getattr(change, "role", None)
    return type(change).__name__, role and role.id, getattr(change, "notify", None)
