"""Texts as pages show them: what a cell holds, and the names of users and cases.

Lists show hundreds of them: a call from a template costs a fifth of what a macro costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 90
# A text that is hardly longer is not cut.
_LEEWAY = 5


def show_text(text: str | None) -> Markup:
    """Show what a cell holds: in its own direction, and with names for invisible letters.

    Example:
        >>> show_text("a\\u200bb")
        Markup('<bdi dir="auto">a<span class="invisible">U+200B</span>b</bdi>')
    """
    text = text or ""
    # Most cells: nothing in them is to be looked at letter by letter.
    if text.isprintable():
        # Six times as fast as `Markup.format`, and a page has hundreds.
        return str.__new__(Markup, f'<bdi dir="auto">{escape(text)}</bdi>')
    parts = [escape(letter) if letter.isprintable() else _name_letter(letter) for letter in text]
    return Markup('<bdi dir="auto">{}</bdi>').format(Markup("").join(parts))


def name_user(user: Mapping[str, Any]) -> Markup:
    """Show what people call a user."""
    return show_text(name_of_user(user))


def name_of_user(user: Mapping[str, Any]) -> str:
    """Return a user's given and family names or, without these, the address."""
    return f"{user['givenName']} {user['familyName']}".strip() or str(user["email"])


def name_case(case: Mapping[str, Any], *, nameless: Markup) -> Markup:
    """Show a case's Tag ID; `nameless` stands for none."""
    return show_text(case["tagId"]) if case["tagId"] else nameless


def shorten_text(text: str | None) -> Markup:
    """Show a text in one line, and no more than its beginning."""
    line = (text or "").replace("\n", " ")
    if len(line) > _LONGEST + _LEEWAY:
        line = line[: _LONGEST - 3].rsplit(" ", 1)[0] + "..."
    return show_text(line)


def _name_letter(letter: str) -> Markup:
    return Markup('<span class="invisible">U+{}</span>').format(f"{ord(letter):04X}")
