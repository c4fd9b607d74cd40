"""Users: the type, finding them, creating and changing them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.access.context import Context, Info
from api.batch.batch_field import TOGETHER, Together
from api.batch.row_type import RowColumn, RowType, node_id
from api.errors import ApiError
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.entry import InputErrors, given
from api.schema.node import Node, key_of
from api.schema.user_error import UserError, user_error
from models.listing import USERS, has_email, has_tag, is_active, matches_search
from models.page import Condition, find_by_id, find_one
from models.write_one import (
    EmailTakenError,
    TagPermanentError,
    TagTakenError,
    insert_one,
    update_one,
)

if TYPE_CHECKING:
    from api.batch.batch_field import Selected
    from api.batch.objects import Items, Values
    from api.schema.assignments import Assignment  # noqa: TC004 - strawberry.lazy imports it

_NAME_LONGEST = 200


@strawberry.enum(description="Whether a user can be put on cases.")
class UserStatus(Enum):
    """The API's names of an active user and one that is not."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="Enabled.")
    DISABLED = strawberry.enum_value("DISABLED", description="Disabled: can't be put on a case.")


async def _assignments(
    context: Context, users: Items, selected: Selected, **arguments: Any
) -> Values:
    """Page through the assignments of many users."""
    from api.schema.assignments import assignments_of_users  # noqa: PLC0415 - it needs User

    return await assignments_of_users(context, users, selected, **arguments)


@strawberry.type(description="A person who can be assigned to cases.")
class User(Node):
    """A user."""

    key: strawberry.Private[int]
    tag_id: str | None = strawberry.field(
        description="The organisation's own name for the user, unique in the app."
    )
    email: str = strawberry.field(
        description="The address, which is also the user name; unique in the app in any case."
    )
    given_name: str = strawberry.field(description="First name; may be empty.")
    family_name: str = strawberry.field(description="Last name; may be empty.")
    locale: str | None = strawberry.field(description="Preferred language, a BCP 47 tag.")
    zoneinfo: str | None = strawberry.field(description="Time zone, an IANA name.")
    status: UserStatus = strawberry.field(description="Whether the user is enabled.")
    created_at: datetime = strawberry.field(description="When the user came into the system.")
    updated_at: datetime = strawberry.field(description="When the user was last changed.")

    @strawberry.field(
        description="Which cases the user is on, in the order in which cases came.",
        metadata={TOGETHER: Together(_assignments, needs=("key",))},
    )
    async def assignments(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        role: Annotated[
            str | None, strawberry.argument(description="Only those in the role with this key.")
        ] = None,
    ) -> Connection[Annotated[Assignment, strawberry.lazy("api.schema.assignments")]]:
        """Page through the user's assignments."""
        from api.schema.assignments import user_assignments  # noqa: PLC0415 - it needs User

        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await user_assignments(info.context, self.key, arguments, role)


USER_ROW = RowType(
    User,
    id=node_id("User"),
    key=RowColumn(("id",)),
    status=RowColumn(
        ("is_active",), lambda active: UserStatus.ACTIVE if active else UserStatus.DISABLED
    ),
)


UserConnection = Connection[User]


@strawberry.input(one_of=True, description="Names one user, in one of these ways.")
class UserBy:
    """How to find a user."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The user's `id`."
    )
    tag_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The user's Tag ID, exactly."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="The user's e-mail address, in any case."
    )


@strawberry.input(description="A new user.")
class CreateUserInput:
    """What a user is created from."""

    email: str = strawberry.field(
        description="The address, which is also the user name; unique in the app."
    )
    given_name: str | None = strawberry.field(default="", description="First name.")
    family_name: str | None = strawberry.field(default="", description="Last name.")
    tag_id: str | None = strawberry.field(
        default=None,
        description="The organisation's own name for the user: letters, digits, `-`, `/` and `_`, "
        "up to 64 of them. Unique in the app, and permanent.",
    )
    locale: str | None = strawberry.field(
        default=None, description="Preferred language, a BCP 47 tag; `sp` is read as `es`."
    )
    zoneinfo: str | None = strawberry.field(
        default=None, description="Time zone, an IANA name such as `America/New_York`."
    )


@strawberry.input(description="What is to change; what is left out stays as it is.")
class UpdateUserInput:
    """Changes of a user."""

    given_name: str | None = strawberry.field(default=strawberry.UNSET, description="First name.")
    family_name: str | None = strawberry.field(default=strawberry.UNSET, description="Last name.")
    tag_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The Tag ID of a user that has none; one that is set is permanent.",
    )
    locale: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Preferred language, a BCP 47 tag; `sp` is read as `es`; null clears it.",
    )
    zoneinfo: str | None = strawberry.field(
        default=strawberry.UNSET, description="Time zone, an IANA name; null clears it."
    )
    status: UserStatus | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the user is enabled."
    )


@strawberry.type(description="What came of creating or changing a user.")
class UserPayload:
    """The user, or what was wrong."""

    user: User | None = strawberry.field(description="The user as it is now; null after errors.")
    user_errors: list[UserError] = strawberry.field(
        description="What was wrong; when there is anything, nothing has been done."
    )


async def list_users(
    context: Context, arguments: PageArguments, search: str | None, status: UserStatus | None
) -> Connection[Any]:
    """Page through the app's users, oldest first."""
    conditions: list[Condition] = []
    if search and search.strip():
        conditions.append(matches_search(USERS, search))
    if status is not None:
        conditions.append(is_active(status is UserStatus.ACTIVE))
    return await connect(context, USERS, USER_ROW.objects, arguments, conditions)


