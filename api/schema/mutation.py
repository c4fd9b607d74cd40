"""Mutations: every field that one can begin with."""

from __future__ import annotations

from typing import Annotated

import strawberry

from api.access.context import Info
from api.schema.cases import CasePayload, CreateCaseInput, UpdateCaseInput, create_case, update_case
from api.schema.importing.create_import import CreateImportInput, CreateImportPayload, create_import
from api.schema.importing.imports import (
    ImportPayload,
    RowCorrectionInput,
    cancel_import,
    retry_import,
)
from api.schema.users import CreateUserInput, UpdateUserInput, UserPayload, create_user, update_user


@strawberry.type(description="Everything that can be changed, by tokens that may.")
class Mutation:
    """Root fields that change something; `api.execution` keeps viewers out of them."""

    @strawberry.mutation(
        description="Upload a file, by a GraphQL multipart request. What its first bytes show to "
        "be wrong is answered at once; the rows are run afterwards."
    )
    async def create_import(
        self,
        info: Info,
        values: Annotated[
            CreateImportInput,
            strawberry.argument(name="input", description="The file and what it is."),
        ],
    ) -> CreateImportPayload:
        """Accept a file."""
        return await create_import(info.context, values)

    @strawberry.mutation(description="Run failed rows of a finished import again.")
    async def retry_import(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The import's `id`.")
        ],
        rows: Annotated[
            list[RowCorrectionInput] | None,
            strawberry.argument(description="Which rows, and new cells; none: all failed rows."),
        ] = None,
    ) -> ImportPayload:
        """Run rows again."""
        return await retry_import(info.context, node_id, rows)

    @strawberry.mutation(description="Stop an import; rows that are applied already stay applied.")
    async def cancel_import(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The import's `id`.")
        ],
    ) -> ImportPayload:
        """Cancel an import."""
        return await cancel_import(info.context, node_id)

    @strawberry.mutation(description="Create a case.")
    async def create_case(
        self,
        info: Info,
        values: Annotated[
            CreateCaseInput, strawberry.argument(name="input", description="The case.")
        ],
    ) -> CasePayload:
        """Create a case."""
        return await create_case(info.context, values)

    @strawberry.mutation(description="Change a case.")
    async def update_case(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The case's `id`.")
        ],
        values: Annotated[
            UpdateCaseInput, strawberry.argument(name="input", description="The changes.")
        ],
    ) -> CasePayload:
        """Change a case."""
        return await update_case(info.context, node_id, values)

    @strawberry.mutation(description="Create a user.")
    async def create_user(
        self,
        info: Info,
        values: Annotated[
            CreateUserInput, strawberry.argument(name="input", description="The user.")
        ],
    ) -> UserPayload:
        """Create a user."""
        return await create_user(info.context, values)

    @strawberry.mutation(description="Change a user; also sets a Tag ID where there is none.")
    async def update_user(
        self,
        info: Info,
        node_id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The user's `id`.")
        ],
        values: Annotated[
            UpdateUserInput, strawberry.argument(name="input", description="The changes.")
        ],
    ) -> UserPayload:
        """Change a user."""
        return await update_user(info.context, node_id, values)
