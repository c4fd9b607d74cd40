"""Import types: what the plugins that are on offer, and their sample files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import strawberry

from api.context import Context, Info
from importers.sample import sample_csv, sample_filename

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.base import Importer
    from importers.columns import Column as ImporterColumn

SAMPLE_TYPE = "text/csv; charset=utf-8"


@strawberry.type(description="A column of a type's files.")
class Column:
    """What a client needs to explain a column."""

    name: str = strawberry.field(description="Its name in the header.")
    required: bool = strawberry.field(description="Whether every row must fill it in.")
    description: str = strawberry.field(description="What goes into its cells.")
    example: str | None = strawberry.field(description="A cell, as in the sample file.")
    choices: list[str] | None = strawberry.field(
        description="What its cells may hold; null when that is no list."
    )

    @classmethod
    def of(cls, column: ImporterColumn[Any], roles: Sequence[str]) -> Column:
        """Describe an importer's column."""
        choices = column.choices_for(roles)
        return cls(
            name=column.name,
            required=column.required,
            description=column.help,
            example=column.example,
            choices=None if choices is None else list(choices),
        )


@strawberry.type(description="A file to start from.")
class SampleTemplate:
    """A sample file, its content included."""

    type: str = strawberry.field(description="Key of the type that it is for.")
    filename: str = strawberry.field(description="The file's name.")
    content_type: str = strawberry.field(description="Its media type.")
    content: str = strawberry.field(
        description="The whole file: the header and one row of examples, lines end in CRLF."
    )
    url: str = strawberry.field(
        description="Path of the same file on this server; wants the same bearer token."
    )

    @classmethod
    def of(cls, importer: Importer) -> SampleTemplate:
        """Write an importer's sample file."""
        return cls._named(importer.key, sample_filename(importer), sample_csv(importer))

    @classmethod
    def empty(cls, key: str) -> SampleTemplate:
        """Make the sample of a type that is no longer offered."""
        return cls._named(key, f"{key}_sample.csv", "")

    @classmethod
    def _named(cls, key: str, filename: str, content: str) -> SampleTemplate:
        url = f"/files/samples/{quote(filename)}"
        return cls(type=key, filename=filename, content_type=SAMPLE_TYPE, content=content, url=url)


@strawberry.type(description="A kind of import: what its files look like and what they do.")
class ImportType:
    """An importer that is on, or the name of one that was."""

    importer: strawberry.Private[Any]
    key: str = strawberry.field(description="What `createImport` calls it.")
    label: str = strawberry.field(description="What menus call it.")
    description: str = strawberry.field(description="What it does.")

    @strawberry.field(description="The columns of its files, in the order of the sample file.")
    async def columns(self, info: Info) -> list[Column]:
        """Describe the columns; the choices of some are the app's roles."""
        if self.importer is None:
            return []
        roles = [row["key"] for row in await info.context.loaders.roles()]
        return [Column.of(column, roles) for column in self.importer.columns.values()]

    @strawberry.field(description="A file to start from.")
    def sample_template(self) -> SampleTemplate:
        """Write the sample file."""
        if self.importer is None:
            return SampleTemplate.empty(self.key)
        return SampleTemplate.of(self.importer)

    @classmethod
    def of(cls, context: Context, key: str) -> ImportType:
        """Describe a type; one whose plugin is off or gone has its key for a label."""
        importer = context.services.registry.importers.get(key)
        if importer is None:
            return cls(importer=None, key=key, label=key, description="No longer offered.")
        return cls(
            importer=importer, key=key, label=importer.label, description=importer.description
        )


def list_import_types(context: Context) -> list[ImportType]:
    """List what the enabled plugins offer, sorted by label."""
    return [ImportType.of(context, key) for key in context.services.registry.importers]


def find_sample(context: Context, key: str) -> SampleTemplate | None:
    """Find the sample file of a type that is offered."""
    importer = context.services.registry.importers.get(key)
    return None if importer is None else SampleTemplate.of(importer)
