"""What our own import types say of themselves, in another language."""

from __future__ import annotations

import pytest

from importers.builtin.assign import AssignUsers
from importers.language.catalogue import OTHERS
from importers.language.plugin_catalogue import catalogues_of
from importers.language.translator import own_translators
from scripts.texts import builtin_texts


@pytest.mark.parametrize("language", OTHERS)
def test_each_text(language: str) -> None:
    """Each text of our plugins is translated, and no other."""
    known = catalogues_of(AssignUsers)[language].texts

    assert set(known) == builtin_texts(), "run `make texts`, then translate what is blank"


def test_texts_of_others() -> None:
    """What a plugin says stays as it says it."""
    spanish, english = (own_translators()[code] for code in ("es", "en"))

    assert spanish.text("Seat plan", None) == "Seat plan"
    assert spanish.text("Add users", None) == "Añadir usuarios"
    assert english.text("Add users", None) == "Add users"
