"""Claims and rows survive being written down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from importers.claims import Claim, Claims
from importers.errors import ErrorDetail
from importers.payload import pack_rows, unpack_rows
from importers.read import ReadRow

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
claims = st.builds(Claim, st.integers(1, 2**31), wishes, st.lists(errors, max_size=2).map(tuple))
pairs = st.tuples(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))


@given(st.dictionaries(pairs, claims, max_size=5).map(Claims))
def test_claims_round_trip(claimed: Claims) -> None:
    """What one chunk has written of its claims, the next one reads."""
    assert Claims.unpack(claimed.pack()) == claimed


def test_the_first_chunk_has_no_claims() -> None:
    """Nothing handed over is no claims."""
    assert Claims.unpack(None) == Claims()


@given(
    st.lists(
        st.builds(ReadRow, st.integers(2, 2**31), st.lists(texts, max_size=4), st.booleans()),
        max_size=5,
    )
)
def test_rows_round_trip(rows: list[ReadRow]) -> None:
    """A chunk's rows are read as they were stored: number, cells, and whether one is context."""
    assert unpack_rows(pack_rows(rows)) == rows
