"""What pages show of texts and names."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from api.console.language import Language
from api.console.rendering import name_actor
from api.console.shown_text import name_case, name_user, shorten_text, show_text


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


def test_names() -> None:
    """Users have their names or addresses, cases their Tag IDs."""
    user = {"givenName": "Jo", "familyName": "", "email": "jo@example.org"}

    assert "Jo</bdi>" in name_user(user)
    assert "jo@example.org" in name_user({**user, "givenName": ""})
    assert "m-1" in name_case({"tagId": "m-1"}, nameless=Markup("none"))
    assert name_case({"tagId": None}, nameless=Markup("none")) == "none"


def test_shortened_texts() -> None:
    """A long text is cut between two words; one that is hardly longer is not."""
    words = "word " * 19

    assert shorten_text("a\nb") == show_text("a b")
    assert shorten_text(words) == show_text(words)
    assert shorten_text(f"{words}word") == show_text("word " * 16 + "word...")
    assert shorten_text(None) == show_text("")
