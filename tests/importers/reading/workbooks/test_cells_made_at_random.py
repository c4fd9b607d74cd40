"""Cells whose shown text is known are read as that; `make fuzz` compares 100,000 of them."""

from __future__ import annotations

import random

from tests.fuzz.check_workbook import check_usual_form, check_workbook

CELLS = 3_000
DAMAGED = 100


def test_known_cells() -> None:
    """Each cell of each writer, in each spelling, is the text that it shows."""
    seed = first = random.SystemRandom().randrange(2**48)
    compared = 0
    while compared < CELLS:
        try:
            compared += check_workbook(seed)
        except Exception as error:
            raise AssertionError(f"check_workbook({seed}) fails: {error!r}") from error
        seed += 1

    assert seed > first


def test_damaged_sheets() -> None:
    """Rows in the usual form are what the XML parser alone would make of them, or refuse."""
    first = random.SystemRandom().randrange(2**48)
    seen = set()
    for seed in range(first, first + DAMAGED):
        try:
            seen.add(check_usual_form(seed))
        except Exception as error:
            raise AssertionError(f"check_usual_form({seed}) fails: {error!r}") from error

    assert {None, "DAMAGED_WORKBOOK"} <= seen
