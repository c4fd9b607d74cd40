"""Translators: everything that Caseroll and its plugins say, in one language."""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from importers.builtin.assign import AssignUsers
from importers.language.catalogue import ENGLISH, LANGUAGES
from importers.language.message import REMARK, Messages, split_label, split_subject
from importers.language.plugin_catalogue import catalogue_name, catalogues_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from importers.language.plugin_catalogue import PluginCatalogue
    from importers.sdk.plugin import Plugin

# Of what differs in the errors of a file: the pages that are being read, and what they repeat.
_MESSAGES_KEPT = 4_096

_OWN = catalogue_name(AssignUsers)

Params: TypeAlias = tuple[tuple[str, str | int], ...]


class Translator:
    """Says texts in one language; those without a translation stay English.

    Args:
        language: its code.
        catalogues: those of plugins in this language, by name.
    """

    def __init__(self, language: str, catalogues: Mapping[str, PluginCatalogue]) -> None:
        self.language = language
        self._is_english = language == ENGLISH
        self._catalogues = catalogues
        self._translated = lru_cache(_MESSAGES_KEPT)(self._translate)

    @cached_property
    def _messages(self) -> Messages:
        return Messages(self.language, self.label)

    def error(self, error: Mapping[str, Any]) -> str:
        """Return the message of an error.

        Args:
            error: with its `code` and `message` and, if there are any, `params` and `suggestion`.
        """
        message: str = error["message"]
        if self._is_english:
            return message
        params = tuple((error.get("params") or {}).items())
        return self._translated(error["code"], message, error.get("suggestion"), params) or message

    def knows(self, error: Mapping[str, Any]) -> bool:
        """Tell whether the message of an error has a translation."""
        params = tuple((error.get("params") or {}).items())
        found = self._translated(error["code"], error["message"], error.get("suggestion"), params)
        return found is not None

    def remark(self, remark: str | None) -> str | None:
        """Return what is said of a row that passed, such as `repeats row 7; has a seat`."""
        if self._is_english or not remark:
            return remark
        parts = remark.split("; ")
        return "; ".join(self._translated(REMARK, each, None, ()) or each for each in parts)

    def text(self, text: str, plugin: type[Plugin] | None) -> str:
        """Return a label, a description or a help of a plugin; None if it is not known which."""
        if self._is_english:
            return text
        if plugin is None:
            return self.label(text)
        # What the SDK's columns say of themselves is in Caseroll's own.
        of_plugin = map(self._catalogues.get, (catalogue_name(plugin), _OWN))
        found = (each.texts.get(text) for each in of_plugin if each)
        return next(filter(None, found), text)

    def knows_text(self, text: str) -> bool:
        """Tell whether a label, a description or a help has a translation."""
        return any(text in each.texts for each in self._catalogues.values())

    def label(self, text: str) -> str:
        """Return what some plugin says of itself."""
        found = (each.texts.get(text) for each in self._catalogues.values())
        return next(filter(None, found), text)

    def say(self, context: str, template: str, **values: str | int) -> str:
        """Write a text of Caseroll of its template."""
        if self._is_english:
            return template.format_map(values)
        return self._messages.say(context, template, **values)

    def _translate(
        self, code: str, message: str, suggestion: str | None, params: Params
    ) -> str | None:
        values: dict[str, object] = dict(params)
        if suggestion is not None:
            values["suggestion"] = suggestion
        if parts := split_subject(message):
            fault, subject = parts
            if found := self._find(code, fault, values):
                return self._messages.with_subject(found, subject)
        return self._find(code, message, values)

    def _find(self, code: str, message: str, values: Mapping[str, object]) -> str | None:
        own = self._messages.translate(code, message, values)
        return own or self._of_plugins(message, values)

    def _of_plugins(self, message: str, values: Mapping[str, object]) -> str | None:
        for start, text in split_label(message):
            for catalogue in self._catalogues.values():
                if found := catalogue.translate(text, values):
                    return start + found
        return None


def translators(plugins: Iterable[type[Plugin]]) -> Mapping[str, Translator]:
    """Make the translator of each language, with what plugins bring for it."""
    catalogues: dict[str, dict[str, PluginCatalogue]] = {code: {} for code in LANGUAGES}
    all_plugins: list[type[Plugin]] = [AssignUsers, *plugins]
    for plugin in all_plugins:
        for code, catalogue in catalogues_of(plugin).items():
            catalogues[code][catalogue_name(plugin)] = catalogue
    return {code: Translator(code, found) for code, found in catalogues.items()}


@cache
def own_translators() -> Mapping[str, Translator]:
    """Make the translators of what Caseroll says, without plugins."""
    return translators(())


IN_ENGLISH = Translator(ENGLISH, {})
