"""The catalogue: which import types and validators are on, for every app alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.schema.importing.plugin_descriptions import PluginDescription, plain
from importers.plugins.sample_file import sample_filename
from models.app import DEFAULT_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.schema.importing.plugin_descriptions import ColumnDescription
    from importers.plugins.registry import Registry
    from importers.sdk.importer import Importer


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueColumn:
    """A column of an import type.

    Args:
        about: its description; its choices are those that every app has.
        takes_roles: whether the app's roles are choices, too.
    """

    about: ColumnDescription
    takes_roles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueType:
    """An import type that is on.

    Args:
        key: its name in `createImport`.
        label: its name in menus.
        text: what it does.
        columns: in the order of the sample file.
        filename: of the sample file.
        sample: the sample file; None when the plugin can't write it.
    """

    key: str
    label: str
    text: str
    columns: Sequence[CatalogueColumn]
    filename: str
    sample: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All plugins that are on.

    Args:
        types: sorted by label.
        validators: key and text of each, in the order in which they run.
    """

    types: Sequence[CatalogueType]
    validators: Sequence[tuple[str, str]]


async def read_catalogue(registry: Registry) -> Catalogue:
    """Read the descriptions of the plugins that are on."""
    on = {(each.kind, each.name): each.label for each in registry.plugins if each.state == "on"}
    return Catalogue(
        types=[
            await _read_type(key, on.get(("importer", key)), importer)
            for key, importer in registry.importers.items()
        ],
        validators=[
            (plain(each.key), await PluginDescription("validator", each.key, each).text())
            for each in registry.validators
            if ("validator", each.key) in on
        ],
    )


async def _read_type(key: str, label: str | None, importer: Importer) -> CatalogueType:
    description = PluginDescription("importer", key, importer)
    # A column whose choices depend on the roles that an app has, takes roles.
    fixed = await description.columns([])
    with_roles = await description.columns(list(DEFAULT_ROLES))
    return CatalogueType(
        key=plain(key),
        label=plain(label or key),
        text=await description.text(),
        columns=[
            CatalogueColumn(about=column, takes_roles=column.choices != other.choices)
            for column, other in zip(fixed, with_roles, strict=True)
        ],
        filename=sample_filename(plain(key)),
        sample=await description.sample(),
    )
