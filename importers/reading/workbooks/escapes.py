"""Characters that the text of a workbook writes in another way."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
_HALVES = re.compile("[\ud800-\udfff]")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("&(?:lt|gt|quot|apos|amp);")
_SUBSTITUTE = "\x1a"


def unescaped(text: str, *, has_entities: bool = True) -> str:
    """Return a text as a sheet shows it.

    Args:
        text: with escapes such as `_x000D_`, which Excel writes for a carriage return.
        has_entities: it also has entities such as `&amp;`, which an XML parser did not replace.

    Example:
        >>> unescaped("R&amp;D_x000D_")
        'R&D\\n'
    """
    if has_entities and "&" in text:
        text = _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
    if "_x" in text:
        text = _ESCAPE.sub(_characters, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # A text with this character behind it is never taken for a note.
    return f"{text}{_SUBSTITUTE}" if _SUBSTITUTE in text else text


def _characters(found: re.Match[str]) -> str:
    """Replace escapes of a character each, or of its two halves in UTF-16."""
    codes = [int(code, 16) for code in re.findall("_x(....)_", found[0])]
    text = b"".join(code.to_bytes(2, "little") for code in codes).decode(
        "utf-16-le", "surrogatepass"
    )
    # An escape of half a character stands for nothing: it is kept as it is written.
    return _HALVES.sub(lambda half: f"_x{ord(half[0]):04X}_", text)
