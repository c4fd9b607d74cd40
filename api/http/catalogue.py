"""The catalogue: what can be imported, whichever app it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.schema.importing.plugin_descriptions import (
    ImporterDescription,
    ValidatorDescription,
    plain,
)
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
        about: what it says of itself; its choices are those that are the same for every app.
        takes_roles: whether the app's roles are among its choices.
    """

    about: ColumnDescription
    takes_roles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueType:
    """An import type that is on.

    Args:
        key: what `createImport` calls it.
        label: what menus call it.
        text: what it does.
        columns: in the order of the sample file.
        filename: what the sample file is called.
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
    """Everything that is on.

    Args:
        types: sorted by label.
        validators: key and text of each, in the order in which they are asked.
    """

    types: Sequence[CatalogueType]
    validators: Sequence[tuple[str, str]]


async def read_catalogue(registry: Registry) -> Catalogue:
    """Ask the plugins that are on about themselves."""
    on = {(each.kind, each.name): each.label for each in registry.plugins if each.state == "on"}
    return Catalogue(
        types=[
            await _read_type(key, on.get(("importer", key)), importer)
            for key, importer in registry.importers.items()
        ],
        validators=[
            (plain(each.key), await ValidatorDescription(each.key, each).text())
            for each in registry.validators
            if ("validator", each.key) in on
        ],
    )


async def _read_type(key: str, label: str | None, importer: Importer) -> CatalogueType:
    description = ImporterDescription(key, importer)
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
