"""The page of import types as HTML: what can be imported, to read, to print and to copy from.

`element` escapes whatever is not markup already, so that no text of a plugin can become markup.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from api.http.catalogue import Catalogue, CatalogueColumn, CatalogueType

_TITLE = "Import types"
_HEADINGS = ("Column", "What goes in", "Example", "Choices")
_VOID_ELEMENTS = frozenset({"meta"})


class Markup(str):
    """HTML, which is not escaped again; but for the style, only `element` makes it."""

    __slots__ = ()


_Child: TypeAlias = str | Markup | None


def render_types_page(catalogue: Catalogue) -> str:
    """Write the page, which loads nothing else."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=content_security_policy()),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", f"{_TITLE} · Caseroll"),
        element("style", Markup(_style())),
    )
    body = element(
        "body",
        element("header", element("div", *_intro(catalogue))),
        element("main", *map(_type, catalogue.types), _validators(catalogue)),
        element("footer", element("p", "Written by Caseroll, from what its plugins say.")),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


@cache
def content_security_policy() -> str:
    """Return the page's policy: no script, and no style but its own."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def _intro(catalogue: Catalogue) -> list[Markup]:
    entries = [
        element("li", element("a", each.label, href=f"#{quote(each.key)}"))
        for each in catalogue.types
    ]
    if catalogue.validators:
        entries.append(element("li", element("a", "Checks", href="#validators", class_="quiet")))
    return [
        element("p", "Caseroll", class_="brand"),
        element("h1", _TITLE),
        element(
            "p",
            "What can be imported here, and what its files look like. A file is a CSV file or an "
            "Excel workbook (.xlsx); its first row names the columns, in any order. Optional "
            "columns may be left out.",
            class_="lead",
        )
        if entries
        else element("p", "No import type is switched on.", class_="lead"),
        element("nav", element("ul", *entries), aria_label=_TITLE),
    ]


def _type(each: CatalogueType) -> Markup:
    rows = [_row(column) for column in each.columns]
    head = element("tr", *[element("th", heading, scope="col") for heading in _HEADINGS])
    table = element("table", element("thead", head), element("tbody", *rows))
    return element(
        "section",
        element("h2", each.label, " ", element("code", each.key)),
        element("p", each.text, class_="about") if each.text else None,
        table,
        _sample(each),
        id=each.key,
    )


def _row(column: CatalogueColumn) -> Markup:
    about = column.about
    need = "required" if about.required else "optional"
    return element(
        "tr",
        element(
            "th",
            element("code", about.name),
            " ",
            element("span", need, class_=f"need {need}"),
            scope="row",
        ),
        _cell("What goes in", about.help),
        _cell("Example", element("code", about.example) if about.example else ""),
        _cell("Choices", *_choices(column)),
    )


def _cell(label: str, *children: Markup | str) -> Markup:
    return element("td", *children, data_label=label)


def _choices(column: CatalogueColumn) -> list[Markup | str]:
    choices = [element("code", choice) for choice in column.about.choices or ()]
    parts: list[Markup | str] = [part for choice in choices for part in (choice, " ")]
    if column.takes_roles:
        parts.append("or a role of the app" if parts else "a role of the app")
    return parts


def _sample(each: CatalogueType) -> Markup | None:
    if each.sample is None:
        return None
    address = f"data:text/csv;charset=utf-8,{quote(each.sample, safe='')}"
    return element(
        "figure",
        element(
            "figcaption",
            element("span", "Sample file"),
            " ",
            element("a", each.filename, href=address, download=each.filename),
        ),
        element("pre", element("code", each.sample.replace("\r\n", "\n").rstrip("\n"))),
    )


def _validators(catalogue: Catalogue) -> Markup | None:
    if not catalogue.validators:
        return None
    entries = [
        element("div", element("dt", element("code", key)), element("dd", text))
        for key, text in catalogue.validators
    ]
    return element(
        "section",
        element("h2", "Checks"),
        element("p", "Each row of every file has to pass these, in this order.", class_="about"),
        element("dl", *entries),
        id="validators",
    )


def element(name: str, *children: _Child, **attributes: str | None) -> Markup:
    """Make an element; text and attributes are escaped, and what is None is left out.

    Args:
        name: of the element.
        children: text, or elements.
        attributes: `class_` stands for `class`, `data_label` for `data-label`.

    Example:
        >>> element("p", "1 < 2 ", element("b", "so"), class_="sum")
        '<p class="sum">1 &lt; 2 <b>so</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID_ELEMENTS:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{''.join(map(_escape, children))}</{name}>")


def _escape(child: _Child) -> str:
    if child is None or isinstance(child, Markup):
        return child or ""
    return escape(child)
