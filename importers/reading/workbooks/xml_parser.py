"""An XML parser for the parts of workbooks, and a faster way for elements in their usual form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from importers.reading.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Start = Callable[[str, dict[str, str]], None]
    End = Callable[[str], None]
    Text = Callable[[str], None]
    Take = Callable[[str, int], int]

MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    # "Strict Open XML"
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""The namespaces of the elements of Excel workbooks."""

TRUE = ("1", "true", "on")

_LETTERS = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*+"
PLAIN_TEXT = rf"{_LETTERS}(?:&(?:amp|lt|gt|quot|apos);{_LETTERS})*+"
"""Text of an element with the five entities that need no declaration. Without `\\r`, which an XML
parser changes, and without `>`, which may not follow `]]`."""

# The parser holds back an element that has not ended. A longer one is parsed by the XML parser,
# which has bounds of its own.
_LONGEST_HELD = 4 * 1024 * 1024


def local_names(namespaces: Iterable[str], names: str) -> Mapping[str, str]:
    """Map the parser's names of elements, such as "http://… row", to their short names."""
    return {f"{space} {name}": name for space in namespaces for name in names.split()}


def new_parser(start: Start | None, end: End | None = None, text: Text | None = None) -> Any:
    """Return an XML parser that refuses document types, which alone can define entities.

    Elements and attributes of a namespace are named by it and their short name, with a space
    between them.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def parse_part(parser: Any, blocks: Iterable[bytes]) -> None:
    """Parse a whole part."""
    for block in blocks:
        parse_block(parser, block)
    parse_block(parser, b"", is_last=True)


def parse_block(parser: Any, block: bytes, *, is_last: bool = False) -> None:
    """Parse a piece of a part.

    Raises:
        ValueError: it is no XML; says where.
        MemoryError: there is no memory left for it.
    """
    try:
        parser.Parse(block, is_last)
    except expat.ExpatError as error:
        if error.code == _NO_MEMORY:
            raise MemoryError from error
        raise ValueError(str(error)) from error


_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


def _refuse_doctype(*_: object) -> None:
    raise refusal(
        "DAMAGED_WORKBOOK",
        "The workbook declares a document type, which no spreadsheet program writes and which can "
        "be used to do harm. Save the sheet as CSV UTF-8.",
    )


class UsualForm:
    """Parses a part, and takes the elements that have the usual form out of its text first.

    All programs write most rows and texts in one form, which a regular expression parses three
    times as fast as an XML parser. It is used only where nothing else can be meant: the part is in
    UTF-8, and the XML parser has just ended such an element with the very same end tag, so that it
    is neither in a comment nor in a tag, and names without a prefix have the same meaning. The XML
    parser gets everything else. For it, the elements taken out were never there.

    Args:
        parser: its handlers call `ended` when such an element ends.
        end_tag: of the elements, such as `</row>`.
        take: takes elements in the usual form, also none, that begin at a place of a text, and
            returns where they end.

    Attributes:
        prefixes: those of namespaces that are declared; None for names without a prefix.
    """

    def __init__(self, parser: Any, end_tag: str, take: Take) -> None:
        self._parser = parser
        self._end_tag = end_tag
        self.prefixes: set[str | None] = set()
        self._take = take
        self._held = b""
        self._parsed = 0
        self._end = -1
        self._is_usable = True
        self._is_started = False
        parser.XmlDeclHandler = self._declare
        parser.StartNamespaceDeclHandler = self._declare_namespace
        parser.EndNamespaceDeclHandler = self.prefixes.discard

    def begin(self) -> None:
        """Take notice that the element around all these elements has begun."""
        self._is_started = True

    def ended(self) -> None:
        """Take notice that such an element has ended."""
        self._end = self._parser.CurrentByteIndex

    def parse(self, block: bytes, *, is_last: bool = False) -> None:
        """Parse a piece of the part."""
        self._held += block
        cut = self._held.rfind(self._end_tag.encode()) + len(self._end_tag)
        if cut >= len(self._end_tag):
            whole, self._held = self._held[:cut], self._held[cut:]
            self._parse_whole(whole)
        if is_last or len(self._held) > _LONGEST_HELD:
            held, self._held = self._held, b""
            self._parse_other(held, is_last=is_last)

    def _parse_whole(self, block: bytes) -> None:
        """Parse a piece that ends with an end tag."""
        try:
            text = block.decode() if self._is_usable else ""
        except UnicodeDecodeError:
            text = ""
        if not text:
            self._parse_other(block)
            return
        start = 0
        while start < len(text):
            if self._is_at_end():
                end = self._take(text, start)
                if end > start:
                    start = end
                    continue
            end = text.index(self._end_tag, start) + len(self._end_tag)
            self._parse_other(text[start:end].encode())
            start = end

    def _parse_other(self, block: bytes, *, is_last: bool = False) -> None:
        parse_block(self._parser, block, is_last=is_last)
        self._parsed += len(block)

    def _is_at_end(self) -> bool:
        """Tell whether the last that was parsed is the end tag of such an element."""
        return self._is_usable and self._end == self._parsed - len(self._end_tag)

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "utf8"):
            self._is_usable = False

    def _declare_namespace(self, prefix: str | None, _: str | None) -> None:
        self.prefixes.add(prefix)
        # Names without a prefix might mean something else further in.
        if self._is_started:
            self._is_usable = False
