"""Enums of `models`, shown to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import strawberry

if TYPE_CHECKING:
    from models.audit import Action
    from models.described_enum import DescribedIntEnum, DescribedStrEnum


def show_enum(
    kind: type[DescribedStrEnum | DescribedIntEnum | Action],
    *,
    description: str,
    name: str | None = None,
) -> None:
    """Make a GraphQL enum of an enum of `models`, with the descriptions of its members.

    Strawberry would want each value to be wrapped where the enum is defined, which is in `models`.

    Args:
        name: what clients call it, when that is not the name of the class.
    """
    shown: Any = strawberry.enum(kind, name=name, description=description)
    for value in shown.__strawberry_definition__.values:
        value.description = shown[value.name].description
