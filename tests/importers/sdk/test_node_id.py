"""IDs that the API shows can be read back, and nothing else can."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.sdk.node_id import could_be_node_id, decode_node_id, encode_node_id


@given(kind=st.sampled_from(["Case", "User", "Import"]), key=st.integers(0, 2**63 - 1))
def test_round_trip(kind: str, key: int) -> None:
    """What was encoded decodes to the same type and key, and is taken for an ID of its type."""
    node_id = encode_node_id(kind, key)

    assert (kind, key) == decode_node_id(node_id)
    assert could_be_node_id(kind, node_id)


@given(text=st.text(max_size=30))
def test_any_text_decodes_to_itself_or_nothing(text: str) -> None:
    """No two texts are the ID of the same node."""
    node = decode_node_id(text)

    assert node is None or encode_node_id(*node) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("trv-001", id="a Tag ID"),
        pytest.param("Q2FzZTo3 ", id="a space behind"),
        pytest.param(base64.b64encode(b"Case").decode(), id="no key"),
        pytest.param(base64.b64encode(b"Case:").decode(), id="empty key"),
        pytest.param(base64.b64encode(b"Case:07").decode(), id="leading zero"),
        pytest.param(base64.b64encode(b"Case:-7").decode(), id="negative"),
        pytest.param(base64.b64encode(b"Case:1_0").decode(), id="underscore"),
        pytest.param(base64.b64encode("Case:\uff11".encode()).decode(), id="full-width digit"),
        pytest.param(base64.b64encode(b":7").decode(), id="no type"),
        pytest.param(base64.b64encode(b"Case:9223372036854775808").decode(), id="over a bigint"),
        pytest.param(base64.b64encode(b"Case:" + b"9" * 5000).decode(), id="5,000 digits"),
    ],
)
def test_no_id(text: str) -> None:
    """A text that was not made by us, to the letter, is no ID, and never an exception."""
    assert decode_node_id(text) is None


def test_a_tag_id_is_known_not_to_be_an_id_without_decoding() -> None:
    """The cheap look tells Tag IDs and the IDs of other types apart."""
    assert not could_be_node_id("Case", "trv-001")
    assert not could_be_node_id("Case", encode_node_id("User", 7))
