"""The keys that earlier rows have named: which row of a file was the first to name a thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from importers.sdk.changes import OwnChange, Remove
from importers.sdk.entities import Assignment
from importers.sdk.errors import ErrorDetail
from models.assignment import Present

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from importers.sdk.changes import Change, Key, Wish
    from importers.sdk.entities import Role
    from models.assignment import Edit, Pair

Memo = dict[Any, Any]
_LARGEST = 1 << 63
_SCALARS = (str, int, float, bool, type(None))


@dataclass(slots=True)
class FirstMention:
    """The first row that speaks of something, what it asks for, and why it failed if it did."""

    row: int
    wish: Wish
    errors: Sequence[ErrorDetail] = ()


class SeenKeys(dict["Key", FirstMention]):
    """The claims of a chunk and of those that it is chained to, and what these have changed.

    `memo` is what the importer's `check_chunk` remembers.
    """

    def __init__(self, claims: Iterable[tuple[Key, FirstMention]] = ()) -> None:
        super().__init__(claims)
        self.memo: Memo = {}
        self._edits: dict[Pair, tuple[Present | None, Present | None]] = {}

    def note_edits(self, edits: Iterable[Edit]) -> None:
        """Remember how assignments were and will be, for the next chunk of a chain."""
        for edit in edits:
            self._edits[edit.case_id, edit.user_id] = (edit.before, edit.after)

    def edits(
        self, roles: Mapping[int, Role]
    ) -> dict[Pair, tuple[Assignment | None, Assignment | None]]:
        """Return how assignments were that earlier chunks have changed, and what they have become.

        Args:
            roles: the app's roles by primary key.
        """
        return {
            pair: (_assignment(before, roles), _assignment(after, roles))
            for pair, (before, after) in self._edits.items()
        }

    def pack(self) -> bytes:
        """Write the claims down for the next chunk of a chain."""
        claims = [
            (key, claim.row, claim.wish, [asdict(error) for error in claim.errors])
            for key, claim in self.items()
        ]
        edits = [
            (*pair, before and tuple(before), after and tuple(after))
            for pair, (before, after) in self._edits.items()
        ]
        return orjson.dumps([claims, edits, pack_memo(self.memo)])

    @classmethod
    def unpack(cls, carry: bytes | None) -> SeenKeys:
        """Read what `pack` has written."""
        claims: list[Any]
        edits: list[Any]
        claims, edits, memo = orjson.loads(carry) if carry else ([], [], [])
        unpacked = cls(
            (
                tuple(key),
                FirstMention(row, tuple(wish), tuple(ErrorDetail(**error) for error in errors)),
            )
            for key, row, wish, errors in claims
        )
        unpacked.memo = {tuple(key) if isinstance(key, list) else key: value for key, value in memo}
        for case, user, before, after in edits:
            unpacked._edits[case, user] = (
                before and Present(*before),
                after and Present(*after),
            )
        return unpacked


def pack_memo(memo: Memo) -> list[tuple[Any, Any]]:
    """Write a memo down as JSON can; keys that are tuples come back as such.

    Raises:
        TypeError: it holds something else than texts, numbers, truth values and None, in keys
            tuples of them, in values lists and tables.
    """
    for key, value in memo.items():
        parts = key if type(key) is tuple else (key,)
        is_plain = all(type(part) in _SCALARS and _is_json(part) for part in parts)
        if not (is_plain and _is_json(value)):
            raise TypeError(f"{key!r:.80}: {value!r:.80} can't be handed to the next chunk")
    return list(memo.items())


def _is_json(value: object) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_json, cast("Sequence[object]", value)))
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(each) for key, each in value.items())
    if type(value) is int:
        return abs(value) < _LARGEST
    return type(value) in _SCALARS


def _assignment(state: Present | None, roles: Mapping[int, Role]) -> Assignment | None:
    return state and Assignment(role=roles[state.role_id], notify=state.notify)


def keys_of(change: Change) -> tuple[Key, ...]:
    """Return what the change is about; for an assignment the keys of its case and user."""
    if isinstance(change, OwnChange):
        return tuple(change.keys)
    return ((change.case.id, change.user.id),)


def wish_of(change: Change) -> Wish:
    """Return what the change asks for, comparable with what another row asks for."""
    if isinstance(change, OwnChange):
        return change.wish()
    if isinstance(change, Remove):
        return ("Remove",)
    return type(change).__name__, change.role.id if change.role else None, change.notify
