"""Catalogues: the texts of one language, read from the `.po` files of gettext."""

from __future__ import annotations

from functools import lru_cache
from gettext import c2py
from typing import TYPE_CHECKING, NamedTuple

from babel import numbers
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LANGUAGES = {"en": "English", "es": "Español"}
"""The languages that there are, each by its own name. The texts in the code are English."""
ENGLISH = "en"
OTHERS = [code for code in LANGUAGES if code != ENGLISH]


class Entry(NamedTuple):
    """A text of the code, with its translation.

    Args:
        context: what tells it from other texts of the same words, often the code of an error.
        texts: the text; of one about a count, the one about 1, then the one about more.
        translations: a form for each kind of count, further ones are like the last; blank if there
            is none yet.
        form_of: returns which of them a count has.
    """

    context: str
    texts: tuple[str, ...]
    translations: tuple[str, ...]
    form_of: Callable[[int], int]

    @property
    def text(self) -> str:
        return self.texts[0]

    @property
    def is_translated(self) -> bool:
        return all(self.translations)

    def translation(self, count: int = 1) -> str:
        """Return the translation about a count."""
        last = len(self.translations) - 1
        return self.translations[min(self.form_of(count), last)] if last else self.translations[0]


def catalogue_path(folder: Path, language: str, name: str) -> Path:
    """Return where a catalogue lies: `locale/es/LC_MESSAGES/NAME.po` of a folder."""
    return folder / "locale" / language / "LC_MESSAGES" / f"{name}.po"


def read_entries(path: Path, language: str) -> list[Entry]:
    """Read a catalogue.

    Raises:
        OSError: the file can't be read.
        PoFileError: it is not in gettext's format.
        UnicodeDecodeError: it is not UTF-8.
    """
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    form_of = c2py(catalogue.plural_expr)
    return [
        Entry(each.context or "", _forms(each.id), _given(_forms(each.string or "")), form_of)
        for each in catalogue
        if each.id
    ]


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _given(forms: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the last forms of a language that a catalogue does not give."""
    while len(forms) > 1 and not forms[-1]:
        forms = forms[:-1]
    return forms


def find_languages(folder: Path, name: str) -> Iterator[str]:
    """List the languages in which a folder has a catalogue of a name."""
    return (code for code in OTHERS if catalogue_path(folder, code, name).is_file())


# Babel takes 40 to 140 µs; the rows of a page have many figures in common.
@lru_cache(4096)
def write_number(language: str, value: float) -> str:
    """Write a number as a language does: 12400 as `12,400` or `12.400`."""
    return numbers.format_decimal(value, locale=language)
