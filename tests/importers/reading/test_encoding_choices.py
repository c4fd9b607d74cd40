"""Which encodings a person may choose from."""

from __future__ import annotations

import pytest

from importers.reading.encoding import find_encoding
from importers.reading.encoding_choices import _USUAL, encoding_choices

TEXT = "case_id,name\r\ntrv-001,José Müller\r\n"


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-bom"),
        ("utf-16", "utf-16-le"),
        ("ascii", "utf-8"),
        ("utf-16-le", "utf-16-le"),
    ],
)
def test_no_choice(codec: str, label: str) -> None:
    """A mark, and bytes that are UTF-8, leave nothing to choose."""
    data = TEXT.encode(codec, "ignore")

    assert encoding_choices(data, is_whole=True)[:1] == [label]
    assert codec == "utf-16-le" or encoding_choices(data, is_whole=True) == [label]


@pytest.mark.parametrize("codec", ["cp1252", "mac-roman", "cp850"])
def test_what_is_not_utf_8(codec: str) -> None:
    """Of other bytes, the usual encodings that have them are offered, the right one among them."""
    choices = encoding_choices(TEXT.encode(codec), is_whole=True)

    assert find_encoding(b"", codec).label in choices
    assert "utf-8" not in choices
    assert all(TEXT.encode(codec).decode(find_encoding(b"", each).codec) for each in choices)


def test_a_cut_letter() -> None:
    """A beginning may end within a letter; a whole file may not."""
    cut = "é".encode()[:1]

    assert encoding_choices(cut, is_whole=False) == ["utf-8"]
    assert "utf-8" not in encoding_choices(cut, is_whole=True)


@pytest.mark.parametrize("label", _USUAL)
def test_each_can_be_declared(label: str) -> None:
    """What is offered, an upload may declare."""
    assert find_encoding(b"", label).label == label


def test_letters_of_japanese_windows() -> None:
    """A file with letters that Shift JIS lacks is not left to Chinese encodings."""
    choices = encoding_choices("name\r\n\u9ad9\u6a4b\r\n".encode("cp932"), is_whole=True)

    assert "cp932" in choices
    assert "shift-jis" not in choices
