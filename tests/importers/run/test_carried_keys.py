"""Seen keys and rows survive being written down."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from importers.rows.payload import pack, unpack_rows
from importers.run.carried_keys import CarriedKeys
from importers.run.planned_row import FirstMention
from importers.sdk.errors import ErrorDetail
from models.assignment import Present

texts = st.text(st.characters(codec="utf-8"), max_size=20)
maybe = st.none() | texts
errors = st.builds(
    ErrorDetail, code=texts, message=texts, column=maybe, value=maybe, suggestion=maybe
)
intents = st.tuples(
    st.sampled_from(["Assign", "Modify", "Remove"]),
    st.none() | st.integers(1, 2**63 - 1),
    st.none() | st.booleans(),
)
mentions = st.builds(FirstMention, st.integers(1, 2**31), intents)
verdicts = st.lists(errors, max_size=2).map(tuple)
pairs = st.tuples(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))


@given(st.dictionaries(pairs, st.tuples(mentions, verdicts), max_size=5))
def test_keys_round_trip(named: dict[Any, Any]) -> None:
    """What one chunk has written of the keys that it has seen, the next one reads."""
    carried = CarriedKeys(
        seen={pair: mention for pair, (mention, _) in named.items()},
        verdicts={pair: failed for pair, (_, failed) in named.items() if failed},
    )

    assert CarriedKeys.unpack(carried.pack()) == carried


def test_edits_round_trip() -> None:
    """What a chunk has changed is read as it was written."""
    carried = CarriedKeys(
        edits={(1, 2): (None, Present(3, True)), (1, 4): (Present(3, False), None)}
    )

    assert CarriedKeys.unpack(carried.pack()) == carried


def test_the_first_chunk_has_seen_nothing() -> None:
    """Nothing handed on is no keys."""
    assert CarriedKeys.unpack(None) == CarriedKeys()


@given(
    st.lists(
        st.tuples(st.integers(2, 2**31), st.lists(texts, max_size=4), st.booleans()),
        min_size=1,
        max_size=5,
    )
)
def test_rows_round_trip(rows: list[tuple[int, list[str], bool]]) -> None:
    """A chunk's rows are read as they were stored: number, cells, and whether one is context."""
    stored = pack(
        (-number if is_context else number, orjson.dumps(cells), 0)
        for number, cells, is_context in rows
    )

    read = unpack_rows(stored)

    in_order = sorted(rows, key=lambda row: (row[0], not row[2]))
    assert [(row.number, row.cells, row.is_context) for row in read] == in_order
    assert [orjson.loads(row.text) for row in read] == [cells for _, cells, _ in in_order]


def test_memo() -> None:
    """What an importer remembers comes back with keys as they were."""
    carried = CarriedKeys(memo={7: [1, "a"], "x": None, ("a", 1): True})

    assert CarriedKeys.unpack(carried.pack()).memo == carried.memo
