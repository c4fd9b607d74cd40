"""A number format shows what a spreadsheet shows, or says that this is not certain."""

from __future__ import annotations

import datetime

import pytest

from importers.reading.number_formats.date_text import DateSystem
from importers.reading.number_formats.number_format import BUILT_IN, NumberFormat
from importers.sdk.cell_note import CellNote, Holds, note_of, shown_text

ACCOUNTING = '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("code", "stored", "shown"),
    [
        ("General", "7", "7"),
        ("General", "7.0", "7"),
        ("General", "-0", "0"),
        ("General", "0", "0"),
        ("General", "007", "7"),
        ("General", "1.1000000000000001", "1.1"),
        ("General", "123456789012345", "123456789012345"),
        ("GENERAL", "12.50", "12.5"),
        ('General" km"', "7", "7 km"),
        ("0", "7", "7"),
        ("000", "7", "007"),
        ("000", "1234", "1234"),
        ("000;-000", "7", "007"),
        ("000;-000", "-7", "-007"),
        ("000;(000)", "-7", "(007)"),
        ('"LIT-"0000', "7", "LIT-0007"),
        ('"LIT-"0000', "-7", "-LIT-0007"),
        (r"\L\I\T\-0000", "7", "LIT-0007"),
        (r"\0\00", "7", "007"),
        ("000-00-0000", "123456789", "123-45-6789"),
        (r"00\/00", "1234", "12/34"),
        ("(000) 000-0000", "5551234567", "(555) 123-4567"),
        ("###-###", "123", "-123"),
        ("[$-409]000", "7", "007"),
        ("[Red]000;[Color 12]-000", "7", "007"),
        ("000_)", "7", "007 "),
        ("#,##0", "1234567", "1,234,567"),
        ("0,000", "7", "0,007"),
        ("#,##0.00", "1234.5", "1,234.50"),
        ("0.00", "7", "7.00"),
        ("0.##", "7", "7."),
        ("#.##", "0.5", ".5"),
        ("??0", "7", "  7"),
        ("0%", "0.5", "50%"),
        ("0.0%", "0.125", "12.5%"),
        ("[$€-2] #,##0.00", "1234", "€ 1,234.00"),
        ("$#,##0", "7", "$7"),
        (ACCOUNTING, "1", " 1.00 "),
        (ACCOUNTING, "-1", " (1.00)"),
        ("[>=1000]0.0;0", "7", "7"),
        ("[<10]000;[<100]00;0", "42", "42"),
        ("0;-0;0;@", "0", "0"),
        ("@", "7", "7"),
        ("0;@", "7", "7"),
        ("0#", "7", "07"),
        ("0##", "123", "123"),
        ("0.0#", "7", "7.0"),
        ("[$-de-DE]000", "7", "007"),
    ],
)
def test_numbers_shown_in_full(code: str, stored: str, shown: str) -> None:
    """The text is what the sheet shows, and all that the cell holds, whatever its signs mean."""
    cell = NumberFormat(code).number(stored)
    note = note_of(cell)

    assert shown_text(cell) == shown
    assert (note.holds if note else None) == (Holds.PARTED if {*shown} & {*",."} else None)


@pytest.mark.parametrize(
    ("code", "stored", "number"),
    [
        ("#,##0", "1234", "1234"),
        ("General", "1.234", "1.234"),
        ("0.00", "7", "7"),
        ("0.0%", "0.125", "0.125"),
        ("[$€-2] #,##0.00", "-1234.5", "-1234.5"),
        ("General", "1.1000000000000001", "1.1"),
    ],
)
def test_numbers_with_signs(code: str, stored: str, number: str) -> None:
    """A point or comma can be one of decimals or of thousands: the note has the number."""
    note = note_of(NumberFormat(code).number(stored))

    assert note
    assert note.detail == number


@pytest.mark.parametrize(
    ("code", "stored", "note"),
    [
        ("General", "0.30000000000000004", ("0.3", "0.30000000000000004")),
        ("General", "7.000000000000001", ("7", "7.000000000000001")),
        ("General", "123456789012345678", ("1.23457E+17", "123456789012345678")),
        ("General", "1.2345678901234568E+17", ("1.23457E+17", "123456789012345680")),
        ("General", "1234567890123450", ("1.23457E+15", "1234567890123450")),
        ("General", "1E-7", ("1E-07", "0.0000001")),
        ("0", "1234567890123450", ("1234567890123450", "1234567890123450")),
        ("0", "7.4", ("7", "7.4")),
        ("0", "2.5", ("3", "2.5")),
        ("0.00", "1.005", ("1.01", "1.005")),
        ("0,", "12000", ("12", "12000")),
        ("0.00E+00", "100000", ("1.00E+05", "100000")),
        ("0.00E+00", "9.999", ("1.00E+01", "9.999")),
        ("0;0", "-7", ("7", "-7")),
        ('"yes";;"no"', "1", ("yes", "1")),
    ],
)
def test_numbers_not_shown_in_full(code: str, stored: str, note: tuple[str, str]) -> None:
    """A note has the number itself."""
    shown, held = note
    assert note_of(NumberFormat(code).number(stored)) == CellNote(shown, Holds.NUMBER, held)


