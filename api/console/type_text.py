"""What our own import types say of themselves, in the visitor's language.

Labels and helps are texts of the plugins. `types.po` has those that Caseroll brings; others stay as
their plugin says them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from api.console.language import read_entries

if TYPE_CHECKING:
    from collections.abc import Mapping


def translate_type_text(language: str, text: str) -> str:
    """Return a type's label or description, or a column's help, in a language."""
    return text if language == "en" else _texts(language).get(text, text)


@lru_cache(None)
def _texts(language: str) -> Mapping[str, str]:
    return {text: translation for _, text, translation in read_entries(language, "types")}
