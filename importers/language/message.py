"""Caseroll's own messages in another language: found by their code, with what stands in them.

A message is made of a template, such as `no case has the Tag ID or ID '{text}'`. The catalogue has
the templates of each code, with the code as their context. Advice that may end several messages has
the context `TAIL`, what is said of a row that passed, `REMARK`, why a workbook can't be read or
written, `REASON`, words of ours that stand in messages, `WORD`, and parts of mails, `MAIL`. What no
template fits stays English.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from importers.language.catalogue import catalogue_path, read_entries, write_number
from importers.language.template import COUNT, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from importers.language.catalogue import Entry

FOLDER, NAME = Path(__file__).parent, "messages"
TAIL, REMARK, REASON, WORD, MAIL = "TAIL", "REMARK", "REASON", "WORD", "MAIL"
CONTEXTS = (TAIL, REMARK, REASON, WORD, MAIL, "NAME")
"""The contexts that are no codes."""

# Between the label of the column and the sentence.
_LABEL = re.compile(r"[^:']{1,100}: ")
# What a message is about, which rows with several changes add to it.
_SUBJECT = re.compile(
    r"(?P<fault>.*) \((?P<noun>case|user) '(?P<name>.*)'\)(?P<end>[.?!]?)", re.DOTALL
)
_SUBJECT_ENDS = ("')", "').", "')?", "')!")
# Names in templates that stand for words of ours, not for what an admin has written.
_WORDS = ("noun", "what", "other", "kind", "forms", "place")
# The name that stands for what is stored: `the family name 'Smith' and no time zone`.
_FIELDS = "stored"
_FIELD = re.compile(r"(?P<field>[^']+?)(?P<value> '.*?')?(?: and |$)", re.DOTALL)
# Names that stand for another message, of any code.
_MESSAGES = ("why", "reason")
# Names that stand for the label of an import type.
_TYPES = ("type", "type_1", "type_2", "type_3")


class MessageSubject(NamedTuple):
    """What a message of a row with several changes is about.

    Args:
        noun: `case` or `user`.
        end: the mark at the end of the message.
    """

    noun: str
    name: str
    end: str


def read_messages(language: str) -> list[Entry]:
    """Read the catalogue of Caseroll's messages."""
    return read_entries(catalogue_path(FOLDER, language, NAME), language)


class Messages:
    """Caseroll's messages in one language.

    Args:
        label: returns the label of an import type, or what else plugins say, in the language.
    """

    def __init__(self, language: str, label: Callable[[str], str]) -> None:
        self._language = language
        self._label = label
        entries = [each for each in read_messages(language) if each.is_translated]
        self._words = {each.text: each.translation() for each in entries if each.context == WORD}
        self._templates = _templates_by_context(entries)

    def translate(self, code: str, message: str, values: Mapping[str, object]) -> str | None:
        """Return a message in the language; None if it is made of no template of its code.

        Args:
            values: those that the message is known to be made of.
        """
        templates = self._templates.get(code, ())
        for find in (_find_known, _find_alike):
            for start, text in split_label(message):
                if found := find(templates, text, values):
                    return start + self._fill(*found)
        return None

    def with_subject(self, fault: str, subject: MessageSubject) -> str:
        """Add to a message in the language what it is about."""
        noun = self._words[subject.noun]
        return f"{fault.removesuffix(subject.end)} ({noun} '{subject.name}'){subject.end}"

    def say(self, context: str, text: str, **values: str | int) -> str:
        """Write a message of its template; in English, if it has no translation."""
        template = next(
            (each for each in self._templates.get(context, ()) if each.text == text), None
        )
        return self._fill(template, values) if template else text.format_map(values)

    def _fill(self, template: Template, values: Mapping[str, object]) -> str:
        figures = {name: _number_in(values[name]) for name in template.figures}
        shown = {
            name: write_number(self._language, figures[name])
            if name in figures
            else self._translate_value(name, str(values[name]))
            for name in template.names
        }
        return template.fill(shown, figures.get(COUNT, 1))

    def _translate_value(self, name: str, value: str) -> str:
        """Return what stands for a name; what an admin has written stays as it is."""
        if name in _WORDS:
            return self._words.get(value) or self._label(value)
        if name in _TYPES:
            return self._label(value)
        if name == _FIELDS:
            found = (each.group("field", "value") for each in _FIELD.finditer(value))
            return ", ".join(self._words.get(field, field) + (said or "") for field, said in found)
        if name in _MESSAGES:
            said = (self.translate(code, value, {}) for code in self._templates)
            return next(filter(None, said), value)
        return value


def split_subject(message: str) -> tuple[str, MessageSubject] | None:
    """Return a message apart from what it is about; None if it does not say so."""
    found = _SUBJECT.fullmatch(message) if message.endswith(_SUBJECT_ENDS) else None
    if found is None:
        return None
    subject = MessageSubject(found["noun"], found["name"], found["end"])
    return found["fault"] + subject.end, subject


def split_label(message: str) -> list[tuple[str, str]]:
    """Return a message without and, if it may have one, with the label of its column apart."""
    parts = _LABEL.match(message)
    whole = ("", message)
    return [whole, (parts[0], message[parts.end() :])] if parts else [whole]


_Found: TypeAlias = "tuple[Template, Mapping[str, object]] | None"


def _find_known(templates: Sequence[Template], text: str, values: Mapping[str, object]) -> _Found:
    """Find the template that makes a text of these values.

    They are those of most messages, and say without a doubt where each begins and ends. They are
    not all, where messages stand within messages.
    """
    known = (each for each in templates if each.names <= values.keys())
    exact = next((each for each in known if each.fits(text, values)), None)
    return (exact, values) if exact else None


def _find_alike(templates: Sequence[Template], text: str, _: Mapping[str, object]) -> _Found:
    """Find the template that says most of a text, and what stands in it for each name."""
    for template in templates:
        found = template.find_values(text)
        if found is not None:
            return template, found
    return None


def _number_in(value: object) -> int:
    return int(str(value).replace(",", ""))


def _templates_by_context(entries: Sequence[Entry]) -> Mapping[str, Sequence[Template]]:
    """Make the templates of each code, with each advice; the longest says most."""
    tails = [(each.text, each.translation()) for each in entries if each.context == TAIL]
    found: dict[str, list[Template]] = {}
    for entry in entries:
        for text in entry.texts:
            is_whole = text.endswith((".", "?", "{why}")) or entry.context in CONTEXTS
            ends = [] if is_whole else [(".", "."), *tails]
            found.setdefault(entry.context, []).extend(
                Template(text, entry, end) for end in [("", ""), *ends]
            )
    for some in found.values():
        some.sort(key=lambda each: -each.letters)
    return found
