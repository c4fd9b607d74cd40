"""HTML that is safe by its making: whatever is not an element already is escaped."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

_VOID = frozenset({"meta"})


class Markup(str):
    """HTML as it is; only `element` and `page` make it."""

    __slots__ = ()


Child: TypeAlias = str | Markup | None


def element(name: str, *children: Child, **attributes: str | None) -> Markup:
    """Make an element; text and attributes are escaped, and what is None is left out.

    Args:
        name: of the element.
        children: text, or elements.
        attributes: `class_` stands for `class`, `data_label` for `data-label`.

    Example:
        >>> element("p", "1 < 2 ", element("b", "so"), class_="sum")
        '<p class="sum">1 &lt; 2 <b>so</b></p>'
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{''.join(map(_shown, children))}</{name}>")


def page(title: str, style: str, policy: str, *body: Child) -> str:
    """Make a whole page.

    Args:
        title: what the browser's tab says.
        style: CSS of ours, which goes in as it is.
        policy: the content security policy.
        body: what is on it.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', *body), lang='en')}\n"


def _shown(child: Child) -> str:
    if child is None or isinstance(child, Markup):
        return child or ""
    return escape(child)
