"""A schema that has fields of every kind, to be executed by two executors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar

import strawberry

from api.batch.objects import TOGETHER, Items, Objects, Selected, Together, read
from api.execution.executor import Executor

T = TypeVar("T")


class Unmade(Objects):
    """Objects that are there, as if they were made now."""

    def __init__(self, kind: type, made: list[Any]) -> None:
        super().__init__(kind)
        self.made = made

    def __len__(self) -> int:
        return len(self.made)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.made)


async def load_near(
    context: Leaf, leaves: Items, selected: Selected, *, count: int = 1
) -> list[Any]:
    """Find for each object what `Leaf.near` finds."""
    await asyncio.sleep(0)
    return [find_near(many, count) for many in read(leaves, "many")]


def find_near(many: Any, count: int) -> Any:
    """Return objects, none, or fail."""
    if count < 0:
        raise ValueError(count)
    return many if count else []


@strawberry.interface
class Thing:
    """An interface."""

    id: strawberry.ID


@strawberry.enum
class Color(Enum):
    """An enum of which a member has another name in the API."""

    RED = "red"
    BLUE = strawberry.enum_value("blue", name="AZURE")


@strawberry.type
class Box(Generic[T]):
    """A generic type."""

    content: T
    label: str


@strawberry.type
class Leaf(Thing):
    """A type that has fields of every kind."""

    text: str
    maybe_text: str | None
    number: int
    ratio: float
    flag: bool
    day: date
    at: datetime
    color: Color
    maybe_color: Color | None
    price: Decimal
    texts: list[str]
    maybe_texts: list[str | None] | None
    one: Leaf | None
    many: list[Leaf]
    thing: Thing
    box: Box[Leaf] | None
    grid: list[list[Leaf] | None]

    @strawberry.field
    def shout(self) -> str:
        """Return what only a resolver knows."""
        return str(self.text).upper()

    @strawberry.field
    async def later(self) -> Leaf | None:
        """Return an object after a while."""
        await asyncio.sleep(0)
        return self.one

    @strawberry.field(metadata={TOGETHER: Together(load_near, needs=("many",))})
    async def near(self, count: int = 1) -> list[Leaf]:
        """Return objects that can be loaded for many objects together."""
        await asyncio.sleep(0)
        found: list[Leaf] = find_near(self.many, count)
        return found


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def leaf(self, info: strawberry.Info[Any, None]) -> Leaf:
        """Return what is to be read."""
        leaf: Leaf = info.context
        return leaf


class Schema(strawberry.Schema):
    """A schema that logs nothing."""

    def process_errors(self, *_: Any) -> None:
        """Leave errors to the test."""


STOCK = Schema(query=Query, types=[Leaf])
OURS = Schema(query=Query, types=[Leaf], execution_context_class=Executor)
