"""Where a custom change comes from: the record that it is about, and the class that inverts it."""

from __future__ import annotations

import sys
from functools import cache, reduce
from typing import TYPE_CHECKING, NamedTuple

import orjson

from importers.sdk.changes import OwnChange
from importers.sdk.entity_changes import ENTITY_CHANGES
from importers.sdk.records.record import Record
from importers.undo.restore_entity import RestoreEntity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.changes import Key

_OF_ENTITIES = ENTITY_CHANGES | {RestoreEntity}
Inverter = type[OwnChange] | type[Record]


class Origin(NamedTuple):
    """What the history keeps of a custom change beside its difference.

    Args:
        record: what tells a plugin's own record from others; None for a case or a user itself.
        kind: the class that takes the change back; None if none does.
    """

    record: str | None = None
    kind: str | None = None


_ENTITY = Origin()


def origin_of(change: OwnChange, keys: Sequence[Key]) -> Origin:
    """Say where a change comes from.

    Example:
        >>> origin_of(SetRecord(Rate(case=case, cents=9_000)), (("rate", 7),))
        Origin(record='acme_rates [["rate",7]]', kind='acme_rates:Rate')
    """
    if type(change) in _OF_ENTITIES:
        return _ENTITY
    inverter = change._origin
    record = f"{inverter.__module__} {orjson.dumps(keys).decode()}"
    return Origin(record, _kind_of(inverter))


@cache
def _kind_of(inverter: Inverter) -> str | None:
    inverse = inverter.inverse.__func__  # type: ignore[attr-defined]
    if inverse is OwnChange.inverse.__func__:  # type: ignore[attr-defined]
        return None
    kind = f"{inverter.__module__}:{inverter.__qualname__}"
    return kind if find_inverter(kind) is inverter else None


def find_inverter(kind: str) -> Inverter | None:
    """Find a class again, if its plugin is loaded and still has it: `acme_rates:Rate`."""
    module, _, names = kind.partition(":")
    # Nothing is imported: what is not loaded is not switched on.
    found = reduce(
        lambda owner, name: getattr(owner, name, None), names.split("."), sys.modules.get(module)
    )
    if isinstance(found, type) and issubclass(found, OwnChange | Record):
        return found
    return None
