"""What templates show cells as."""

from __future__ import annotations

import pytest

from api.console.language import Language
from api.console.rendering import name_actor, show_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller <b>", "Müller &lt;b&gt;"),
        ("a\u200bb", 'a<span class="invisible">U+200B</span>b'),
        ("a\u00a0<", 'a<span class="invisible">U+00A0</span>&lt;'),
        ("\u202eabc", '<span class="invisible">U+202E</span>abc'),
        (None, ""),
    ],
)
def test_show_text(text: str | None, shown: str) -> None:
    """Text is escaped, has its own direction, and letters that leave no mark have names."""
    assert show_text(text) == f'<bdi dir="auto">{shown}</bdi>'


@pytest.mark.parametrize(("code", "name"), [("en", "command line"), ("es", "línea de órdenes")])
def test_name_actor(code: str, name: str) -> None:
    """What was done at the server itself has a name in the visitor's language."""
    assert name_actor(Language(code), "command line") == name
    assert name_actor(Language(code), "office") == "office"
