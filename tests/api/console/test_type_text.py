"""What our own import types say of themselves, in another language."""

from __future__ import annotations

import pytest

from api.console.language import LANGUAGES, read_entries
from api.console.type_text import translate_type_text
from importers.plugins.registry import load
from importers.undo.undo_import import UndoImport

OTHERS = [code for code in LANGUAGES if code != "en"]


def texts() -> set[str]:
    """Return labels, descriptions and helps of the types that Caseroll brings."""
    found = {UndoImport.label}
    for importer in load(None).importers.values():
        helps = (column.help for column in importer.columns.values())
        found |= {importer.label, importer.description, *helps}
    return found - {""}


@pytest.mark.parametrize("language", OTHERS)
def test_each_text(language: str) -> None:
    """Each text of our types is translated, and no other."""
    known = {text: translation for _, text, translation in read_entries(language, "types")}

    assert set(known) == texts()
    assert [text for text, translation in known.items() if not translation] == []


def test_texts_of_others() -> None:
    """What a plugin says stays as it says it."""
    assert translate_type_text("es", "Seat plan") == "Seat plan"
    assert translate_type_text("es", "Add users") == "Añadir usuarios"
    assert translate_type_text("en", "Add users") == "Add users"
