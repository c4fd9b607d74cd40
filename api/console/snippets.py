"""Programs to copy: the clients of `docs/api.md`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# Beside this file in an installed wheel.
_PLACES = (Path(__file__).parent / "api.md", Path(__file__).parents[2] / "docs/api.md")
_SECTION = re.compile(r"^## Clients\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_SNIPPET = re.compile(
    r"^### ([^\n]+)\n(?:(?!^###).)*?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL
)


class Snippet(NamedTuple):
    """A program in a language."""

    title: str
    language: str
    text: str


@lru_cache(None)
def read_snippets() -> list[Snippet]:
    """Read the first program below each heading of the section "Clients"."""
    text = next(path for path in _PLACES if path.exists()).read_text("utf-8")
    section = _SECTION.search(text)
    return [Snippet(*found) for found in _SNIPPET.findall(section[1] if section else "")]
