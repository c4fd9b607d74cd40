"""Codes of number formats, taken apart: `"LIT-"0000;[Red]-0.00;@` to sections of tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Piece(Enum):
    """What a token of a section stands for."""

    LITERAL = auto()
    DIGIT = auto()
    """A place for a digit: `0`, `#` or `?`."""
    POINT = auto()
    COMMA = auto()
    PERCENT = auto()
    EXPONENT = auto()
    SLASH = auto()
    """A fraction's bar, or what separates the parts of a date."""
    FILL = auto()
    """A character that is repeated until the cell is full."""
    GENERAL = auto()
    TEXT = auto()
    """`@`, the place of a text."""
    DATE = auto()
    """Letters of a date or time: `yyyy`, `mm`, `AM/PM`."""
    ELAPSED = auto()
    """Hours, minutes or seconds that do not end at 24 or 60: `[h]`."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a section; the text is without its quotes, brackets or escapes."""

    part: Piece
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of a code's sections, of which a number's sign chooses one.

    Args:
        condition: such as `>=100`, in the place of the sign.
        is_english: the names of months are English ones, wherever the sheet is opened.
        is_local: what is shown depends on the computer on which the sheet is opened.
    """

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None = None
    is_english: bool = False
    is_local: bool = False

    def has(self, *parts: Piece) -> bool:
        return any(token.part in parts for token in self.tokens)


_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | _(?P<space>.)
    | \*(?P<fill>.)
    | \[(?P<bracket>[^\]]*)\]
    | (?P<general>General)
    | (?P<exponent>E[+-])
    | (?P<date>AM/PM | A/P | y+ | m+ | d+ | h+ | s+ | e+ | g+ | b+ | a{3,})
    | (?P<digit>[0#?])
    | (?P<mark>[.,%/@])
    | (?P<literal>[-+$():^&'~{}<>=\ ] | [^\x00-\x7f])
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_GROUPS = {
    "quoted": Piece.LITERAL,
    "escaped": Piece.LITERAL,
    "literal": Piece.LITERAL,
    "fill": Piece.FILL,
    "general": Piece.GENERAL,
    "exponent": Piece.EXPONENT,
    "date": Piece.DATE,
    "digit": Piece.DIGIT,
}
_MARKS = {
    ".": Piece.POINT,
    ",": Piece.COMMA,
    "%": Piece.PERCENT,
    "/": Piece.SLASH,
    "@": Piece.TEXT,
}
_SECTION = re.compile(r"""(?:"[^"]*"|\\.|[_*].|\[[^\]]*\]|[^;"\\_*\[])*""", re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*([+-]?\d{1,15}(?:\.\d{1,15})?)")
_COLOUR = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color\s*\d{1,2}", re.I)
_ELAPSED = re.compile(r"h+|m+|s+", re.I)
# A locale's number, or what newer programs write: `en-US`, `x-sysdate`.
_LOCALE = re.compile(
    r"\$(?P<symbol>[^-]*)"
    r"(?:-(?P<locale>[0-9a-f]{1,8}|[a-z]{2,3}(?:-[a-z0-9]{2,8})+|x-sys(?:date|time)))?",
    re.IGNORECASE,
)
_ENGLISH = 0x09
_LANGUAGE = 0x3FF
_SYSTEM_FORMATS = (0xF800, 0xF400)


def sections_of(code: str) -> tuple[Section, ...] | None:
    """Take a code apart; return None for one that is not understood for certain."""
    sections = []
    start = 0
    while True:
        found = _SECTION.match(code, start)
        end = found.end() if found else start
        section = _section_of(code[start:end])
        if section is None or (end < len(code) and code[end] != ";"):
            return None
        sections.append(section)
        if end == len(code):
            has_early_text = any(one.has(Piece.TEXT) for one in sections[:-1])
            return None if len(sections) > 4 or has_early_text else tuple(sections)
        start = end + 1


def _section_of(code: str) -> Section | None:
    tokens: list[Token] = []
    marks = _Brackets()
    start = 0
    while start < len(code):
        found = _TOKEN.match(code, start)
        if found is None:
            return None
        start = found.end()
        if found["bracket"] is not None:
            token = marks.take(found["bracket"])
            if token is None:
                return None
            tokens += token
        else:
            tokens += _tokens_of(found)
    return Section(
        tokens=tuple(tokens),
        condition=marks.condition,
        is_english=marks.is_english,
        is_local=marks.is_local,
    )


def _tokens_of(found: re.Match[str]) -> Iterator[Token]:
    group = found.lastgroup or ""
    text = found[group]
    if group == "mark":
        yield Token(_MARKS[text], text)
    elif group == "space":
        yield Token(Piece.LITERAL, " ")
    else:
        yield Token(_GROUPS[group], text)


class _Brackets:
    """What stands in brackets in a section: colours, conditions, currencies, `[h]`."""

    def __init__(self) -> None:
        self.condition: tuple[str, float] | None = None
        self.is_english = False
        self.is_local = False

    def take(self, text: str) -> list[Token] | None:
        """Return the tokens that a bracket stands for; None if it is not understood."""
        if _COLOUR.fullmatch(text):
            return []
        if _ELAPSED.fullmatch(text):
            return [Token(Piece.ELAPSED, text.lower())]
        if (found := _CONDITION.fullmatch(text)) and self.condition is None:
            self.condition = found[1], float(found[2])
            return []
        if found := _LOCALE.fullmatch(text):
            self._take_locale((found["locale"] or "0").lower())
            return [Token(Piece.LITERAL, found["symbol"])] if found["symbol"] else []
        return None

    def _take_locale(self, name: str) -> None:
        if "-" in name:
            self.is_local = self.is_local or name.startswith("x-")
            self.is_english = name.startswith("en-")
            return
        locale = int(name, 16)
        # The upper half names a calendar and the forms of digits, which may be other ones.
        self.is_local = self.is_local or locale in _SYSTEM_FORMATS or locale > 0xFFFF
        self.is_english = locale & _LANGUAGE == _ENGLISH
