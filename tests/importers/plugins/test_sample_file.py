"""Sample files are those of the product, to the byte."""

from __future__ import annotations

import pytest

from importers import Blank, Column, Importer
from importers.plugins.sample_file import sample_csv, sample_filename
from tests.importers.fakes import ASSIGN, MODIFY, REMOVE


@pytest.mark.parametrize(
    ("importer", "expected"),
    [
        pytest.param(
            ASSIGN,
            "case_id,user_id,case_role_order,case_role_id,case_notify\r\n"
            "trv-001,jack-001,,staff,0\r\n",
            id="assign",
        ),
        pytest.param(
            MODIFY,
            "case_id,user_id,case_role_id,case_notify\r\ntrv-001,jones-001,staff,0\r\n",
            id="modify",
        ),
        pytest.param(REMOVE, "user_id,case_id\r\njones-001,trv-001\r\n", id="remove"),
    ],
)
def test_sample_files(importer: Importer, expected: str) -> None:
    """The header has the product's columns in its order, the row their examples."""
    assert sample_csv(importer) == expected


@pytest.mark.parametrize(
    ("importer", "label"),
    [
        (ASSIGN, "Assign users to cases"),
        (MODIFY, "Modify users assigned to cases"),
        (REMOVE, "Remove users assigned to cases"),
    ],
)
def test_labels(importer: Importer, label: str) -> None:
    """The types are called as in the product's menu."""
    assert importer.label == label


def test_optional_columns_of_the_types() -> None:
    """Files of assign and modify may have case_role_order; only the keys are required in modify."""
    required = {
        importer.key: [name for name, column in importer.columns.items() if column.required]
        for importer in (ASSIGN, MODIFY, REMOVE)
    }

    assert required == {
        "assign": ["case_id", "user_id", "case_role_id"],
        "modify": ["case_id", "user_id"],
        "remove": ["user_id", "case_id"],
    }
    assert "case_role_order" in ASSIGN.columns
    assert "case_role_order" in MODIFY.columns


def test_file_name() -> None:
    """A sample file is called after its type."""
    assert sample_filename("assign") == "assign_sample.csv"


def test_examples_are_quoted() -> None:
    """An example with a comma stays one cell; columns kept out of the sample are not in it."""

    class Odd(Importer):
        name = Column[str](example='Doe, "Jo"')
        order = Blank(in_sample=False)
        note = Column[str]()

    assert sample_csv(Odd("odd")) == 'name,note\r\n"Doe, ""Jo""",\r\n'
