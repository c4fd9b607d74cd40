"""What the forms of the page ask to be tried again."""

from __future__ import annotations

from typing import Any

import pytest

from api.console.form import Form
from api.console.pages.problems.group_key import GroupKey
from api.console.pages.problems.try_again import retry_variables
from api.errors import HttpError

GROUP = GroupKey("NOT_FOUND", "user_id", "jones-1")
WHERE = {"code": "NOT_FOUND", "column": "user_id", "value": "jones-1"}


@pytest.mark.parametrize(
    ("form", "variables"),
    [
        ({"all": ["1"]}, {}),
        ({"all": ["1"], "except": [GROUP.encode()]}, {"except": [WHERE]}),
        ({"group": [GROUP.encode()]}, {"where": WHERE, "set": None}),
        (
            {"group": [GROUP.encode()], "column": ["User ID"], "use": [" jones-001 "]},
            {"where": WHERE, "set": [{"column": "User ID", "value": "jones-001"}]},
        ),
        (
            {"group": [GROUP.encode()], "column": ["User ID"], "use": [""]},
            {"where": WHERE, "set": [{"column": "User ID", "value": ""}]},
        ),
        (
            {"cell.12.user_id": ["a"], "cell.12.A. B": [""], "cell.3.user_id": ["b"]},
            {
                "rows": [
                    {
                        "number": 12,
                        "cells": [
                            {"column": "user_id", "value": "a"},
                            {"column": "A. B", "value": ""},
                        ],
                    },
                    {"number": 3, "cells": [{"column": "user_id", "value": "b"}]},
                ]
            },
        ),
        (
            {"cell.12.user_id": ["a"], "was.12.user_id": ["a"]},
            {"rows": [{"number": 12, "cells": []}]},
        ),
    ],
    ids=[
        "all",
        "all others",
        "group",
        "new cell",
        "blank cell",
        "rows",
        "same cell",
    ],
)
def test_variables(form: dict[str, list[str]], variables: dict[str, Any]) -> None:
    """A form says which rows, and what they get; a cell that was not changed is not sent."""
    assert retry_variables(Form(form)) == variables


@pytest.mark.parametrize("form", [{}, {"group": ["nonsense"]}, {"cell.x.user_id": ["a"]}])
def test_never_all_by_mistake(form: dict[str, list[str]]) -> None:
    """A form that says nothing does not run all rows."""
    with pytest.raises(HttpError) as refusal:
        retry_variables(Form(form))

    assert refusal.value.status == 400
