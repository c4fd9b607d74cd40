"""Templates of messages, with names in braces, and what stands in a message for each name."""

from __future__ import annotations

import re
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from importers.language.catalogue import Entry

_NAME = re.compile(r"\{(\w+)(?::,)?\}")
_FIGURE = re.compile(r"\{(\w+):,\}")
COUNT = "count"
"""The name that stands for the count, in a message that has forms for one and for more."""


class Template:
    """What messages look like in English, and how to write them in another language.

    Args:
        text: the English, with a name in braces for each value: `no case has the ID '{text}'.`
        entry: its translation.
        tail: English advice at the end, and its translation.
    """

    def __init__(self, text: str, entry: Entry, tail: tuple[str, str] = ("", "")) -> None:
        self.text = text + tail[0]
        self._entry = entry
        self._end = tail[1]
        self.figures = frozenset(_FIGURE.findall(self.text))
        self.names = names_in(self.text)
        # Most templates of a code are ruled out by what they begin and end with.
        self._start, self._last = self.text.partition("{")[0], self.text.rpartition("}")[2]
        self.letters = len(_NAME.sub("", self.text))

    def fits(self, message: str, values: Mapping[str, object]) -> bool:
        """Tell whether a message is made of the template and these values."""
        if not self.names:
            return self.text == message
        if not (message.startswith(self._start) and message.endswith(self._last)):
            return False
        try:
            return self.text.format_map(values) == message
        except (LookupError, ValueError, TypeError, AttributeError):
            return False

    def find_values(self, message: str) -> Mapping[str, str] | None:
        """Return what stands in a message for each name; None if it is not made of the template."""
        if not (message.startswith(self._start) and message.endswith(self._last)):
            return None
        found = self._pattern.fullmatch(message)
        return found.groupdict() if found else None

    def fill(self, shown: Mapping[str, str], count: int) -> str:
        """Write the message in the other language.

        Args:
            shown: what stands for each name there.
            count: of a message about a count.
        """
        text = self._entry.translation(count) + self._end
        return _FIGURE.sub(r"{\1}", text).format_map(shown) if self.names else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """An expression that finds what stands in a message for each name."""
        named: set[str] = set()
        parts: list[str] = []
        end = 0
        for found in _NAME.finditer(self.text):
            name = found[1]
            parts.append(re.escape(self.text[end : found.start()]))
            found_text = r"\d[\d,]*" if name in self.figures else ".*?"
            parts.append(f"(?P={name})" if name in named else f"(?P<{name}>{found_text})")
            named.add(name)
            end = found.end()
        return re.compile("".join([*parts, re.escape(self.text[end:])]), re.DOTALL)


def names_in(text: str) -> frozenset[str]:
    """Return the names in braces of a template.

    Raises:
        ValueError: it has a brace without its pair, or something else than a name in braces.
    """
    found = [each for each in Formatter().parse(text) if each[1] is not None]
    for _, name, form, conversion in found:
        if not str(name).isidentifier() or form not in ("", ",") or conversion:
            raise ValueError(
                f"in braces stands a name, as in {{seat}} or {{seats:,}}, not {name!r}"
            )
    return frozenset(str(name) for _, name, _, _ in found)