async def find_user(context: Context, by: UserBy) -> User | None:
    """Find a user by ID, Tag ID or e-mail address."""
    condition = None
    if given(by.tag_id) is not None:
        condition = has_tag(str(by.tag_id))
    if given(by.email) is not None:
        condition = has_email(str(by.email).strip())
    if condition is not None:
        row = await context.scope.read(find_one, USERS, condition)
        return row and USER_ROW.object(row)
    key = key_of("User", str(by.id))
    return None if key is None else await load_user(context, key)


async def load_user(context: Context, key: int) -> User | None:
    """Read a user by its primary key."""
    rows = await context.scope.read(find_by_id, USERS, [key])
    return USER_ROW.object(rows[0]) if rows else None


async def create_user(context: Context, values: CreateUserInput) -> UserPayload:
    """Create a user, or say what is wrong."""
    problems = InputErrors()
    row = {
        "email": problems.email(values.email),
        "given_name": problems.text("givenName", values.given_name, longest=_NAME_LONGEST),
        "family_name": problems.text("familyName", values.family_name, longest=_NAME_LONGEST),
        "tag_id": problems.tag(values.tag_id),
        "locale": problems.locale(values.locale),
        "zoneinfo": problems.zoneinfo(values.zoneinfo),
    }
    if problems.found:
        return UserPayload(user=None, user_errors=problems.found)
    try:
        key = await context.scope.write(insert_one, "users", row, by=context.actor)
    except TagTakenError:
        return _failed(_tag_taken(values.tag_id))
    except EmailTakenError:
        message = f"Another user has the e-mail address '{values.email.strip()}'."
        return _failed(user_error("EMAIL_TAKEN", message, "input", "email"))
    return await _payload(context, key)


async def update_user(context: Context, node_id: str, values: UpdateUserInput) -> UserPayload:
    """Change a user, or say what is wrong."""
    problems = InputErrors()
    changes = _changes(problems, values)
    if problems.found:
        return UserPayload(user=None, user_errors=problems.found)
    key = key_of("User", node_id)
    try:
        is_there = key is not None and await context.scope.write(
            update_one, "users", key, changes, by=context.actor
        )
    except TagTakenError:
        return _failed(_tag_taken(values.tag_id))
    except TagPermanentError as error:
        message = f"The user has the Tag ID '{error.tag_id}', and a Tag ID that is set stays."
        return _failed(user_error("TAG_PERMANENT", message, "input", "tagId"))
    if key is None or not is_there:
        return _failed(user_error("NOT_FOUND", "There is no such user.", "id"))
    return await _payload(context, key)


def _changes(problems: InputErrors, values: UpdateUserInput) -> dict[str, object]:
    """Return the columns that are to change, and note what is wrong with the input."""
    changes: dict[str, object] = {}
    for field, column in (("givenName", "given_name"), ("familyName", "family_name")):
        value = given(getattr(values, column))
        if value is not None:
            changes[column] = problems.text(field, value, longest=_NAME_LONGEST)
    if given(values.tag_id) is not None:
        changes["tag_id"] = problems.tag(values.tag_id)
    if values.locale is not strawberry.UNSET:
        changes["locale"] = problems.locale(values.locale)
    if values.zoneinfo is not strawberry.UNSET:
        changes["zoneinfo"] = problems.zoneinfo(values.zoneinfo)
    if given(values.status) is not None:
        changes["is_active"] = values.status is UserStatus.ACTIVE
    return changes


async def _payload(context: Context, key: int) -> UserPayload:
    user = await load_user(context, key)
    if user is None:
        raise ApiError("NOT_FOUND", "The user is gone.")
    return UserPayload(user=user, user_errors=[])


def _failed(error: UserError) -> UserPayload:
    return UserPayload(user=None, user_errors=[error])


def _tag_taken(tag_id: str | None) -> UserError:
    message = f"Another user has the Tag ID '{(tag_id or '').strip()}'."
    return user_error("TAG_TAKEN", message, "input", "tagId")
