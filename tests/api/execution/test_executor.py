"""The executor: whatever is asked of whatever it is asked, the answer is graphql-core's."""

from __future__ import annotations

import asyncio
import gc
import math
import re
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import execute, parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from api.execution.executor import Executor, SelectionCache
from tests.api.execution.sample_schema import OURS, STOCK, Box, Color, Leaf, Unmade

# When a place turns null, graphql-core drops what it was to wait for in there. Where that happens
# while a NamedTuple is made, even the warning fails, for want of `__import__`: what makes named
# tuples has no builtins.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <coroutine:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(autouse=True)
def left_behind() -> Iterator[None]:
    """Drop what is left here, and not in whatever test comes next."""
    yield
    gc.collect()


class Text(str):
    """Not quite a text."""

    __slots__ = ()


class Lying:
    """An object whose attributes can't be read."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)


GOOD: dict[str, Any] = {
    "id": "a",
    "text": "b",
    "maybe_text": None,
    "number": 1,
    "ratio": 0.5,
    "flag": True,
    "day": date(2026, 1, 2),
    "at": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    "color": Color.BLUE,
    "maybe_color": None,
    "price": Decimal("1.50"),
    "texts": ["c", "d"],
    "maybe_texts": ["e", None],
    "one": None,
    "many": [],
    "thing": None,
    "box": None,
    "grid": [],
}


def leaf(**values: Any) -> Leaf:
    """Make an object; what is not given is as it should be."""
    return Leaf(**{**GOOD, **values})


class Late:
    """Something to wait for, which may be dropped without a word, as a coroutine may not."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, object]:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


# Values that do not fit, or only just; each is made anew, as an iterator can be read once.
ODD: list[Callable[[], Any]] = [
    lambda: None,
    lambda: "",
    lambda: Text("sub"),
    lambda: 7,
    lambda: True,
    lambda: 2**31 - 1,
    lambda: 2**31,
    lambda: -(2**31) - 1,
    lambda: 1.0,
    lambda: math.nan,
    lambda: math.inf,
    lambda: Decimal("2.5"),
    lambda: date(2026, 5, 6),
    lambda: datetime(2026, 5, 6),  # noqa: DTZ001
    lambda: Color.RED,
    lambda: "RED",
    list,
    lambda: ["x", None],
    lambda: ("x", "y"),
    lambda: iter(["x"]),
    lambda: {"id": 1},
    lambda: ValueError("returned"),
    leaf,
    lambda: [leaf(), None],
    lambda: [leaf(text=None), leaf(id=None)],
    lambda: Box(content=leaf(), label="l"),
    lambda: Box(content=None, label="l"),
    lambda: Unmade(Leaf, [leaf(), leaf()]),
    lambda: Unmade(Leaf, [leaf(text=7)]),
    lambda: Unmade(Box, [Box(content=None, label="l")]),
    lambda: [Unmade(Leaf, [leaf()]), None, [leaf()]],
    Lying,
    object,
    lambda: Late("later"),
    lambda: Late(LookupError("late")),
]
_DIRECTIVE = re.compile(r" @\w+\(if: [^)]*\)")
_ADDRESS = re.compile(" at 0x[0-9a-f]+", re.IGNORECASE)
LEAVES = "id text maybeText number ratio flag day at color maybeColor price texts maybeTexts shout"
OBJECTS = {
    "one": "Leaf",
    "many": "Leaf",
    "later": "Leaf",
    "grid": "Leaf",
    "near": "Leaf",
    "none: near(count: 0)": "Leaf",
    "wrong: near(count: -1)": "Leaf",
    "thing": "Thing",
    "box": "Box",
}


def directive() -> st.SearchStrategy[str]:
    """Make a directive, mostly none."""
    return st.sampled_from(
        ["", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: false)"]
    )


def selections(kind: str = "Leaf", depth: int = 0) -> st.SearchStrategy[str]:
    """Make a selection set; aliases tell apart what could not be merged."""
    leaves = {"Leaf": LEAVES.split(), "Thing": ["id"], "Box": ["label"]}[kind]
    plain = st.sampled_from([*leaves, "__typename"])
    choices = [
        st.builds("{}{}".format, plain, directive()),
        st.builds("a_{0}: {0}{1}".format, plain, directive()),
    ]
    if kind == "Leaf":
        choices.append(st.just("...F"))
    if depth < 3:
        inner = {
            "Leaf": {**OBJECTS, "... on Thing": "Thing", "... on Leaf": "Leaf"},
            "Thing": {"... on Leaf": "Leaf"},
            "Box": {"content": "Leaf"},
        }[kind]
        choices += [_nested(name, found, depth + 1) for name, found in inner.items()]
    return st.lists(st.one_of(choices), min_size=1, max_size=5).map(" ".join)


def _nested(name: str, kind: str, depth: int) -> st.SearchStrategy[str]:
    return st.deferred(
        lambda: st.builds(
            "{}{} {{ {} }}".format, st.just(name), directive(), selections(kind, depth)
        )
    )


@st.composite
def makers(draw: st.DrawFn, depth: int = 0) -> Callable[[], Leaf]:
    """Make something that makes an object, the same each time, in which a few values are odd."""
    odd = draw(st.dictionaries(st.sampled_from(sorted(GOOD)), st.sampled_from(ODD), max_size=2))
    inner = draw(st.lists(makers(depth + 1), max_size=3)) if depth < 2 else []
    is_made = draw(st.booleans())

    def make() -> Leaf:
        objects = [each() for each in inner]
        values: dict[str, Any] = {
            "many": objects if is_made else Unmade(Leaf, objects),
            "thing": leaf(),
            "grid": [objects, None, [leaf(), *objects]],
        }
        if objects:
            values |= {"one": objects[0], "box": Box(content=objects[-1], label="l")}
        return leaf(**{**values, **{name: value() for name, value in odd.items()}})

    return make


