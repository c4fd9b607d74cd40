"""Random files for the reader: well-formed, made of tokens, damaged, or nonsense."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import openpyxl

from importers.sdk.cell_note import Holds, with_note
from tests.fuzz.xlsx_writer import SHEET, Value, pack, parts_of

Table = list[list[str]]

ALPHABET = (
    *"abz019 _-.'\"=+@,;|\t\r\n",
    "\u00a0\u2003\u200b\u200d\u200e\u202e\u2066\ufeff\u0301\u00e9e\u0301\u1e9e\u0130\u0131",
    "\u4e2d\u0639\u0905\uac00\uff1d\uff0b\uff0d\uff20\uff0c\ufffd\ufffe\ud7ff\ue000",
    "\U0001f600\U0001f468\u200d\U0001f469\U0010ffff\U0001d7d8\U000e0061\x0b\x0c\x1c\x85\u2028\u2029",
)
LETTERS = tuple("".join(ALPHABET))
TOKENS = (
    *",;\t|\"\r\n'= ",
    *(
        '""',
        "\r\n",
        ",,",
        '","',
        '"\r\n"',
        "'=",
        "sep=;\r\n",
        "sep=",
        '"sep=|"\n',
        "\n\n",
        "\ufeff",
    ),
    *("case_id", "user_id", "trv-001", "007", "<html>", "{", "[", "PK", "\0", "\x1a", "a" * 300),
)
ENCODINGS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "utf-16-be",
    "gb18030": "gb18030",
    "cp1252": "windows-1252",
    "shift-jis": "shift-jis",
    "iso-8859-1": "latin1",
}
_DECLARED = (None, None, None, "windows-1252", "utf-16", "shift-jis", "utf-7", "rot13", "cp437",
             "utf-8\r\nX: 1", "idna", "\U0001f600")  # fmt: skip
_NAMES = ("case_id", "user_id", "Case Role", "notify", "\u00e9tat", "x" * 60, "errors")
_MAGIC = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"),
    *(b"\xff\xfe\x00\x00", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00", b"MZ"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomFile:
    """A file, and what is known about it.

    Args:
        kind: how it was made.
        declared: the encoding that the upload declares.
        table: header and rows that a right reading finds; None if they are not known.
        block: bytes that the reader takes at a time; small ones end in the middle of anything.
    """

    kind: str
    content: bytes
    declared: str | None = None
    table: Table | None = None
    block: int = 256 * 1024


def make_file(seed: int) -> RandomFile:
    """Make the file with this number; it is always the same."""
    random = Random(seed)
    kind = random.random()
    if kind < 0.35:
        return _written(random)
    if kind < 0.60:
        return _loose(random)
    if kind < 0.85:
        return _damaged(random)
    if kind < 0.94:
        return _nonsense(random)
    if kind < 0.96:
        return _workbook(random)
    return _damaged_workbook(random)


def _text(random: Random, most: int = 8, letters: tuple[str, ...] = LETTERS) -> str:
    return "".join(random.choices(letters, k=random.randint(0, most)))


def _table(random: Random, letters: tuple[str, ...] = LETTERS) -> Table:
    width = random.randint(2, 5)
    header = random.sample(_NAMES, width)
    rows = [[_text(random, 8, letters) for _ in header] for _ in range(random.randint(1, 6))]
    rows[0][0] = f"r{rows[0][0]}"  # one row at least is not blank
    return [header, *rows]


def _written(random: Random) -> RandomFile:
    table = _table(random)
    codec, declared = random.choice(list(ENCODINGS.items()))
    if codec not in ("gb18030",) and not codec.startswith("utf"):
        table = [[_within(cell, codec) for cell in cells] for cells in table]
        table[1][0] = f"r{table[1][0]}"
    newline = random.choice(["\n", "\r\n", "\r"])
    delimiter = random.choice(",;\t|")
    buffer = io.StringIO(newline="")
    if random.random() < 0.1:
        buffer.write(f"sep={delimiter}{newline}")
    buffer.write(newline * random.choice([0, 0, 0, 1, 3]))
    has_ends = any(end in cell for cells in table for cell in cells for end in "\r\n")
    quoting = csv.QUOTE_ALL if has_ends or random.random() < 0.3 else csv.QUOTE_MINIMAL
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    for cells in table:
        writer.writerow(cells)
        buffer.write(newline * random.choice([0, 0, 0, 0, 2]))
    content = buffer.getvalue().encode(codec)
    known = None if declared and _is_also_utf8(content) else table
    return RandomFile(
        kind="written", content=content, declared=declared, table=known, block=_block(random)
    )


def _is_also_utf8(content: bytes) -> bool:
    """Tell whether bytes are UTF-8 beyond ASCII, which the reader refuses under another name."""
    try:
        return not content.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


def _within(text: str, codec: str) -> str:
    """Leave out characters that the encoding can't encode and decode."""
    return "".join(
        letter
        for letter in text
        if letter.encode(codec, "ignore").decode(codec, "ignore") == letter
    )


def _loose(random: Random) -> RandomFile:
    text = "".join(random.choices(TOKENS, k=random.randint(1, 30)))
    if random.random() < 0.7:
        text = "case_id,user_id\r\n" + text
    codec, declared = random.choice([("utf-8", None), ("utf-16", None), ("cp1252", "windows-1252")])
    return RandomFile(
        kind="loose",
        content=text.encode(codec, "replace"),
        declared=declared,
        block=_block(random),
    )


