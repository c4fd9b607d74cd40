"""What a plugin says and its catalogues don't have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importers.language.plugin_catalogue import catalogues_of
from importers.language.translator import translators
from importers.sdk.importer import Importer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from importers.sdk.plugin import Plugin


def missing_texts(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """List the texts of a plugin without a translation: language and text.

    A language of which it has no catalogue is none of its own.
    """
    kind = type(plugin)
    for language in catalogues_of(kind):
        knows = translators([kind])[language].knows_text
        yield from ((language, text) for text in texts_of(plugin) if not knows(text))


def texts_of(plugin: Plugin) -> list[str]:
    """Return what a plugin says of itself: its description, its label, and what columns hold."""
    texts = [plugin.description]
    if isinstance(plugin, Importer):
        texts += [plugin.label, *(column.help for column in plugin.columns.values())]
    return list(filter(None, texts))


def missing_messages(
    plugins: Sequence[Plugin], errors: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """List the messages of errors without a translation: language and message.

    Args:
        plugins: those that may have made them; the languages are those that all of them have.
    """
    kinds = list(map(type, plugins))
    for language in set[str].intersection(*(set(catalogues_of(kind)) for kind in kinds)):
        translator = translators(kinds)[language]
        yield from ((language, each["message"]) for each in errors if not translator.knows(each))


def as_entries(missing: Iterable[tuple[str, str]]) -> str:
    """Write texts as a catalogue has them, to be copied into it."""
    texts = (f"{language}: msgid {_quoted(text)}" for language, text in dict.fromkeys(missing))
    return "\n".join(f'{each}\n    msgstr ""' for each in texts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
