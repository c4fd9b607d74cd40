"""Messages of the server in the visitor's language: found by their code, with what stands in them.

A message is made of a template, such as `no case has the Tag ID or ID '{text}'`. The catalogue has
the templates of each code, with the code as their context. What no template fits stays English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from api.console.language import read_messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NAME = re.compile(r"\{(\w+)(?::,)?\}")
# Between the label of the column and the sentence.
_LABEL = re.compile(r"(?P<label>[^:']{1,100}: )?(?P<sentence>.*)", re.DOTALL)


class Template(NamedTuple):
    """What messages look like in English, and how to write them."""

    pattern: re.Pattern[str]
    translation: str


def translate_error(code: str, error: Mapping[str, Any]) -> str:
    """Return an error's message in a language.

    Args:
        code: of the language.
        error: with its `code` and `message`.
    """
    message = str(error["message"])
    parts = _LABEL.fullmatch(message)
    if code == "en" or parts is None:
        return message
    templates = _templates(code).get(error["code"], ())
    label = parts["label"] or ""
    for text, before in ((message, ""), (parts["sentence"], label)):
        for template in templates:
            if found := template.pattern.fullmatch(text):
                return before + template.translation.format(**found.groupdict())
    return message


@lru_cache(None)
def _templates(language: str) -> Mapping[str, Sequence[Template]]:
    """Read the templates of each code, the longest first: it is the one that says most."""
    found: dict[str, list[Template]] = {}
    for context, text, translation in read_messages(language):
        if context:
            found.setdefault(context, []).append(Template(_pattern(text), translation))
    for some in found.values():
        some.sort(key=lambda each: -len(each.pattern.pattern))
    return found


def _pattern(template: str) -> re.Pattern[str]:
    """Make an expression that finds what stands in a message for each name of its template."""
    named: set[str] = set()
    parts: list[str] = []
    end = 0
    for found in _NAME.finditer(template):
        name = found[1]
        parts.append(re.escape(template[end : found.start()]))
        parts.append(f"(?P={name})" if name in named else f"(?P<{name}>.*?)")
        named.add(name)
        end = found.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)
