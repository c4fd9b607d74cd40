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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NAME = re.compile(r"\{(\w+)(?::,)?\}")
# Between the label of the column and the sentence.
_LABEL = re.compile(r"(?P<label>[^:']{1,100}: )?(?P<sentence>.*)", re.DOTALL)
# Names in templates that stand for words of ours, not for what an admin has written.
_WORDS = ("noun", "what", "other", "kind")
_FIGURE = re.compile(r"\{(\w+):,\}")
_FULL_STOP = "."
_REMARK = "REMARK"


class Template(NamedTuple):
    """What messages look like in English, and how to write them.

    Args:
        figures: names of the figures in it, which English groups by commas.
    """

    pattern: re.Pattern[str]
    translation: str
    figures: frozenset[str]


def translate_error(language: str, error: Mapping[str, Any]) -> str:
    """Return an error's message in a language.

    Args:
        language: its code.
        error: with its `code` and `message`.
    """
    message = str(error["message"])
    parts = _LABEL.fullmatch(message)
    if language == "en" or parts is None:
        return message
    templates = _templates(language).get(error["code"], ())
    for text, label in ((message, ""), (parts["sentence"], parts["label"] or "")):
        for template in templates:
            if found := template.pattern.fullmatch(text):
                return label + _fill(language, template, found.groupdict())
    return message


def translate_remark(language: str, remark: str) -> str:
    """Return what is said of a row that passed, such as `repeats row 7`, in a language."""
    said = [{"code": _REMARK, "message": each} for each in remark.split("; ")]
    return "; ".join(translate_error(language, each) for each in said)


def _fill(code: str, template: Template, values: Mapping[str, str]) -> str:
    shown = dict(values)
    for name in _WORDS:
        if name in shown:
            shown[name] = _own_words(code).get(shown[name], shown[name])
    for name in template.figures:
        shown[name] = Language(code).number(int(shown[name].replace(",", "")))
    return template.translation.format(**shown)


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
        is_whole = text.endswith((_FULL_STOP, "?")) or context == _REMARK
        for tail, word in [("", "")] if is_whole else [(_FULL_STOP, _FULL_STOP), *tails]:
            figures = frozenset(_FIGURE.findall(text))
            template = Template(_pattern(text + tail), translation + word, figures)
            found.setdefault(context, []).append(template)
    for some in found.values():
        some.sort(key=lambda each: -len(each.pattern.pattern))
    return found


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
