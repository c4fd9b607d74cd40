"""The schema: what queries, mutations and subscriptions can begin with, put together."""

from __future__ import annotations

import functools

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from api.schema.entities import Assignment
from api.schema.importing.upload import UPLOAD, UploadedFile
from api.schema.mutation import Mutation
from api.schema.query import Query
from api.schema.subscription import Subscription


class _Names(NameConverter):
    """Remembers the API's names: Strawberry asks for those of all arguments at each call."""

    apply_naming_config = staticmethod(functools.cache(to_camel_case))


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Assignment],
    config=StrawberryConfig(name_converter=_Names(), scalar_map={UploadedFile: UPLOAD}),
)
