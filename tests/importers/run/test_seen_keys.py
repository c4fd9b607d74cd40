"""Seen keys and rows survive being written down."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from importers.rows.payload import pack, unpack_rows
from importers.run.seen_keys import FirstMention, SeenKeys
from importers.sdk.errors import ErrorDetail

texts = st.text(st.characters(codec="utf-8"), max_size=20)
maybe = st.none() | texts
errors = st.builds(
    ErrorDetail, code=texts, message=texts, column=maybe, value=maybe, suggestion=maybe
)
wishes = st.tuples(
    st.sampled_from(["Assign", "Modify", "Remove"]),
    st.none() | st.integers(1, 2**63 - 1),
    st.none() | st.booleans(),
)
claims = st.builds(
    FirstMention, st.integers(1, 2**31), wishes, st.lists(errors, max_size=2).map(tuple)
)
pairs = st.tuples(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))


@given(st.dictionaries(pairs, claims, max_size=5).map(SeenKeys))
def test_claims_round_trip(claimed: SeenKeys) -> None:
    """What one chunk has written of its claims, the next one reads."""
    assert SeenKeys.unpack(claimed.pack()) == claimed


def test_the_first_chunk_has_no_claims() -> None:
    """Nothing handed over is no claims."""
    assert SeenKeys.unpack(None) == SeenKeys()


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
    claimed = SeenKeys()
    claimed.memo = {7: [1, "a"], "x": None, ("a", 1): True}

    assert SeenKeys.unpack(claimed.pack()).memo == claimed.memo
