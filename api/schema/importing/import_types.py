"""Import types: what the plugins that are on offer, and their sample files."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any
from urllib.parse import quote

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.language import translator
from api.schema.importing.plugin_descriptions import ColumnDescription, PluginDescription, plain
from api.schema.importing.plugins import (
    DISTRIBUTION,
    PROBLEMS,
    PluginState,
    find_status,
    shown_problems,
)
from importers.plugins.sample_file import sample_filename
from importers.undo.undo_import import UNDO, UndoImport

_ON = [PluginState.ON]
NOT_OFFERED = "Not offered."
CSV_TYPE = "text/csv; charset=utf-8"


@strawberry.enum(description="What the cells of a column may name.")
class NamedObject(Enum):
    CASE = strawberry.enum_value("case", description="A case, by its Tag ID or `id`.")
    USER = strawberry.enum_value("user", description="A user, by its Tag ID or `id`.")


@strawberry.type(name="Column", description="A column of a type's files.")
class ImportColumn:
    name: str = field(description="Its name in the header.")
    required: bool = field(description="Whether every row must fill it in.")
    description: str = field(description="What goes into its cells.")
    example: str | None = field(description="A cell, as in the sample file.")
    choices: list[str] | None = field(
        description="What its cells may hold; null when that is no list."
    )
    separator: str | None = field(
        description="What stands between several choices of a cell; null when a cell holds one."
    )
    names: list[NamedObject] = field(
        description="What its cells name, such as a user; nothing when they hold plain values."
    )

    @classmethod
    def of(cls, column: ColumnDescription) -> ImportColumn:
        return cls(
            name=column.name,
            required=column.required,
            description=column.help,
            example=column.example,
            choices=None if column.choices is None else list(column.choices),
            separator=column.separator,
            names=[NamedObject(name) for name in sorted(column.names)],
        )


@strawberry.type(description="A file to start from.")
class SampleTemplate:
    type: str = field(description="Key of the type that it is for.")
    filename: str = field(description="The file's name.")
    content_type: str = field(description="Its media type.")
    content: str = field(
        description="The whole file: the header and one row of examples, lines end in CRLF."
    )
    url: str = field(
        description="Path of the same file on this server; wants the same bearer token."
    )
    workbook_url: str = field(
        description="Path of the same cells as an XLSX workbook, with drop-down lists of choices."
    )

    @classmethod
    async def of(cls, key: str, importer: Any) -> SampleTemplate:
        """Write a type's sample file; that of a type which isn't on is empty."""
        content = None
        if importer is not None:
            content = await PluginDescription("importer", key, importer).sample()
        filename = sample_filename(key)
        url = f"/files/samples/{quote(filename)}"
        return cls(
            type=key,
            filename=filename,
            content_type=CSV_TYPE,
            content=content or "",
            url=url,
            workbook_url=as_workbook(url),
        )


def as_workbook(url: str) -> str:
    """Return the path of a download as a workbook."""
    return f"{url}?format=xlsx"


@strawberry.type(description="A kind of import: what its files look like and what they do.")
class ImportType:
    """An importer, whatever has become of it."""

    importer: strawberry.Private[Any]
    key: str = field(description="What `createImport` calls it.")
    label: str = field(description="What menus call it; its key unless it is on.")
    state: PluginState = field(
        description="What has become of it; only a type that is ON can be imported."
    )
    problems: list[str] = field(description=PROBLEMS)
    distribution: str | None = field(description=DISTRIBUTION)

    @strawberry.field(description="What it does.")
    async def description(self) -> str:
        if self.importer is None:
            return translator().text(NOT_OFFERED, None)
        return await PluginDescription("importer", self.key, self.importer).text()

    @strawberry.field(
        description="The columns of its files, in the order of the sample file; none unless it "
        "is on."
    )
    async def columns(self, info: Info) -> list[ImportColumn]:
        """Describe the columns; the choices of some are the app's roles."""
        if self.importer is None:
            return []
        roles = [row["key"] for row in await info.context.loaders.roles()]
        columns = await PluginDescription("importer", self.key, self.importer).columns(roles)
        return [ImportColumn.of(column) for column in columns]

    @strawberry.field(
        description="Whether columns of a file that are not the type's are ignored, with a warning "
        "on the import. Otherwise they refuse the file, unless its upload says what they are, or "
        "ignores them."
    )
    def ignores_other_columns(self) -> bool:
        return self.importer is not None and type(self.importer).other_columns == "ignore"

    @strawberry.field(description="A file to start from; it is empty unless the type is on.")
    async def sample_template(self) -> SampleTemplate:
        return await SampleTemplate.of(self.key, self.importer)

    @classmethod
    def of(cls, context: Context, key: str) -> ImportType:
        """Describe a type, also one of which only the key is left."""
        if key == UNDO:
            label, state = translator().text(UndoImport.label, None), PluginState.ON
            return cls(
                importer=None, key=key, label=label, state=state, problems=[], distribution=None
            )
        status = find_status(context, "importer", key)
        importer = context.services.registry.importers.get(key)
        label = plain(status.label or key)
        return cls(
            importer=importer,
            key=key,
            label=translator().text(label, type(importer) if importer else None),
            state=PluginState(status.state),
            problems=shown_problems(context, status),
            distribution=status.distribution,
        )


@strawberry.field(name="importTypes", description="What can be imported, sorted by label.")
def list_import_types(
    info: Info,
    states: Annotated[
        list[PluginState] | None, argument(name="state", description="Only types in these states.")
    ] = _ON,
) -> list[ImportType]:
    types = [
        ImportType.of(info.context, status.name)
        for status in info.context.services.registry.plugins
        if status.kind == "importer"
    ]
    found = [each for each in types if each.state in (_ON if states is None else states)]
    return sorted(found, key=lambda each: (each.label, each.key))


@strawberry.field(
    name="sampleTemplate", description="A type's sample file; null when there is no such type."
)
async def find_sample(
    info: Info, key: Annotated[str, argument(name="type", description="The type's key.")]
) -> SampleTemplate | None:
    importer = info.context.services.registry.importers.get(key)
    return None if importer is None else await SampleTemplate.of(key, importer)