@pytest.mark.parametrize(
    ("code", "stored"),
    [
        pytest.param("0;-0;;@", "0", id="a hidden zero"),
        pytest.param(";;;", "7", id="all hidden"),
        pytest.param("#", "0", id="no place for a zero"),
        pytest.param("??", "0", id="spaces for a zero"),
        pytest.param("_(* #_)", "0", id="spaces around no zero"),
        pytest.param("# ?/?", "0.5", id="fraction"),
        pytest.param("# ??/16", "7", id="fraction of an integer"),
        pytest.param("##0.0E+0", "12345", id="powers of a thousand"),
        pytest.param("[$$-409]* #,##0.00", "7", id="filled between"),
        pytest.param("*-0", "7", id="filled with a visible character"),
        pytest.param("0kg", "7", id="letters without quotes"),
        pytest.param('0"kg', "7", id="a quote that is not closed"),
        pytest.param("[DBNum1]0", "7", id="digits of other scripts"),
        pytest.param("[$-2000401]0", "7", id="digits of a locale"),
        pytest.param("[>5]0;-0;0", "3", id="a condition and signs"),
        pytest.param("[>5]0;[<2]0", "3", id="no condition holds"),
        pytest.param("[>5]0;0", "-3", id="a condition and a sign"),
        pytest.param("0", "-0.3", id="minus zero"),
        pytest.param("0;0;0;0;0", "7", id="five sections"),
        pytest.param("yyyy-mm-dd", "-1", id="a day before all days"),
        pytest.param("yyyy-mm-dd", "60", id="29 February 1900"),
        pytest.param("yyyy-mm-dd", "2958466", id="the year 10000"),
        pytest.param("yyyy-mm-dd", "46206.999995", id="half a second before midnight"),
        pytest.param("0##", "7", id="no digit behind a zero"),
        pytest.param("0.#0", "7", id="no decimal before a zero"),
        pytest.param("@;0", "7", id="a text before a number"),
        pytest.param("[$-x-sysdate]0", "7", id="the computer's own format"),
    ],
)
def test_what_is_not_certain(code: str, stored: str) -> None:
    """The note says what the cell holds, and its format."""
    note = note_of(NumberFormat(code).number(stored))

    assert note
    assert note.holds is Holds.UNSHOWN
    assert note.detail == f"{stored} with the number format '{code}'"


def test_a_format_that_is_not_known() -> None:
    """A style may name a format that the workbook does not have."""
    assert note_of(NumberFormat(None).number("7")) == CellNote(
        "7", Holds.UNSHOWN, "7 with an unknown number format"
    )


@pytest.mark.parametrize(
    ("code", "serial", "shown", "held"),
    [
        ("yyyy-mm-dd", "46207", "2026-07-04", "2026-07-04"),
        ("m/d/yy", "46207", "7/4/26", "2026-07-04"),
        ("dd.mm.yyyy", "46207", "04.07.2026", "2026-07-04"),
        ("[$-409]d-mmm-yy;@", "46207", "4-Jul-26", "2026-07-04"),
        ("[$-809]dddd, d mmmm yyyy", "46207", "Saturday, 4 July 2026", "2026-07-04"),
        ("d-mmm-yy", "46207", "2026-07-04", "2026-07-04"),
        ("[$-407]d. mmmm yyyy", "46207", "2026-07-04", "2026-07-04"),
        ("[$-F800]dddd", "46207", "2026-07-04", "2026-07-04"),
        ("[$-x-sysdate]dddd, mmmm dd, yyyy", "46207", "2026-07-04", "2026-07-04"),
        ("[$-en-US]d-mmm-yy;@", "46207", "4-Jul-26", "2026-07-04"),
        ("[$-es-ES]d-mmm-yy;@", "46207", "2026-07-04", "2026-07-04"),
        ("e/m/d", "46207", "2026-07-04", "2026-07-04"),
        ("yyyy-mm-dd hh:mm", "46207.395833333336", "2026-07-04 09:30", "2026-07-04T09:30:00"),
        ("m/d/yy h:mm AM/PM", "46207.75", "7/4/26 6:00 PM", "2026-07-04T18:00:00"),
        ("yyyy-mm-dd", "46207.75", "2026-07-04", "2026-07-04T18:00:00"),
        ("yyyy-mm-dd", "46206.999999999", "2026-07-04", "2026-07-04"),
        ("h:mm", "46207.395833333336", "9:30", "2026-07-04T09:30:00"),
        ("yyyy-mm-dd", "61", "1900-03-01", "1900-03-01"),
        ("yyyy-mm-dd", "2958465", "9999-12-31", "9999-12-31"),
    ],
)
def test_dates(code: str, serial: str, shown: str, held: str) -> None:
    """A date is shown by its format, or as ISO 8601 if that depends on the computer."""
    found = note_of(NumberFormat(code).number(serial))

    assert found == CellNote(shown, Holds.DATE, held)


