"""Objects that are made only when code goes through them, and fields loaded for many together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import accumulate, chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


class Objects(Iterable[Any], Sized):
    """Objects of one type, in order.

    Args:
        kind: the type.
    """

    def __init__(self, kind: type) -> None:
        self.kind = kind

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """Make the objects."""

    def read(self, attribute: str) -> Values:
        """Return the values that an attribute has in the objects."""
        return list(map(attrgetter(attribute), self))


class Lists(NamedTuple):
    """Lists, flattened: `[[a, b], [c]]` is lengths `[2, 1]` and items `[a, b, c]`."""

    lengths: Sequence[int]
    items: Items

    @classmethod
    def of(cls, values: list[Any]) -> Lists:
        lengths = [len(each) for each in values]
        # A single list stays as it is, so its objects need never be made.
        if len(values) == 1 and isinstance(values[0], Objects):
            return cls(lengths, values[0])
        return cls(lengths, list(chain.from_iterable(values)))

    def part(self, items: list[Any]) -> list[list[Any]]:
        """Split what was made of the items as the lists are split."""
        ends = accumulate(self.lengths)
        return [items[end - length : end] for end, length in zip(ends, self.lengths, strict=True)]


# What code can go through, and the values of a field, which may be lists.
Items: TypeAlias = list[Any] | Objects
Values: TypeAlias = Items | Lists


def read(objects: Items, attribute: str) -> Values:
    """Return the values that an attribute has in objects, made or not."""
    if isinstance(objects, Objects):
        return objects.read(attribute)
    return list(map(attrgetter(attribute), objects))


# What is selected of objects: their attributes, and what is selected of these in turn.
Selected: TypeAlias = "Mapping[str, Selected]"

TOGETHER = "together"


class Together(NamedTuple):
    """What a field's metadata has under `TOGETHER`, beside the resolver for a single object.

    The executor chooses between the two, so both must find the same, and change nothing.

    Args:
        load: is called with the context, the objects, what is selected of each result, and those
            of the field's arguments that are not null, by name.
        needs: attributes of the objects that it reads.
    """

    load: Callable[..., Awaitable[Values]]
    needs: tuple[str, ...] = ()
