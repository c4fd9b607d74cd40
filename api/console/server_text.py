"""Messages of the server in the visitor's language: found by their code, with what stands in them.

A message is made of a template, such as `no case has the Tag ID or ID '{text}'`. A catalogue has
the templates of each code, with the code as their context. Advice that may end several messages has
the context `TAIL`, and what is said of a row that passed, `REMARK`. What no template fits stays
English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from api.console.language import Language, read_messages
from api.console.type_text import translate_type_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NAME = re.compile(r"\{(\w+)(?::,)?\}")
# Between the label of the column and the sentence.
_LABEL = re.compile(r"(?P<label>[^:']{1,100}: )?(?P<sentence>.*)", re.DOTALL)
# What a message is about, which rows with several changes add to it.
_SUBJECT = re.compile(
    r"(?P<fault>.*) \((?P<noun>case|user) '(?P<name>.*)'\)(?P<end>[.?!]?)", re.DOTALL
)
# Names in templates that stand for words of ours, not for what an admin has written.
_WORDS = ("noun", "what", "other", "kind", "forms")
# The name that stands for what is stored: `the family name 'Smith' and no time zone`.
_FIELDS = "stored"
_FIELD = re.compile(r"(?P<field>[^']+?)(?P<value> '.*?')?(?: and |$)", re.DOTALL)
# The name that stands for another message, of any code.
_MESSAGE = "why"
# Names that stand for the label of an import type.
_TYPES = ("type", "type_1", "type_2", "type_3")
_FIGURE = re.compile(r"\{(\w+):,\}")
_FULL_STOP = "."
_REMARK = "REMARK"


class Template(NamedTuple):
    """What messages look like in English, and how to write them.

    Args:
        figures: names of the figures in it, which English groups by commas.
        said: how many letters it has without its names.
    """

    pattern: re.Pattern[str]
    translation: str
    figures: frozenset[str]
    said: int


def translate_error(language: str, error: Mapping[str, Any]) -> str:
    """Return an error's message in a language.

    Args:
        language: its code.
        error: with its `code` and `message`.
    """
    message = str(error["message"])
    found = None if language == "en" else _translate(language, error["code"], message)
    return found or message


@lru_cache(1024)
def _translate(language: str, code: str, message: str) -> str | None:
    """Return a message in a language; None if it is made of no template of its code."""
    subject = _SUBJECT.fullmatch(message)
    fault = subject and _translate(language, code, subject["fault"] + subject["end"])
    if subject and fault:
        noun, end = _own_words(language)[subject["noun"]], subject["end"]
        return f"{fault.removesuffix(end)} ({noun} '{subject['name']}'){end}"
    parts = _LABEL.fullmatch(message)
    label, sentence = (parts["label"] or "", parts["sentence"]) if parts else ("", message)
    for text, start in ((message, ""), (sentence, label)):
        for template in _templates(language).get(code, ()):
            if found := template.pattern.fullmatch(text):
                return start + _fill(language, template, found.groupdict())
    return None


def translate_remark(language: str, remark: str) -> str:
    """Return what is said of a row that passed, such as `repeats row 7`, in a language."""
    said = [{"code": _REMARK, "message": each} for each in remark.split("; ")]
    return "; ".join(translate_error(language, each) for each in said)


def _fill(language: str, template: Template, values: Mapping[str, str]) -> str:
    shown = {
        name: _translate_value(language, name, value, is_figure=name in template.figures)
        for name, value in values.items()
    }
    return template.translation.format(**shown)


def _translate_value(language: str, name: str, value: str, *, is_figure: bool) -> str:
    """Return what stands for a name of a template; what an admin has written stays as it is."""
    if is_figure:
        return Language(language).number(int(value.replace(",", "")))
    if name in _WORDS:
        return _own_words(language).get(value, value)
    if name in _TYPES:
        return translate_type_text(language, value)
    if name == _FIELDS:
        return _translate_fields(language, value)
    if name == _MESSAGE:
        found = (_translate(language, code, value) for code in _templates(language))
        return next(filter(None, found), value)
    return value


def _translate_fields(language: str, stored: str) -> str:
    words = _own_words(language)
    found = (each.group("field", "value") for each in _FIELD.finditer(stored))
    return ", ".join(words.get(field, field) + (value or "") for field, value in found)


@lru_cache(None)
def _own_words(language: str) -> Mapping[str, str]:
    return {text: word for context, text, word in read_messages(language) if context == "WORD"}


@lru_cache(None)
def _templates(language: str) -> Mapping[str, Sequence[Template]]:
    """Read the templates of each code, each with each advice; the longest says most."""
    messages = read_messages(language)
    tails = [(text, word) for context, text, word in messages if context == "TAIL"]
    found: dict[str, list[Template]] = {}
    for context, text, translation in messages:
        is_whole = text.endswith((_FULL_STOP, "?", f"{{{_MESSAGE}}}")) or context == _REMARK
        for tail, word in [("", "")] if is_whole else [(_FULL_STOP, _FULL_STOP), *tails]:
            found.setdefault(context, []).append(_template(text + tail, translation + word))
    for some in found.values():
        some.sort(key=lambda each: -each.said)
    return found


def _template(text: str, translation: str) -> Template:
    figures = frozenset(_FIGURE.findall(text))
    return Template(_pattern(text), translation, figures, said=len(_NAME.sub("", text)))


def _pattern(template: str) -> re.Pattern[str]:
    """Make an expression that finds what stands in a message for each name of its template."""
    figures = set(_FIGURE.findall(template))
    named: set[str] = set()
    parts: list[str] = []
    end = 0
    for found in _NAME.finditer(template):
        name = found[1]
        parts.append(re.escape(template[end : found.start()]))
        found_text = r"\d[\d,]*" if name in figures else ".*?"
        parts.append(f"(?P={name})" if name in named else f"(?P<{name}>{found_text})")
        named.add(name)
        end = found.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)
