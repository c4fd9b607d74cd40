"""Fields that are loaded for many objects together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from api.batch.objects import Values

# What is selected of objects: their attributes, and what is selected of these in turn.
Selected: TypeAlias = "Mapping[str, Selected]"

TOGETHER = "together"


class Together(NamedTuple):
    """What a field's metadata has under `TOGETHER`, beside the resolver for a single object.

    The executor chooses between the two, so both must find the same, and change nothing.

    Args:
        load: is called with the context, the objects, what is selected of each result, and the
            field's arguments by name.
        needs: attributes of the objects that it reads.
    """

    load: Callable[..., Awaitable[Values]]
    needs: tuple[str, ...] = ()