def _damaged(random: Random) -> RandomFile:
    one, other = _written(random), _written(random)
    content = _mangled(random, one.content, other.content)
    declared = random.choice([one.declared, *_DECLARED])
    return RandomFile(kind="damaged", content=content, declared=declared, block=_block(random))


def _nonsense(random: Random) -> RandomFile:
    content = random.choice([b"", *_MAGIC]) + random.randbytes(random.randint(0, 200))
    return RandomFile(kind="nonsense", content=content, declared=random.choice(_DECLARED))


def _mangled(random: Random, content: bytes, other: bytes) -> bytes:
    """Flip, cut, double and splice."""
    mangled = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at, size = random.randint(0, len(mangled)), random.randint(0, 20)
        way = random.randrange(5)
        if way == 0 and at < len(mangled):
            mangled[at] ^= 1 << random.randrange(8)
        elif way == 1:
            del mangled[at : at + size]
        elif way == 2:
            mangled[at:at] = mangled[at : at + size] * random.randint(1, 5)
        elif way == 3:
            mangled[at:] = other[random.randint(0, len(other)) :]
        else:
            mangled[at:at] = random.choice([b"\0", b"\xff", b'"', b"\r", b"\xed\xa0\x80", b"\x1a"])
    return bytes(mangled)


def _block(random: Random) -> int:
    return random.choice([256 * 1024, 64, random.randint(4, 40)])


_CELL_LETTERS = tuple(
    letter for letter in LETTERS if letter >= " " and letter not in "\x85\u2028\ufffe"
)


def _values(random: Random) -> list[list[Value]]:
    rows: list[list[Value]] = [list(cells) for cells in _table(random, _CELL_LETTERS)]
    for cells in rows[1:]:
        for place in range(1, len(cells)):
            if random.random() < 0.2:
                cells[place] = random.choice([random.randint(-9, 10**15 - 1), True, False])
    return rows


def _shown(value: Value) -> str:
    return with_note(str(value).upper(), Holds.BOOLEAN) if isinstance(value, bool) else str(value)


def _workbook(random: Random) -> RandomFile:
    values = _values(random)
    table = [[_shown(value) for value in cells] for cells in values]
    if random.random() < 0.1:
        return RandomFile(kind="openpyxl", content=_by_openpyxl(values), table=table)
    method = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    return RandomFile(kind="workbook", content=pack(parts_of(values), method), table=table)


def _by_openpyxl(values: list[list[Value]]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row, cells in enumerate(values, 1):
        for column, value in enumerate(cells, 1):
            cell = sheet.cell(row, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@cache
def _from_a_program() -> bytes:
    return _by_openpyxl([["case_id", "user_id"], ["trv-001", 7], [True, "=1"]])


def _damaged_workbook(random: Random) -> RandomFile:
    """Damage the archive, or a part of it before it is packed."""
    if random.random() < 0.4:
        content = pack(parts_of(_values(random)), random.choice([0, 8]))
        return RandomFile(kind="damaged workbook",
                    content=_mangled(random, content, _from_a_program()))  # fmt: skip
    parts: dict[str, str | bytes] = dict(parts_of(_values(random)))
    name = random.choice([SHEET, SHEET, SHEET, *parts])
    parts[name] = damaged_xml(random, str(parts[name])).encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        del parts[random.choice(list(parts))]
    return RandomFile(kind="damaged sheet", content=_lying(random, pack(parts)))


def damaged_xml(random: Random, part: str) -> str:
    """Put pieces of XML into a part, in the place of others."""
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(part))
        part = part[:at] + random.choice(_XML) + part[at + random.choice([0, 0, 1, 5, 40]) :]
    return part


_XML = (
    *("", "<", ">", "&", '"', "&#0;", "&#xD800;", "&#xFFFE;", "_xD800_", "_x0000_", "&bogus;"),
    *('<c r="XFD1048576"><v>1</v></c>', '<c r="A1"><f>1+1</f></c>', '<row r="99999999">', "x:"),
    *('<c r="A1" t="e"><v>#N/A</v></c>', '<c t="s"><v>99</v></c>', "<!--", "]]>", "<![CDATA["),
    *('<c r="B2" t="d"><v>x</v></c>', '<c r="ZZZ99999999"><v>1</v></c>', "</row>", "<row>", "\0"),
    *('<!DOCTYPE x [<!ENTITY a "b">]>', '<c r="A0"><v>1e999</v></c>', "\ud800", "-", "<v>NaN</v>"),
    *('<c r="A2" s="9"><v>-0</v></c>', '<mergeCell ref="A1:B9"/>', 'Target="../..'),
    '<dimension ref="A1:XFD1048576"/>',
)  # fmt: skip


def _lying(random: Random, content: bytes) -> bytes:
    """Sometimes write wrong sizes into the archive's directory."""
    if random.random() < 0.8:
        return content
    lying = bytearray(content)
    at = content.rfind(b"PK\x01\x02", 0, random.randint(1, len(content)))
    if at >= 0:
        field = at + random.choice([8, 10, 16, 20, 24, 42])
        lying[field : field + 4] = random.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\0\0\0"])
    return bytes(lying)
