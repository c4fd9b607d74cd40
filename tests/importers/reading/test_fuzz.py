"""The reader keeps its promises for random files; `make fuzz` tries a million of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.child import head_of
from tests.fuzz.found import FOLDER, load
from tests.fuzz.judge import CODES, judge
from tests.fuzz.made import make

COUNT = 10_000
# Damaged workbooks may kill the process that parses them, so a child process reads them, as in
# production. That is slow, so only some are tried.
ISOLATED = 20


@pytest.fixture
def first() -> int:
    """The first seed, random for each run; a failing test shows it."""
    return random.SystemRandom().randrange(2**48)


def test_files_made_at_random(first: int) -> None:
    """No file crashes the reader, loses or gains a row, or is refused without a known code."""
    seen = set()
    for seed in range(first, first + COUNT):
        made = make(seed)
        if "damaged " in made.kind:
            continue
        try:
            seen.add(judge(made, head=head_of(seed)))
        except Exception as error:
            raise AssertionError(f"make({seed}) is read wrongly: {error!r}") from error

    assert {None, "BAD_QUOTING", "BAD_ENCODING", "NUL_BYTE", "NO_ROWS"} <= seen


def test_damaged_workbooks(first: int) -> None:
    """The same holds for damaged workbooks, which a child process reads."""
    damaged = [seed for seed in range(first, first + COUNT) if "damaged " in make(seed).kind]
    seen = {judge(make(seed), head=head_of(seed), is_isolated=True) for seed in damaged[:ISOLATED]}

    assert "DAMAGED_WORKBOOK" in seen, first


def test_codes_are_explained() -> None:
    """Every code that a refusal may have is in the documentation."""
    text = (Path(__file__).parents[3] / "docs" / "files.md").read_text()

    assert [code for code in sorted(CODES) if f"`{code}`" not in text] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_found(path: Path) -> None:
    """Files that were once read wrongly are read correctly."""
    judge(load(path), head=head_of(0), is_isolated=True)
