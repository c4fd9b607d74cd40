"""Columns that have names of their own in files."""

from __future__ import annotations

from typing import Any

import pytest

from importers import Assign, CaseRef, Choice, Importer, RoleRef, Row, RowError, UserRef
from importers.plugins.sample_file import sample_csv
from importers.sdk.columns import column_name
from importers.sdk.errors import FileRefusedError
from importers.testing import check_conformance, run_importer
from tests.importers.engine_fixture import EngineFixture


class Transfers(Importer):
    """Put people on cases, by a file of another program."""

    label = "Transfers"
    from_ = CaseRef(header="From", required=True, example="trv-001", help="The case.")
    person = UserRef(
        header=("E-Mail", "Nr.", "person"), by="email", required=True,
        example="jack@example.org", help="Who.",
    )  # fmt: skip
    role = RoleRef(required=True, example="staff", help="As what.")
    why = Choice("move", "leave", header="Reason (short)", help="Why.")

    def change(self, row: Row) -> Any:
        """Put the person on the case."""
        if row.why == "leave":
            raise RowError("why", "LEAVES", "is not for this file.")
        return Assign(case=row.from_, user=row.person, role=row.role)


def test_the_sample_has_the_first_names() -> None:
    """They stand there as the class writes them."""
    assert sample_csv(Transfers("transfers")).splitlines()[0] == "From,E-Mail,role,Reason (short)"


@pytest.mark.parametrize("name", ["E-Mail", "e mail", "Nr.", "PERSON"])
def test_any_name(name: str) -> None:
    """A column is found by each of its names, and its errors name the one that the file has."""
    header = f"from,{name},role,reason (short)\n"
    found = run_importer(
        Transfers,
        f"{header}trv-001,jack@example.org,staff,\n,nobody@example.org,staff,\n"
        "trv-001,jack@example.org,staff,leave",
    )

    assert found[0]["outcome"] == "CREATED"
    assert [(each["column"], each["message"]) for each in found[1]["errors"]] == [
        ("from", "from: is required."),
        (column_name(name), f"{name}: no user has the e-mail address 'nobody@example.org'."),
    ]
    assert [(each["column"], each["message"]) for each in found[2]["errors"]] == [
        ("reason_(short)", "reason (short): is not for this file.")
    ]


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("From,role", "The column 'E-Mail' is missing, and *Transfers* needs it. Add it to the"
                      " header row."),
        ("From,E-Mail,Nr.,role", "The columns B and C are both 'E-Mail'. Keep one of them."),
        ("From,E-Mail,role,reason", "Column D, 'reason', is not known; did you mean"
                                    " 'Reason (short)'?"),
        ("From,E-Mail,role,zzz", "Column D, 'zzz', is not known. The columns of *Transfers* are"
                                 " From, E-Mail, role, Reason (short): rename it or remove it, or"
                                 " say at the upload which of them it is, or that it is to be"
                                 " ignored."),
    ],
)  # fmt: skip
def test_refused_headers(header: str, error: str) -> None:
    """Columns are called what the sample file calls them."""
    with pytest.raises(FileRefusedError) as caught:
        run_importer(Transfers, f"{header}\na,b,c,d\n")

    assert [each.message for each in caught.value.errors] == [error]


def test_conformance() -> None:
    """The kit knows such columns."""
    check_conformance(Transfers, rows=100)


@pytest.mark.parametrize("name", ["E-Mail", "Nr."])
async def test_a_retry_by_the_name_in_the_file(world: EngineFixture, name: str) -> None:
    """The column that an error names takes the new cell, of one row and of a kind of rows."""
    engine = world.with_engine(transfers=Transfers("transfers"))
    import_id = await engine.run(
        "transfers",
        "trv-001,jack@example.org,staff",
        "trv-003,nobody@example.org,staff",
        "trv-004,nobody,staff",
        header=f"From,{name},role",
    )
    errors = await world.errors(import_id)
    column = errors[3][0]["column"]

    await engine.retry(import_id, {3: {column: "jack-001@example.org"}})
    one = await world.results(import_id)
    await engine.retry(import_id, where={"column": name}, cells={name: "jill-001@example.org"})

    assert column == column_name(name)
    assert {number: each.what for number, each in one.items()} == {
        2: "FAILED",
        3: "CREATED",
        4: "FAILED",
    }
    assert {each.what for each in (await world.results(import_id)).values()} == {"CREATED"}
