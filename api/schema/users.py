"""Users: finding, creating and changing them."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import UNSET, argument, field

from api.access.context import Info
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, Search
from api.schema.entities import USER_ROW, User, UserStatus
from api.schema.entity_kind import (
    EntityKind,
    create_entity,
    find_by_tags,
    find_entity,
    list_entities,
    update_entity,
)
from api.schema.input_errors import InputErrors, UserError, given
from api.schema.list_order import OrderBy, UpdatedSince
from api.schema.node import MOST_NAMED
from models.listing import USERS, has_email, has_tag

_NAME_LONGEST = 200


@strawberry.input(one_of=True, description="Names one user, in one of these ways.")
class UserBy:
    id: strawberry.ID | None = field(default=UNSET, description="The user's `id`.")
    tag_id: str | None = field(default=UNSET, description="The user's Tag ID, exactly.")
    email: str | None = field(default=UNSET, description="The user's e-mail address, in any case.")


@strawberry.input(description="A new user.")
class CreateUserInput:
    email: str = field(description="The address, which is also the user name; unique in the app.")
    given_name: str | None = field(default="", description="First name.")
    family_name: str | None = field(default="", description="Last name.")
    tag_id: str | None = field(
        default=None,
        description="The organisation's own name for the user: letters, digits, `-`, `/` and `_`, "
        "up to 64 of them. Unique in the app, and permanent.",
    )
    locale: str | None = field(
        default=None, description="Preferred language, a BCP 47 tag; `sp` is read as `es`."
    )
    zoneinfo: str | None = field(
        default=None, description="Time zone, an IANA name such as `America/New_York`."
    )


@strawberry.input(
    description="What is to change. What is left out stays as it is; null clears what may be "
    "empty, and is refused elsewhere."
)
class UpdateUserInput:
    given_name: str | None = field(default=UNSET, description="First name; null clears it.")
    family_name: str | None = field(default=UNSET, description="Last name; null clears it.")
    tag_id: str | None = field(
        default=UNSET,
        description="The Tag ID of a user that has none; one that is set is permanent.",
    )
    locale: str | None = field(
        default=UNSET,
        description="Preferred language, a BCP 47 tag; `sp` is read as `es`; null clears it.",
    )
    zoneinfo: str | None = field(
        default=UNSET, description="Time zone, an IANA name; null clears it."
    )
    status: UserStatus | None = field(default=UNSET, description="Whether the user is enabled.")


@strawberry.type(description="What came of creating or changing a user.")
class UserPayload:
    user: User | None = field(description="The user as it is now; null after errors.")
    user_errors: list[UserError] = field(
        description="What was wrong; when there is anything, nothing has been done."
    )


USER = EntityKind(
    noun="user",
    table="users",
    listing=USERS,
    row_type=USER_ROW,
    readers={
        "email": InputErrors.email,
        "given_name": lambda errors, name: errors.text("givenName", name, longest=_NAME_LONGEST),
        "family_name": lambda errors, name: errors.text("familyName", name, longest=_NAME_LONGEST),
        "tag_id": InputErrors.tag,
        "locale": InputErrors.locale,
        "zoneinfo": InputErrors.zoneinfo,
        "status": lambda errors, status: errors.present("status", status) is UserStatus.ACTIVE,
    },
    keeps_tag="a Tag ID that is set stays",
)


@strawberry.field(name="users", description="The app's users, in the order in which they came.")
async def list_users(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    search: Search = None,
    status: Annotated[UserStatus | None, argument(description="Only users in this state.")] = None,
    updated_since: UpdatedSince = None,
    order_by: OrderBy = None,
) -> Connection[User]:
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    active = None if status is None else status is UserStatus.ACTIVE
    return await list_entities(
        USER,
        info.context,
        arguments,
        search,
        active=active,
        updated_since=updated_since,
        order_by=order_by,
    )


@strawberry.field(name="user", description="One user; null when the app has no such user.")
async def find_user(
    info: Info, by: Annotated[UserBy, argument(description="Which one.")]
) -> User | None:
    condition = None
    if given(by.tag_id) is not None:
        condition = has_tag(str(by.tag_id))
    if given(by.email) is not None:
        condition = has_email(str(by.email).strip())
    return await find_entity(USER, info.context, by.id, condition)


@strawberry.field(
    name="usersByTagId",
    description="Users by their Tag IDs, exactly, in the same order; null where the app has no "
    "such user.",
)
async def find_users_by_tag(
    info: Info,
    tag_ids: Annotated[list[str], argument(description=f"At most {MOST_NAMED:,}.")],
) -> list[User | None]:
    return await find_by_tags(USER, info.context, tag_ids)


@strawberry.mutation(description="Create a user.")
async def create_user(
    info: Info, values: Annotated[CreateUserInput, argument(name="input", description="The user.")]
) -> UserPayload:
    user, user_errors = await create_entity(USER, info.context, values)
    return UserPayload(user=user, user_errors=user_errors)


@strawberry.mutation(description="Change a user; also sets a Tag ID where there is none.")
async def update_user(
    info: Info,
    node_id: Annotated[strawberry.ID, argument(name="id", description="The user's `id`.")],
    values: Annotated[UpdateUserInput, argument(name="input", description="The changes.")],
) -> UserPayload:
    user, user_errors = await update_entity(USER, info.context, node_id, values)
    return UserPayload(user=user, user_errors=user_errors)
