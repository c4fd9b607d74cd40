"""The reader keeps its rules for random files; `make fuzz` tries a million of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.batch import head_bytes
from tests.fuzz.check_reading import CODES, check_reading
from tests.fuzz.random_file import make_file
from tests.fuzz.saved_file import FOLDER, load

COUNT = 10_000
# Damaged workbooks may kill their reader, so a process of its own reads each, which takes long.
ISOLATED = 20


@pytest.fixture
def first() -> int:
    """A random number; the message of a failed test shows it."""
    return random.SystemRandom().randrange(2**48)


def test_files_made_at_random(first: int) -> None:
    """No file crashes the reader, loses or gains a row, or is refused without a helpful message."""
    seen = set()
    for seed in range(first, first + COUNT):
        file = make_file(seed)
        if "damaged " in file.kind:
            continue
        try:
            seen.add(check_reading(file, head_bytes=head_bytes(seed)))
        except Exception as error:
            raise AssertionError(f"make_file({seed}) is read wrongly: {error!r}") from error

    assert {None, "BAD_QUOTING", "BAD_ENCODING", "NUL_BYTE", "NO_ROWS"} <= seen


def test_damaged_workbooks(first: int) -> None:
    """The same holds for damaged workbooks, which a process of its own reads."""
    damaged = [seed for seed in range(first, first + COUNT) if "damaged " in make_file(seed).kind]
    seen = {
        check_reading(make_file(seed), head_bytes=head_bytes(seed), is_isolated=True)
        for seed in damaged[:ISOLATED]
    }

    assert "DAMAGED_WORKBOOK" in seen, first


def test_codes_are_explained() -> None:
    """Every code that a refusal may have is in the documentation."""
    text = (Path(__file__).parents[3] / "docs" / "files.md").read_text()

    assert [code for code in sorted(CODES) if f"`{code}`" not in text] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_found(path: Path) -> None:
    """A file that was once read wrongly is read rightly now."""
    check_reading(load(path), head_bytes=head_bytes(0), is_isolated=True)