def assert_same(selection: str, one: Any, other: Any) -> None:
    """Compare answers, but not which error is told where several wait to make a place null."""
    (data, errors), (other_data, other_errors) = one, other
    assert data == other_data
    if "near" in selection:
        assert bool(errors) == bool(other_errors)
    else:
        assert errors == other_errors


async def answer(schema: strawberry.Schema, query: str, context: Leaf) -> tuple[str, list[str]]:
    """Execute a query; return everything that a client would see."""
    return shown(await schema.execute(query, {"yes": True}, context))


def shown(result: Any) -> tuple[str, list[str]]:
    """Return everything that a client would see of a result: data, in order, and errors."""
    errors = sorted(_ADDRESS.sub("", repr(each.formatted)) for each in result.errors or ())
    return _ADDRESS.sub("", repr(result.data)), errors


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(selections(), makers())
async def test_same_as_graphql_core(selection: str, make: Callable[[], Leaf]) -> None:
    """Any query of any objects has the same data, in the same order, and the same errors."""
    query = f"query ($yes: Boolean!) {{ leaf @include(if: $yes) {{ {selection} }} }}"
    if "...F" in selection:
        query += " fragment F on Leaf { text number one { id many { id text } } f: color }"

    assert_same(selection, await answer(OURS, query, make()), await answer(STOCK, query, make()))


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(selections(), st.lists(makers(), min_size=2, max_size=4))
async def test_same_with_a_memory(selection: str, some: list[Callable[[], Leaf]]) -> None:
    """What an operation is known for from earlier objects holds for those that come after."""
    query = f"{{ leaf {{ {_DIRECTIVE.sub('', selection)} }} }}"
    if "...F" in selection:
        query += " fragment F on Leaf { text number one { id many { id text } } f: color }"
    assume(not validate(OURS._schema, parse(query)))
    cache, document = SelectionCache(), parse(query)

    for make in some:
        result: Any = execute(
            OURS._schema,
            document,
            context_value=make(),
            executor_class=Executor,
            cache=cache,
        )
        result = await result if isawaitable(result) else result
        assert_same(selection, shown(result), await answer(STOCK, query, make()))


@pytest.mark.parametrize("field", sorted(GOOD))
async def test_same_for_every_value(field: str) -> None:
    """Any value in any field has the same data and errors, in a list of objects as well."""
    name = "".join(part.title() if i else part for i, part in enumerate(field.split("_")))
    selection = {
        "box": "{ label content { id } }",
        "thing": "{ __typename id }",
        "one": "{ id text }",
        "many": "{ id text }",
        "grid": "{ id text }",
    }.get(field, "")
    query = (
        f"query ($yes: Boolean!) {{ leaf {{ id @include(if: $yes) {name} {selection}"
        f" many {{ text {name} {selection} }} }} }}"
    )
    for odd in ODD:

        def make(odd: Callable[[], Any] = odd) -> Leaf:
            thing = {"thing": leaf()}
            values = {field: odd()}
            return leaf(**{"many": [leaf(**thing), leaf(**{**thing, **values})], **thing, **values})

        assert await answer(OURS, query, make()) == await answer(STOCK, query, make())


async def test_same_error_of_what_is_loaded() -> None:
    """What can't be loaded for many objects is told with its place, as by the resolver."""
    query = "{ leaf { id many { text wrong: near(count: -1) { id } } } }"

    ours = await answer(OURS, query, leaf(many=[leaf()]))

    assert ours == await answer(STOCK, query, leaf(many=[leaf()]))
    assert "['leaf', 'many', 0, 'wrong']" in ours[1][0]


async def test_plain_fields_are_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of plain objects is not executed field by field."""
    executed = []
    execute_field = Executor.execute_field

    def record(self: Executor, *args: Any) -> Any:
        executed.append(args[2][0].node.name.value)
        return execute_field(self, *args)

    monkeypatch.setattr(Executor, "execute_field", record)
    inner = leaf(many=Unmade(Leaf, [leaf(many=[leaf()])]))
    context = leaf(many=[inner, leaf(maybe_texts=None)], box=Box(content=leaf(), label="l"))
    query = (
        "{ leaf { many { id text number ratio flag day at color maybeColor texts maybeTexts one"
        " { id } near { near { id } } } box { content { id } } grid { id } shout } }"
    )
    result = await OURS.execute(query, context_value=context)

    assert not result.errors
    assert executed == ["leaf", "shout"]


async def test_variables_are_not_remembered() -> None:
    """An operation that is known has the arguments of each of its requests."""
    query = "query ($count: Int!) { leaf { many { near(count: $count) { id } } } }"
    cache, document, found = SelectionCache(), parse(query), []

    for count in (1, 0, 1):
        result: Any = execute(
            OURS._schema,
            document,
            context_value=leaf(many=[leaf(many=[leaf()])]),
            variable_values={"count": count},
            executor_class=Executor,
            cache=cache,
        )
        found.append((await result).data["leaf"]["many"][0]["near"])

    assert found == [[{"id": "a"}], [], [{"id": "a"}]]