@pytest.mark.parametrize(
    ("code", "serial", "shown", "held"),
    [
        ("h:mm:ss", "0.39583333333333331", "9:30:00", "9:30:00"),
        ("hh:mm", "0.5", "12:00", "12:00:00"),
        ("h AM/PM", "0", "12 AM", "0:00:00"),
        ("[h]:mm", "1.5", "36:00", "36:00:00"),
        ("[mm]:ss", "0.1", "144:00", "2:24:00"),
        ("mm:ss.0", "0.0001234", "00:10.7", "0:00:11"),
    ],
)
def test_times(code: str, serial: str, shown: str, held: str) -> None:
    """A time of day or a duration has no day."""
    assert note_of(NumberFormat(code).number(serial)) == CellNote(shown, Holds.TIME, held)


def test_days_from_1904() -> None:
    """Old workbooks of the Macintosh count from another day, and know every day after it."""
    made = NumberFormat("yyyy-mm-dd", DateSystem.FROM_1904)

    assert note_of(made.number("0")) == CellNote("1904-01-01", Holds.DATE, "1904-01-01")
    assert note_of(made.number("44745")) == CellNote("2026-07-04", Holds.DATE, "2026-07-04")


@pytest.mark.parametrize("system", DateSystem)
def test_days_that_are_no_numbers(system: DateSystem) -> None:
    """A day that is stored as ISO 8601 is shown by the same formats."""
    day = datetime.date(2026, 7, 4)

    assert note_of(NumberFormat("d/m/yy", system).day(day, 0)) == CellNote(
        "4/7/26", Holds.DATE, "2026-07-04"
    )
    assert note_of(NumberFormat("General", system).day(day, 34200)) == CellNote(
        "2026-07-04 09:30:00", Holds.DATE, "2026-07-04T09:30:00"
    )


def test_a_day_that_the_format_hides() -> None:
    """It is not read where the sheet shows nothing."""
    assert note_of(NumberFormat(";;;").day(datetime.date(2026, 7, 4), 0)) == CellNote(
        "2026-07-04", Holds.UNSHOWN, "2026-07-04 with the number format ';;;'"
    )


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", "ab"),
        ("@", "ab"),
        ("000", "ab"),
        ("0;-0;0", "ab"),
        ('0;-0;0;"ID "@', "ID ab"),
        ('"ID "@', "ID ab"),
        ("@@", "abab"),
        (ACCOUNTING, " ab "),
        ("0kg", "ab"),
    ],
)
def test_texts(code: str, shown: str) -> None:
    """A format may have a section for texts."""
    assert NumberFormat(code).text("ab") == shown


@pytest.mark.parametrize("code", [";;;", "0;0;0;0", '0;0;0;"x"', "@;0", "@kg", "@*-"])
def test_texts_that_are_hidden_or_not_certain(code: str) -> None:
    """A text that is not shown is not read."""
    note = note_of(NumberFormat(code).text("ab"))

    assert note
    assert (note.holds, note.detail) == (
        Holds.UNSHOWN,
        f"the text 'ab' with the number format '{code}'",
    )
    assert NumberFormat(code).text("") == ""


def test_built_in_formats() -> None:
    """Workbooks name the usual formats by numbers; those of dates depend on the computer."""
    dates = [key for key in BUILT_IN if note_of(NumberFormat(BUILT_IN[key]).number("46207.5"))]

    assert set(dates) >= {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
    assert NumberFormat(BUILT_IN[1]).number("7") == "7"
    assert NumberFormat(BUILT_IN[49]).number("7") == "7"
    assert note_of(NumberFormat(BUILT_IN[14]).number("46207")) == CellNote(
        "2026-07-04", Holds.DATE, "2026-07-04"
    )
