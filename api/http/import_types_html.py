"""The page of import types as HTML: what can be imported, to read, to print and to copy from."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from api.http.html import Markup, element, page

if TYPE_CHECKING:
    from api.http.catalogue import Catalogue, CatalogueColumn, CatalogueType

_TITLE = "Import types"
_HEADINGS = ("Column", "What goes in", "Example", "Choices")


def render_types_page(catalogue: Catalogue) -> str:
    """Write the page; it needs nothing but itself."""
    return page(
        f"{_TITLE} · Caseroll",
        _style(),
        content_security_policy(),
        element("header", element("div", *_intro(catalogue))),
        element("main", *map(_type, catalogue.types), _validators(catalogue)),
        element("footer", element("p", "Written by Caseroll, from what its plugins say.")),
    )


@cache
def content_security_policy() -> str:
    """Return the policy that the page is under: no script, and no style but its own."""
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
