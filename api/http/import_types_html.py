"""The page of import types as HTML: what can be imported, to read, to print and to copy from.

`fill` escapes whatever is not markup already, so that no text of a plugin can become markup.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from api.files.sample_workbook import sample_workbook
from api.files.text_workbook import XLSX_TYPE
from api.schema.importing.plugin_descriptions import PluginDescription, plain
from importers.plugins.sample_file import sample_filename
from models.app import DEFAULT_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.schema.importing.plugin_descriptions import ColumnDescription
    from importers.plugins.registry import Registry

_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">\
<meta http-equiv="Content-Security-Policy" content="{policy}">\
<meta name="viewport" content="width=device-width, initial-scale=1">\
<meta name="color-scheme" content="light dark">\
<title>Import types · Caseroll</title><style>{style}</style></head>\
<body><header><div><p class="brand">Caseroll</p><h1>Import types</h1><p class="lead">{lead}</p>\
<nav aria-label="Import types"><ul>{links}</ul></nav></div></header><main>{sections}</main>\
<footer><p>Written by Caseroll, from what its plugins say.</p></footer></body></html>
"""
_LEAD = (
    "What can be imported here, and what its files look like. A file is a CSV file or a "
    "workbook (.xlsx, .ods); its first row names the columns, in any order. Optional columns may "
    "be left out."
)
_LINK = '<li><a href="#{address}">{label}</a></li>'
_LINK_TO_CHECKS = '<li><a href="#validators" class="quiet">Checks</a></li>'
_TYPE = """\
<section id="{key}"><h2>{label} <code>{key}</code></h2>{about}\
<table><thead><tr><th scope="col">Column</th><th scope="col">What goes in</th>\
<th scope="col">Example</th><th scope="col">Choices</th></tr></thead><tbody>{rows}</tbody></table>\
{sample}</section>"""
_ABOUT = '<p class="about">{text}</p>'
_ROW = """\
<tr><th scope="row"><code>{name}</code> <span class="need {need}">{need}</span></th>\
<td data-label="What goes in">{help}</td><td data-label="Example">{example}</td>\
<td data-label="Choices">{choices}</td></tr>"""
_CODE = "<code>{text}</code>"
_SAMPLE = """\
<figure><figcaption><span>Sample file</span> \
<a href="data:text/csv;charset=utf-8,{address}" download="{filename}">{filename}</a> \
<a href="data:{xlsx_type};base64,{workbook}" download="{workbook_name}">{workbook_name}</a>\
</figcaption>\
<pre><code>{text}</code></pre></figure>"""
_CHECKS = """\
<section id="validators"><h2>Checks</h2>\
<p class="about">Each row of every file has to pass these, in this order.</p>\
<dl>{checks}</dl></section>"""
_CHECK = "<div><dt><code>{key}</code></dt><dd>{text}</dd></div>"


class Markup(str):
    """HTML, which is not escaped again; but for the style and links, only `fill` makes it."""

    __slots__ = ()


async def render_types_page(registry: Registry) -> str:
    """Write the page of the plugins that are on; it loads nothing else."""
    on = {(each.kind, each.name): each.label for each in registry.plugins if each.state == "on"}
    links, sections = [], []
    for key, importer in registry.importers.items():
        label = plain(on.get(("importer", key)) or key)
        links.append(fill(_LINK, address=quote(plain(key)), label=label))
        description = PluginDescription("importer", key, importer)
        sections.append(await _section(plain(key), label, description))
    checks = [
        (each.key, await PluginDescription("validator", each.key, each).text())
        for each in registry.validators
        if ("validator", each.key) in on
    ]
    if checks:
        links.append(Markup(_LINK_TO_CHECKS))
        shown = [fill(_CHECK, key=plain(key), text=text) for key, text in checks]
        sections.append(fill(_CHECKS, checks=shown))
    return fill(
        _PAGE,
        policy=content_security_policy(),
        style=Markup(_style()),
        lead=_LEAD if links else "No import type is switched on.",
        links=links,
        sections=sections,
    )


@cache
def content_security_policy() -> str:
    """Return the page's policy: no script, and no style but its own."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


async def _section(key: str, label: str, description: PluginDescription) -> Markup:
    # A column whose choices depend on the roles that an app has, takes roles.
    fixed = await description.columns([])
    with_roles = await description.columns(list(DEFAULT_ROLES))
    text, sample = await description.text(), await description.sample()
    return fill(
        _TYPE,
        key=key,
        label=label,
        about=fill(_ABOUT, text=text) if text else "",
        rows=[
            _row(column, takes_roles=column.choices != other.choices)
            for column, other in zip(fixed, with_roles, strict=True)
        ],
        sample="" if sample is None else await _sample(key, sample, fixed),
    )


async def _sample(key: str, content: str, described: Sequence[ColumnDescription]) -> Markup:
    workbook = await sample_workbook(content, described)
    return fill(
        _SAMPLE,
        address=quote(content, safe=""),
        filename=sample_filename(key),
        xlsx_type=XLSX_TYPE,
        workbook=base64.b64encode(workbook).decode(),
        workbook_name=sample_filename(key, "xlsx"),
        text=content.replace("\r\n", "\n").rstrip("\n"),
    )


def _row(column: ColumnDescription, *, takes_roles: bool) -> Markup:
    choices: list[str] = [fill(f"{_CODE} ", text=choice) for choice in column.choices or ()]
    if takes_roles:
        choices.append("or a role of the app" if choices else "a role of the app")
    return fill(
        _ROW,
        name=column.name,
        need="required" if column.required else "optional",
        help=column.help,
        example=fill(_CODE, text=column.example) if column.example else "",
        choices=choices,
    )


def fill(template: str, **values: str | Sequence[str]) -> Markup:
    """Write values into a template; text is escaped, and the parts of a sequence are joined.

    Example:
        >>> fill("<p>{sum} {so}</p>", sum="1 < 2", so=[Markup("<b>so</b>")])
        '<p>1 &lt; 2 <b>so</b></p>'
    """
    parts = {name: [each] if isinstance(each, str) else each for name, each in values.items()}
    return Markup(
        template.format_map(
            {
                name: "".join(part if isinstance(part, Markup) else escape(part) for part in some)
                for name, some in parts.items()
            }
        )
    )
