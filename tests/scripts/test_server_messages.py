"""Finding messages in the code."""

from __future__ import annotations

import ast

import pytest

from scripts.server_messages import messages_in

AFTER_A_RETURN = """
def check(name, other):
    if name:
        message = f"The name '{name}' is taken."
        return error("NAME_TAKEN", message)
    message = f"There is no {other.noun}."
    raise ApiError("NOT_FOUND", message, "id")
"""
IN_PARTS = """
START = "Row {row} has "
def check(cells, limit):
    template = START + ("a cell" if cells == 1 else "cells")
    template += f" of {limit:,} characters."
    return Detail.of("TOO_LONG", template, row=1)
"""
OF_ANOTHER = """
def check(advice):
    return RowError(None, "UNKNOWN", "it is unknown" + advice, text="x")
"""


AT_THE_TOP = """
NONE = Detail(code="NO_ROWS", message="There is none.")
WHY = {"case": "is closed.", "user": "is gone."}
def check(noun):
    return RowError(noun, "REFUSED", WHY[noun])
"""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (
            AT_THE_TOP,
            [
                ("m:2", "NO_ROWS", "There is none."),
                ("m:5", "REFUSED", "is closed."),
                ("m:5", "REFUSED", "is gone."),
            ],
        ),
        (
            AFTER_A_RETURN,
            [
                ("m:5", "NAME_TAKEN", "The name '{name}' is taken."),
                ("m:7", "NOT_FOUND", "There is no {noun}."),
            ],
        ),
        (
            IN_PARTS,
            [
                ("m:6", "TOO_LONG", "Row {row} has a cell of {limit:,} characters."),
                ("m:6", "TOO_LONG", "Row {row} has cells of {limit:,} characters."),
            ],
        ),
        (OF_ANOTHER, [("m:3", "UNKNOWN", "it is unknown{…}")]),
        ("def check(key):\n    return load(key, 'IMPORT', mode='r')\n", []),
    ],
)
def test_messages_in(code: str, found: list[tuple[str, str, str]]) -> None:
    """A message is what a variable holds where it is used; unknown parts are gaps."""
    assert [tuple(each) for each in messages_in(ast.parse(code), "m")] == found
