"""Catalogues that plugins bring: their labels, helps and messages in other languages."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.pofile import PoFileError

from importers.language.catalogue import (
    catalogue_path,
    find_languages,
    read_entries,
    write_number,
)
from importers.language.template import COUNT, Template, names_in
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from importers.language.catalogue import Entry
    from importers.sdk.plugin import Plugin


class PluginCatalogue:
    """The texts of a package's plugins in one language."""

    def __init__(self, language: str, entries: Sequence[Entry]) -> None:
        self._language = language
        translated = [each for each in entries if each.is_translated]
        self.texts = {each.text: each.translation() for each in translated}
        pairs = [(text, each) for each in translated for text in each.texts]
        self._templates = [
            Template(text, each) for text, each in pairs if len(each.texts) > 1 or "{" in text
        ]

    def translate(self, message: str, values: Mapping[str, object]) -> str | None:
        """Return a message in the language, None if it has none of these values' templates."""
        for template in self._templates:
            if template.names <= values.keys() and template.fits(message, values):
                return self._fill(template, values)
        return self.texts.get(message)

    def _fill(self, template: Template, values: Mapping[str, object]) -> str:
        shown = {
            name: write_number(self._language, value)
            if name in template.figures and isinstance(value, int)
            else str(value)
            for name, value in values.items()
        }
        count = values.get(COUNT)
        return template.fill(shown, count if isinstance(count, int) else 1)


def catalogue_name(plugin: type[Plugin]) -> str:
    """Name the catalogues of plugins in the package `acme.rates` after it, `acme_rates`.

    A module outside of a package has its own name.
    """
    spec = getattr(sys.modules.get(plugin.__module__), "__spec__", None)
    return ((spec and spec.parent) or plugin.__module__).replace(".", "_")


def catalogues_of(plugin: type[Plugin]) -> Mapping[str, PluginCatalogue]:
    """Read the catalogues beside a plugin's module, by language.

    Raises:
        ConfigError: with everything that is wrong with one of them.
    """
    return {code: _read_catalogue(code, path) for code, path in catalogue_files(plugin)}


# A package's plugins share them.
@cache
def _read_catalogue(language: str, path: Path) -> PluginCatalogue:
    entries = read_plugin_entries(path, language)
    if problems := list(_entry_problems(path.name, entries)):
        raise ConfigError(problems)
    return PluginCatalogue(language, entries)


def catalogue_files(plugin: type[Plugin]) -> list[tuple[str, Path]]:
    """List the catalogues beside a plugin's module: language and path."""
    file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
    if file is None:
        return []
    folder, name = Path(file).parent, catalogue_name(plugin)
    return [(code, catalogue_path(folder, code, name)) for code in find_languages(folder, name)]


def read_plugin_entries(path: Path, language: str) -> list[Entry]:
    """Read a plugin's catalogue.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        return read_entries(path, language)
    except (OSError, PoFileError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError([f"its catalogue {path} can't be read: {error}"]) from error


def _entry_problems(where: str, entries: Sequence[Entry]) -> Iterator[str]:
    """Find translations whose names are not those of their text: they could not be filled in."""
    for entry in entries:
        try:
            allowed = frozenset().union(*map(names_in, entry.texts))
        except ValueError as error:
            yield f"its catalogue {where} has {entry.text!r:.120}, which is no template: {error}"
            continue
        for translation in filter(None, entry.translations):
            if problem := _translation_problem(entry, translation, allowed):
                yield f"its catalogue {where} translates {entry.text!r:.120} wrongly: {problem}"


def _translation_problem(entry: Entry, translation: str, allowed: frozenset[str]) -> str | None:
    try:
        names = names_in(translation)
    except ValueError as error:
        return f"{translation!r:.120} is no template: {error}"
    wrong = names - allowed if len(entry.texts) > 1 else names ^ allowed
    return f"the name {{{min(wrong)}}} is in one of the two alone" if wrong else None
