"""Ready columns in the real engine: their values reach the database, their errors the rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from importers import (
    Amount,
    CaseRef,
    Choice,
    Choices,
    Country,
    Currency,
    Importer,
    ModifyCase,
    Number,
    Phone,
    RowError,
    Unchanged,
    Url,
    setting,
)
from importers.testing import check_conformance, run_importer
from tests.importers.engine_fixture import EngineFixture, Result


class Engagements(Importer):
    """Describe cases by the columns of the sales department."""

    label = "Engagements"

    @dataclass
    class Settings:
        titles: list[str]

    case_id = CaseRef(required=True, help="The case.", example="trv-001")
    title = Choice(choices=setting("titles"), help="How to address the client.")
    phone = Phone(region="DE", is_key=True, help="The client's.", example="+49 30 1234567")
    land = Country(help="Where the client is.", example="DE")
    site = Url(help="The client's page.", example="https://example.org/")
    fee = Amount("EUR", "USD", minimum=0, help="What was agreed.", example="12.50 EUR")
    paid_in = Currency("EUR", "USD", help="Of the bills.", example="EUR")
    hours = Number(minimum=0, maximum=24, decimals=2, help="A day.", example="7.5")
    spoken = Choices("en", "de", "fr", help="Languages.", example="en; de")

    def change(self, row: Any) -> ModifyCase:
        """Write the values down."""
        values = [getattr(row, name) for name in [*self.columns][1:]]
        return ModifyCase(case=row.case_id, about=" / ".join(map(str, values)))


ENGAGEMENTS = Engagements("engagements", Engagements.Settings(titles=["Dr.", "Prof."]))
HEADER = ";".join(Engagements.columns)
BAD = 'trv-004;Dr;30 1234567;Congo;example.org;1.234 EUR;GBP;25;"en;en"'


async def test_a_file(world: EngineFixture) -> None:
    """Cells are stored in one form; all wrong ones of a row are reported at once."""
    rows = [
        'trv-001;Dr.;(030) 123 45 67;Germany;HTTPS://EXAMPLE.org;"€ 1.234,5";$;7,50;"fr|en"',
        "trv-003;;;;;;;;",
        BAD,
    ]
    engine = world.with_engine(engagements=ENGAGEMENTS)
    import_id = await engine.run("engagements", *rows, header=HEADER)
    row = await world.fetchrow("SELECT about FROM cases WHERE tag_id = 'trv-001'")

    assert row["about"] == (
        "Dr. / +49301234567 / DE / https://example.org/ / 1234.50 EUR / USD / 7.50 / ('en', 'fr')"
    )
    assert await world.results(import_id) == {
        2: Result("UPDATED"),
        3: Result("UPDATED"),
        4: Result(
            "FAILED",
            None,
            (
                *("INVALID_CHOICE", "INVALID_PHONE", "AMBIGUOUS_COUNTRY", "INVALID_URL"),
                *("AMBIGUOUS_NUMBER", "INVALID_CURRENCY", "OUT_OF_RANGE", "DUPLICATE_CHOICE"),
            ),
        ),
    }


async def test_one_number_in_two_forms(world: EngineFixture) -> None:
    """Rows of one phone number are about the same, however they write it."""

    class Watching(Engagements):
        label = "Watching"

        def check_chunk(self, rows: Any, memo: Any) -> Any:
            for row in rows:
                if (first := memo.setdefault(row.phone, row.number)) != row.number:
                    yield row, RowError("phone", "TWICE", "row {row} has it.", row=first)

    cells = ["030 1234567", *(f"0151 1234{number:04}" for number in range(8)), "+49 30 1234567"]
    rows = [f"trv-001;;{cell};;;;;;" for cell in cells]
    engine = world.with_engine(chunk_rows=3, watching=Watching("w", ENGAGEMENTS.settings))
    import_id = await engine.run("watching", *rows, header=HEADER)
    results = await world.results(import_id)

    assert [number for number, result in results.items() if "TWICE" in result.codes] == [11]


def test_conformance() -> None:
    """The columns hold what the kit asks of all."""
    check_conformance(ENGAGEMENTS, rows=500)


def test_a_workbook(tmp_path: Path) -> None:
    """A cell with a number is that number, whatever the sheet puts between its digits."""

    class Hours(Importer):
        """Write the hours down."""

        label = "Hours"
        case_id = CaseRef(required=True)
        hours = Number(decimal_mark=",")

        def change(self, row: Any) -> Unchanged:
            return Unchanged(str(row.hours))

    book = openpyxl.Workbook()
    sheet: Any = book.active
    cells = [(1234, "#,##0"), (1.234, "General"), ("1.234", "@"), (1234.5, "0.00")]
    sheet.append(["case_id", "hours"])
    for value, code in cells:
        sheet.append(["trv-001", value])
        sheet.cell(sheet.max_row, 2).number_format = code
    book.save(tmp_path / "hours.xlsx")
    reports = run_importer(Hours, tmp_path / "hours.xlsx")

    assert [each["message"] for each in reports] == ["1234", "1.234", "1234", "1234.5"]
