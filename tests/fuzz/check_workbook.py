"""Random workbooks whose every cell is known, read and compared."""

from __future__ import annotations

import io
import re
import zipfile
from random import Random

from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.reading.workbooks.xml_parser import UsualForm
from importers.sdk.errors import FileRefusedError
from tests.fuzz.check_reading import LIMITS, workbooks_here
from tests.fuzz.random_file import damaged_xml
from tests.fuzz.workbook_cells import KnownCell, known_cell
from tests.fuzz.workbook_writers import WRITERS, by_hand, by_openpyxl, by_xlsxwriter
from tests.fuzz.xlsx_writer import pack

_SPELLINGS = (
    *(("</row>", "<!-- </row> --></row>"), ("</row>", "</row><row/>"), ("</row>", "</row >")),
    *(("<row ", '<row hidden="1" '), ("<row ", "<row  "), ("<row ", '<row customFormat="1" ')),
    *(("<c ", '<c cm="1" '), ("</c>", "</c><c/>"), ("</c>", "<f>1</f></c>"), ("</c>", "</c\n>")),
    *(("/>", " />"), ("</row>", '<c r="ZZ1" t="inlineStr" /></row>')),
    *(("<v>", "<v >"), ("</v>", "&#32;</v>"), ("<v>", "<v><!---->"), ("</v>", "</v><v>1</v>")),
    *(
        (' t="s"', ""),
        (' s="', ' s="0'),
        ("<is>", "<is><rPh><t>x</t></rPh>"),
        ("<t>", "<t>_x000D_"),
    ),
    *(
        ("<sheetData>", '<cols><col min="2" max="3" style="1"/></cols><sheetData>'),
        ("</sheetData>", '</sheetData><mergeCells><mergeCell ref="B2:C3"/></mergeCells>'),
    ),
    *(("<f>", "<f >"), ("<f>", "<f>&amp;"), ("<si>", "<si><!-- </si> -->"), ("</si>", "</si>\n")),
)
_NAMES = ("case_id", "user_id", "case_role_id", "about", "more")


def check_workbook(seed: int) -> int:
    """Make the workbook with this number, read it, and compare each cell.

    Returns:
        how many cells were compared.

    Raises:
        AssertionError: a cell was read wrongly.
    """
    random = Random(seed)
    names = _NAMES[: random.randint(1, 5)]
    header = [KnownCell(value=name, shown=name) for name in names]
    # A first cell that is never blank, so that no row is.
    rows = [
        [KnownCell(value="r", shown="r"), *(known_cell(random) for _ in names[1:])]
        for _ in range(random.randint(1, 60))
    ]
    write = random.choice(WRITERS)
    content = write([header, *rows], random)
    with workbooks_here():
        table = open_table(io.BytesIO(content), filename="", encoding=None, limits=Limits())
        found = list(table.rows)
    assert table.header == names
    assert len(found) == len(rows)
    for (number, cells), known in zip(found, rows, strict=True):
        for cell, expected in zip(cells, known, strict=True):
            assert cell.strip() == expected.shown.strip(), (number, expected, cell)
    return len(rows) * len(names)


def check_usual_form(seed: int) -> str | None:
    """Damage a sheet, and check that the XML parser alone would make the same of it.

    Returns:
        The code of the refusal; None for a sheet that was read.

    Raises:
        AssertionError: the short way for rows in the usual form makes a difference.
    """
    random = Random(seed)
    rows = [
        [KnownCell(value="r", shown="r"), *(known_cell(random) for _ in range(3))]
        for _ in range(random.randint(2, 12))
    ]
    write = random.choice((by_openpyxl, by_xlsxwriter, by_hand))
    content = _damaged(write(rows, random), random)
    quick, slow = _outcome(content), _with_parser_alone(content)
    assert quick == slow, f"{quick!r:.300} is {slow!r:.300}"
    return quick if isinstance(quick, str) else None


def _damaged(content: bytes, random: Random) -> bytes:
    """Damage the sheet or the texts."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    names = [name for name in parts if name.endswith(("sheet1.xml", "sharedStrings.xml"))]
    name = random.choice(names)
    part = bytes(parts[name]).decode("utf-8", "replace")
    change = damaged_xml if random.random() < 0.5 else _respelled
    parts[name] = change(random, part).encode("utf-8", "surrogatepass")
    return pack(parts, zipfile.ZIP_STORED)


def _respelled(random: Random, part: str) -> str:
    """Write some elements in ways that are allowed, or hardly."""
    for _ in range(random.randint(1, 5)):
        old, new = random.choice(_SPELLINGS)
        places = [found.start() for found in re.finditer(old, part)]
        if places:
            at = random.choice(places)
            part = part[:at] + new + part[at + len(old) :]
    return part


def _outcome(content: bytes) -> object:
    """Return all that was read, or the code of the refusal."""
    with workbooks_here():
        try:
            table = open_table(io.BytesIO(content), filename="", encoding=None, limits=LIMITS)
            return table.header, list(table.rows), table.warnings
        except FileRefusedError as error:
            return error.errors[0].code


def _with_parser_alone(content: bytes) -> object:
    before, UsualForm._is_at_end = UsualForm._is_at_end, lambda _: False  # type: ignore[method-assign]
    try:
        return _outcome(content)
    finally:
        UsualForm._is_at_end = before  # type: ignore[method-assign]
