"""Where a change comes from: a row of an import."""

from __future__ import annotations

from typing import cast

import strawberry
from strawberry import field

from api.access.context import Info
from api.schema.importing.imports import IMPORT_ROW, Import
from api.schema.node import load_together
from models.listing import IMPORTS


@strawberry.type(description="Which row of which import did something.")
class ChangeOrigin:
    import_key: strawberry.Private[int]
    row: int = field(description="The row's number, as a spreadsheet shows it.")

    @strawberry.field(name="import", description="The import.")
    async def import_(self, info: Info) -> Import:
        """Load the import, together with those of other origins."""
        found = await load_together(IMPORTS, IMPORT_ROW, info.context, self.import_key)
        return cast("Import", found)

    @classmethod
    def of(cls, import_key: int | None, row: int | None) -> ChangeOrigin | None:
        """Make it of the columns of an assignment; None when no import did it."""
        if import_key is None or row is None:
            return None
        return cls(import_key=import_key, row=row)
